import Convc
import ConvcTestSupport
import Testing

/// The worked examples of convolutions in the lectures.
@Suite("Convolutions of the lectures")
struct ConvolutionExamplesTests {
  private func values(
    _ model: Model, _ parameters: [Float], _ input: [Float]
  ) async throws -> [Float] {
    let session = try await session(of: model, batch: 1) { parameters[$0] }
    return try session.forward(inputs: [.float32(input)], batch: 1)[0].floats
  }

  /// Letters of a table as numbers of which no two sums of products are equal by chance.
  private func letters(_ count: Int, from first: Float) -> [Float] {
    (0..<count).map { first + Float($0 * $0 % 17) / 4 + Float($0) }
  }

  @Test("5x5 pixels with 3x3 weights and a bias: the table of nine sums of nine products")
  func table() async throws {
    let image = letters(25, from: 1)
    let kernel = letters(9, from: -3)
    let model = Model("table") { graph in
      graph.output("y", graph.input("x", [1, 5, 5]).conv2d(1, kernelSize: 3))
    }
    let y = try await values(model, kernel + [0.5], image)
    #expect(y.count == 9)
    for i in 0..<3 {
      for j in 0..<3 {
        var sum: Float = 0.5
        sum += image[5 * i + j] * kernel[0] + image[5 * i + j + 1] * kernel[1]
        sum += image[5 * i + j + 2] * kernel[2]
        sum += image[5 * i + j + 5] * kernel[3] + image[5 * i + j + 6] * kernel[4]
        sum += image[5 * i + j + 7] * kernel[5]
        sum += image[5 * i + j + 10] * kernel[6] + image[5 * i + j + 11] * kernel[7]
        sum += image[5 * i + j + 12] * kernel[8]
        #expect(y[3 * i + j] == sum)
      }
    }
  }

  @Test("one filter of three weights over five inputs; two filters give two rows of three")
  func sequence() async throws {
    let x: [Float] = [2, -1, 3, 0.5, 4]
    let (a, b): ([Float], [Float]) = ([1, 2, -1], [0.5, 0, 3])
    func correlated(_ weights: [Float]) -> [Float] {
      (0..<3).map { x[$0] * weights[0] + x[$0 + 1] * weights[1] + x[$0 + 2] * weights[2] }
    }
    let model = Model("filters") { graph in
      graph.output("y", graph.input("x", [1, 5]).conv1d(2, kernelSize: 3, bias: .none))
    }
    #expect(try await values(model, a + b, x) == correlated(a) + correlated(b))
  }

  @Test(
    "the anchor is the first tap: an even kernel without padding begins at the first pixel",
    arguments: [2, 4])
  func evenKernel(size: Int) async throws {
    let model = Model("even") { graph in
      graph.output(
        "y", graph.input("x", [1, 5, 5]).conv2d(1, kernelSize: Size2D(size), bias: .none))
    }
    let weights = [1] + [Float](repeating: 0, count: size * size - 1)
    let image = (0..<25).map { Float($0) }
    let y = try await values(model, weights, image)
    let side = 6 - size
    #expect(y == (0..<side * side).map { Float($0 / side * 5 + $0 % side) })
  }

  @Test("a dense layer is a convolution with a kernel of the input's size, with the same weights")
  func dense() async throws {
    let model = Model("both") { graph in
      let x = graph.input("x", [3, 4, 5])
      graph.output("dense", x.flatten().dense(7))
      graph.output("conv", x.conv2d(7, kernelSize: Size2D(height: 4, width: 5)).flatten())
    }
    let count = 7 * 60 + 7
    let session = try await session(of: model, batch: 2) {
      Float($0 % count * 37 % 41 - 20) / 64
    }
    let image = (0..<120).map { Float($0 * 29 % 53) / 32 - 0.8 }
    let y = try session.forward(inputs: [.float32(image)], batch: 2)
    #expect(y[0].floats.count == 14)
    for (dense, conv) in zip(y[0].floats, y[1].floats) { #expect(abs(dense - conv) < 1e-5) }
  }

  @Test("all sizes of kernels, with their weights, multiply-adds and reach")
  func sizes() throws {
    let input = [TensorType(shape: [1, 2, 9, 9])]
    for size in 1...5 {
      let layer = Conv2D(outputChannels: 3, kernelSize: Size2D(size), bias: .none)
      let side = 10 - size
      #expect(try layer.output(for: input).shape == [1, 3, side, side])
      #expect(layer.parameters(for: input)[0].count == 6 * size * size)
      #expect(layer.multiplyAdds(for: input) == side * side * 6 * size * size)
      #expect(
        layer.reach(for: input)
          == .window(height: size, width: size, verticalStride: 1, horizontalStride: 1))
    }
  }
}
