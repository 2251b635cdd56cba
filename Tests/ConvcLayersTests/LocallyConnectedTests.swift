import Convc
import ConvcTestSupport
import Testing

/// PyTorch has no such layers: their values are those of a convolution, place by place.
@Suite("Locally connected layers")
struct LocallyConnectedTests {
  static let cases = [
    LayerCase(
      "local2d",
      LocallyConnected2D(
        outputChannels: 3, kernelSize: Size2D(height: 2, width: 3),
        stride: Size2D(height: 1, width: 2),
        padding: Padding(top: 1, bottom: 0, left: 2, right: 1)), inputs: [3, 2, 5, 7],
      maximumBatch: 5),
    LayerCase(
      "local2d_blocks", LocallyConnected2D(outputChannels: 16, kernelSize: 2, bias: false),
      inputs: [2, 16, 3, 3]),
    LayerCase(
      "local2d_dilated",
      LocallyConnected2D(outputChannels: 4, kernelSize: 2, stride: 2, dilation: 2),
      inputs: [1, 3, 6, 5], maximumBatch: 3),
    LayerCase(
      "local1d",
      LocallyConnected1D(
        outputChannels: 3, kernelSize: 3, stride: 2, padding: .cells(left: 2, right: 1)),
      inputs: [3, 2, 9]),
    LayerCase(
      "local1d_blocks", LocallyConnected1D(outputChannels: 16, kernelSize: 2, bias: false),
      inputs: [2, 16, 5], maximumBatch: 3),
    LayerCase(
      "local1d_causal",
      LocallyConnected1D(outputChannels: 2, kernelSize: 2, padding: .causal, dilation: 3),
      inputs: [1, 3, 8]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  /// Weights of a layer without bias on one image.
  private func weights(_ layer: any Layer, _ shape: [Int]) -> Int {
    layer.parameters(for: [TensorType(shape: [1] + shape)]).reduce(0) { $0 + $1.count }
  }

  @Test("five inputs, three outputs: 15 weights dense, 9 sparse, 3 shared, 6 in two sets")
  func counts() {
    #expect(weights(Dense(outputs: 3, bias: false), [5]) == 15)
    let sparse = LocallyConnected1D(outputChannels: 1, kernelSize: 3, bias: false)
    #expect(weights(sparse, [1, 5]) == 9)
    #expect(weights(Conv1D(outputChannels: 1, kernelSize: 3, bias: false), [1, 5]) == 3)
    #expect(weights(Conv1D(outputChannels: 2, kernelSize: 3, bias: false), [1, 5]) == 6)
  }

  @Test("150 neurons on 150 inputs, each seeing three: 450 weights, or 3 shared")
  func lectureCounts() {
    let local = LocallyConnected1D(outputChannels: 1, kernelSize: 3, padding: .same, bias: false)
    #expect(weights(local, [1, 150]) == 450)
    let shared = Conv1D(outputChannels: 1, kernelSize: 3, padding: .same, bias: false)
    #expect(weights(shared, [1, 150]) == 3)
  }

  @Test("weights and biases that are the same at each place give a convolution")
  func tied() async throws {
    let model = Model("tied") { graph in
      let x = graph.input("x", [2, 5, 7])
      graph.output("shared", x.conv2d(3, kernelSize: 3, stride: 2, padding: 1))
      graph.output("local", x.locallyConnected2d(3, kernelSize: 3, stride: 2, padding: 1))
    }
    // 54 weights and 3 biases of the convolution, then those of its 3 by 4 places.
    let value = { (i: Int) in Float(i * 37 % 19 - 9) / 8 }
    let session = try await session(of: model, batch: 2) { index in
      if index < 57 { return value(index) }
      return value((index - 57) / 12)
    }
    let image = (0..<140).map { Float($0 * 53 % 31) / 16 - 1 }
    let y = try session.forward(inputs: [.float32(image)], batch: 2)
    #expect(y[0].floats.count == 2 * 3 * 12)
    for (shared, local) in zip(y[0].floats, y[1].floats) { #expect(abs(shared - local) < 1e-5) }
  }

  @Test("what does not fit is refused with the way out")
  func refusals() {
    #expect(
      throws: LayerError.rank(
        expected: 3, got: [1, 2, 5, 5],
        wayOut: "this layer works on sequences [N, C, L]; for maps there is LocallyConnected2D")
    ) {
      try LocallyConnected1D(outputChannels: 1, kernelSize: 3)
        .output(for: [TensorType(shape: [1, 2, 5, 5])])
    }
    #expect(
      throws: LayerError.rank(
        expected: 4, got: [1, 9],
        wayOut: "this layer works on maps [N, C, H, W]; put it before flatten")
    ) {
      try LocallyConnected2D(outputChannels: 1, kernelSize: 3)
        .output(for: [TensorType(shape: [1, 9])])
    }
    #expect(
      throws: LayerError.setting(
        "rounding ceil is for pooling; use floor or exact, and padding for the rest")
    ) {
      try LocallyConnected2D(outputChannels: 1, kernelSize: 2, rounding: .ceil)
        .output(for: [TensorType(shape: [1, 1, 5, 5])])
    }
    #expect(
      throws: LayerError.window(
        "length 1 + (2 - 3 + 0 + 0)/1 is below 1: the window spans 3 of 2 padded cells; "
          + "an input of at least 3, or a kernel of at most 2, works")
    ) {
      try LocallyConnected1D(outputChannels: 1, kernelSize: 3)
        .output(for: [TensorType(shape: [1, 1, 2])])
    }
  }
}
