import Convc
import Testing

@testable import ConvcIR

/// Inference with channels that fill no whole blocks: the last block has lanes without a channel.
@Suite("Partial blocks")
struct PartialBlockTests {
  static let cases = [
    BlockedKernelTests.Case(name: "inverted residuals of 24 channels", shape: [3, 18, 14]) {
      let stem = $0.conv2d(20, kernelSize: 3, stride: 2, padding: 1).relu()
      let narrow = stem.conv2d(24, kernelSize: 1)
      let wide = narrow.conv2d(40, kernelSize: 1).relu()
        .conv2d(40, kernelSize: 3, padding: 1, groups: 40, bias: false).relu()
      return wide.conv2d(24, kernelSize: 1).add(narrow)
    },
    BlockedKernelTests.Case(name: "convolutions with padding, pooled", shape: [5, 12, 11]) {
      $0.conv2d(19, kernelSize: 3, padding: 1).relu().maxPool(2)
        .conv2d(37, kernelSize: 3, stride: 2, padding: 1).relu().conv2d(7, kernelSize: 2)
    },
    BlockedKernelTests.Case(name: "layers of any layout, a head", shape: [21, 8, 9], batch: 4) {
      let x = $0.conv2d(21, kernelSize: 1).relu()
      return x.averagePool(2).add(x.maxPool(2)).relu().conv2d(18, kernelSize: 3)
        .globalAveragePool().flatten().dense(10)
    },
    BlockedKernelTests.Case(name: "joined channels", shape: [10, 6, 6]) {
      let x = $0.conv2d(24, kernelSize: 3, padding: 1)
      return x.concat(x.conv2d(20, kernelSize: 1).relu()).conv2d(16, kernelSize: 1)
    },
    BlockedKernelTests.Case(name: "weights in parts", shape: [40, 5, 6], batch: 2, level2: 32) {
      $0.conv2d(56, kernelSize: 3, padding: 1).relu().conv2d(72, kernelSize: 3, padding: 1)
    },
  ]

  @Test("agree with the generic kernels", arguments: cases)
  func agree(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .native)
  }

  @Test("agree with the generic kernels on narrow vectors", arguments: cases)
  func agreeNarrow(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .x86v3)
  }

  @Test("inference chooses blocks where training does not")
  func chosen() throws {
    let compilation = try Self.cases[0].model().compile(
      BuildOptions(batch: 1, target: .x86v4, families: ["blocked"]))
    let families = compilation.stages.programs.map { program in
      (program.kernels.mode, program.kernels.selections.map(\.family))
    }
    for (mode, chosen) in families {
      #expect(Set(chosen) == (mode == .inference ? ["blocked"] : ["generic"]))
    }
  }
}
