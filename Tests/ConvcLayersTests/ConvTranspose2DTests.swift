import Convc
import Testing

@testable import ConvcIR

@Suite("ConvTranspose2D")
struct ConvTranspose2DTests {
  private func output(_ layer: ConvTranspose2D, _ shape: [Int] = [1, 6, 4, 5]) throws -> [Int] {
    try layer.output(for: [TensorType(shape: shape)]).shape
  }

  private func message(_ layer: ConvTranspose2D) -> String? {
    do throws(LayerError) {
      _ = try layer.output(for: [TensorType(shape: [1, 6, 4, 5])])
      return nil
    } catch { return error.description }
  }

  @Test("doubles a map with a window of 2x2 and stride 2")
  func doubles() throws {
    #expect(
      try output(ConvTranspose2D(outputChannels: 3, kernelSize: 2, stride: 2)) == [1, 3, 8, 10])
  }

  @Test("paddings cut, output paddings add")
  func sizes() throws {
    let layer = ConvTranspose2D(
      outputChannels: 4, kernelSize: Size2D(height: 3, width: 4),
      stride: Size2D(height: 2, width: 3),
      padding: Padding(top: 1, bottom: 0, left: 2, right: 1),
      outputPadding: Size2D(height: 1, width: 2), groups: 2)
    #expect(try output(layer) == [1, 4, 3 * 2 + 3 - 1 + 1, 4 * 3 + 4 - 3 + 2])
    let input = [TensorType(shape: [1, 6, 4, 5])]
    #expect(layer.parameters(for: input).map(\.shape) == [[6, 2, 3, 4], [4]])
    #expect(layer.multiplyAdds(for: input) == 6 * 20 * 2 * 12)
    #expect(
      layer.reach(for: input)
        == .upsampling(
          height: 2, width: 2, verticalStride: 2, horizontalStride: 3, verticalStart: 0,
          horizontalStart: 0.5 / 3))
    #expect(
      layer.summary
        == "ConvTranspose2D 3x4, stride 2x3, padding top 1 bottom 0 left 2 right 1, output padding 1x2, groups 2"
    )
  }

  @Test("settings that make no output are refused with the way out")
  func refusals() {
    #expect(
      message(ConvTranspose2D(outputChannels: 3, kernelSize: 2, groups: 4))
        == "groups 4 does not divide 6 input channels and 3 output channels; use a common divisor of both"
    )
    #expect(
      message(ConvTranspose2D(outputChannels: 0, kernelSize: 2))
        == "outputChannels 0 and groups 1 have to be at least 1")
    #expect(
      message(ConvTranspose2D(outputChannels: 2, kernelSize: 2, stride: 2, outputPadding: 2))
        == "height: output padding 2 is not in 0..<2; it has to be below the stride")
    #expect(
      message(ConvTranspose2D(outputChannels: 2, kernelSize: 1, padding: 2))
        == "height (4 - 1)*1 + 1 + 0 - 2 - 2 is below 1: the paddings cut off all of it; "
        + "use paddings of at most 3 together, or a larger kernel")
    #expect(
      message(ConvTranspose2D(outputChannels: 2, kernelSize: 2, stride: 32_768))
        == "an output of 131074 columns is too wide; at most 65536 work: cut the image into pieces")
    #expect(
      message(ConvTranspose2D(outputChannels: 2, kernelSize: 0))?.hasPrefix("height: kernel size 0")
        == true)
  }

  static let cases = [
    BlockedKernelTests.Case(name: "2x2, bias, ReLU, odd sizes", shape: [32, 5, 7]) {
      $0.convTranspose2d(48, kernelSize: 2, stride: 2).relu()
    },
    BlockedKernelTests.Case(name: "behind a convolution, beside its skip", shape: [16, 6, 10]) {
      let skip = $0.conv2d(32, kernelSize: 3, padding: 1).relu()
      let deep = skip.maxPool(2).conv2d(64, kernelSize: 3, padding: 1).relu()
      return deep.convTranspose2d(32, kernelSize: 2, stride: 2).concat(skip)
        .conv2d(16, kernelSize: 3, padding: 1)
    },
    BlockedKernelTests.Case(name: "3x2 without bias", shape: [16, 4, 9], batch: 5) {
      $0.conv2d(16, kernelSize: 1).convTranspose2d(
        16, kernelSize: Size2D(height: 3, width: 2), stride: Size2D(height: 3, width: 2),
        bias: false)
    },
    BlockedKernelTests.Case(name: "rows that are cut into strips", shape: [16, 2, 230], batch: 2) {
      $0.conv2d(16, kernelSize: 1).convTranspose2d(32, kernelSize: 2, stride: 2).relu()
    },
    BlockedKernelTests.Case(name: "odd numbers of blocks, maps in parts", shape: [80, 3, 5]) {
      $0.conv2d(80, kernelSize: 1).convTranspose2d(112, kernelSize: 2, stride: 2).relu()
    },
    BlockedKernelTests.Case(name: "gradients that add, operands, halos", shape: [16, 5, 6]) {
      let x = $0.conv2d(32, kernelSize: 3, padding: 1)
      let y = x.convTranspose2d(32, kernelSize: 2, stride: 2)
      let sum = x.convTranspose2d(32, kernelSize: 2, stride: 2, bias: false).add(y).relu()
      return sum.conv2d(16, kernelSize: 3, padding: 1)
    },
    BlockedKernelTests.Case(name: "1x1", shape: [32, 4, 4], batch: 17) {
      $0.conv2d(32, kernelSize: 1).convTranspose2d(32, kernelSize: 1).relu()
    },
  ]

  @Test("blocked kernels agree with the generic ones", arguments: cases)
  func blocked(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .native)
  }

  @Test("blocked kernels agree with the generic ones on narrow vectors", arguments: cases)
  func blockedNarrow(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .x86v3)
  }
}
