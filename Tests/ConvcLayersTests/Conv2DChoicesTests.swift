import Convc
import ConvcTestSupport
import Testing

@Suite("Conv2D: bias for each place, flipped kernels")
struct Conv2DChoicesTests {
  static let cases = [
    LayerCase(
      "conv2d_positionbias",
      Conv2D(outputChannels: 5, kernelSize: 3, stride: 2, padding: 1, bias: .perPosition),
      inputs: [3, 2, 7, 5], maximumBatch: 5),
    LayerCase(
      "conv2d_positionbias_blocks",
      Conv2D(
        outputChannels: 16, kernelSize: Size2D(height: 2, width: 3), bias: .perPosition),
      inputs: [2, 16, 4, 5]),
    LayerCase(
      "conv1d_positionbias", Conv1D(outputChannels: 4, kernelSize: 3, bias: .perPosition),
      inputs: [1, 3, 9], maximumBatch: 3),
    LayerCase(
      "conv2d_flipped",
      Conv2D(
        outputChannels: 5, kernelSize: Size2D(height: 2, width: 3), stride: 2,
        padding: Padding(top: 0, bottom: 1, left: 2, right: 1), kernel: .flipped),
      inputs: [3, 3, 6, 7], maximumBatch: 4),
    LayerCase(
      "conv2d_flipped_blocks",
      Conv2D(
        outputChannels: 16, kernelSize: 3, padding: 1, bias: .none, kernel: .flipped),
      inputs: [2, 16, 5, 4]),
    LayerCase(
      "conv2d_flipped_depthwise",
      Conv2D(
        outputChannels: 16, kernelSize: Size2D(height: 2, width: 3), groups: 16,
        kernel: .flipped),
      inputs: [1, 16, 5, 4]),
    LayerCase(
      "conv1d_flipped", Conv1D(outputChannels: 4, kernelSize: 4, kernel: .flipped),
      inputs: [2, 3, 9]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("layers behind it join its loops, whatever the bias and the kernel")
  func fusion() async throws {
    try await expectAgreement("choices", batch: 3, maximumBatch: 5) { graph in
      let x = graph.input("x", [3, 8, 9])
        .conv2d(16, kernelSize: 3, padding: 1, bias: .perPosition, kernel: .flipped).relu()
      let y = x.conv2d(16, kernelSize: 3, padding: 1, bias: .perPosition).add(x).relu()
      let z = y.conv2d(16, kernelSize: 3, stride: 2, bias: .none, kernel: .flipped)
        .batchNorm().relu().maxPool(2)
      graph.output("y", z.flatten().dense(4))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "labels")
    }
  }

  @Test("a bias for each place has as many values as an image of the output")
  func biasCount() {
    let input = [TensorType(shape: [4, 3, 8, 9])]
    func shapes(_ bias: ConvolutionBias) -> [[Int]] {
      Conv2D(outputChannels: 5, kernelSize: 3, bias: bias).parameters(for: input).map(\.shape)
    }
    #expect(shapes(.perFilter) == [[5, 3, 3, 3], [5]])
    #expect(shapes(.perPosition) == [[5, 3, 3, 3], [5, 6, 7]])
    #expect(shapes(.none) == [[5, 3, 3, 3]])
    #expect(shapes(true) == shapes(.perFilter))
    #expect(shapes(false) == shapes(.none))
  }

  @Test("a bias with more values than the kernels is worth a word")
  func biasLint() {
    let input = [TensorType(shape: [4, 3, 8, 9])]
    #expect(
      Conv2D(outputChannels: 5, kernelSize: 3, bias: .perPosition).lints(for: input, in: .training)
        == [
          "has 210 biases, one for each place, but 135 weights; bias: .perFilter needs 5"
        ])
    #expect(
      Conv2D(outputChannels: 5, kernelSize: 5, bias: .perPosition).lints(for: input, in: .training)
        == [])
    #expect(Conv2D(outputChannels: 5, kernelSize: 3).lints(for: input, in: .training) == [])
  }

  // MARK: Values

  /// A chain of convolutions of one map without bias, on an image of 3 by 3 values.
  private func convolved(
    _ kernels: [[Float]], kernel: ConvolutionKernel, name: String
  ) async throws -> [Float] {
    let side = { (kernel: [Float]) in kernel.count == 4 ? 2 : 3 }
    let model = Model(name) { graph in
      let y = kernels.reduce(graph.input("x", [1, 3, 3])) { value, weights in
        value.conv2d(
          1, kernelSize: Size2D(side(weights)), padding: Padding(side(weights) - 1), bias: .none,
          kernel: kernel)
      }
      graph.output("y", y)
    }
    let weights = kernels.flatMap { $0 }
    let session = try await session(of: model, batch: 1) { weights[$0] }
    let image = (1...9).map { Float($0) }
    return try session.forward(inputs: [.float32(image)], batch: 1)[0].floats
  }

  @Test("a flipped kernel gives what the flipped weights give")
  func flippedWeights() async throws {
    let weights: [Float] = [1, -2, 3, 4, 5, -6, 7, 0, 9]
    let flipped = try await convolved([weights], kernel: .flipped, name: "flipped")
    let correlated = try await convolved(
      [weights.reversed()], kernel: .correlation, name: "correlated")
    #expect(flipped == correlated)
  }

  @Test("true convolution is associative, correlation is not")
  func associative() async throws {
    let a: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    let b: [Float] = [1, -1, 2, 3]
    /// One kernel after the other is the convolution of both: 4 by 4 taps.
    func joined(_ kernel: ConvolutionKernel) async throws -> [Float] {
      let product = full(a, 3, b, 2, kernel)
      let model = Model("joined") { graph in
        graph.output(
          "y",
          graph.input("x", [1, 3, 3]).conv2d(
            1, kernelSize: 4, padding: 3, bias: .none, kernel: kernel))
      }
      let session = try await session(of: model, batch: 1) { product[$0] }
      return try session.forward(inputs: [.float32((1...9).map { Float($0) })], batch: 1)[0].floats
    }
    let flipped = try await convolved([a, b], kernel: .flipped, name: "one_by_one")
    #expect(try await joined(.flipped) == flipped)
    let correlated = try await convolved([a, b], kernel: .correlation, name: "one_by_one")
    #expect(try await joined(.correlation) != correlated)
  }

  /// The full convolution or correlation of an image of `n` by `n` values with a kernel of `m` by `m` taps.
  private func full(
    _ image: [Float], _ n: Int, _ kernel: [Float], _ m: Int, _ kind: ConvolutionKernel
  ) -> [Float] {
    let size = n + m - 1
    var result = [Float](repeating: 0, count: size * size)
    for i in 0..<n * n {
      for t in 0..<m * m {
        let tap = kind == .flipped ? t : m * m - 1 - t
        result[(i / n + t / m) * size + i % n + t % m] += image[i] * kernel[tap]
      }
    }
    return result
  }

  @Test("a dropConnect that is no probability below 1 is refused")
  func refusal() {
    #expect(
      throws: LayerError.setting(
        "dropConnect 1.0 is out of range; a probability in 0..<1 is expected")
    ) {
      try Conv2D(outputChannels: 1, kernelSize: 1, dropConnect: 1)
        .output(for: [TensorType(shape: [1, 1, 2, 2])])
    }
  }
}
