import Convc
import ConvcTestSupport
import Testing

/// Weights dropped while training. PyTorch has no such layer, so these cases have no fixtures of its.
@Suite("DropConnect")
struct DropConnectTests {
  static let cases = [
    LayerCase("dropconnect_dense", Dense(outputs: 7, dropConnect: 0.5), inputs: [3, 19]),
    LayerCase(
      "dropconnect_dense_wide", Dense(outputs: 33, bias: false, dropConnect: 0.25),
      inputs: [1, 40], maximumBatch: 5),
    LayerCase(
      "dropconnect_conv2d",
      Conv2D(
        outputChannels: 5, kernelSize: 3, stride: 2,
        padding: Padding(top: 1, bottom: 0, left: 2, right: 1), dropConnect: 0.5),
      inputs: [3, 2, 7, 6]),
    LayerCase(
      "dropconnect_conv2d_blocks",
      Conv2D(
        outputChannels: 16, kernelSize: 2, bias: .perPosition, kernel: .flipped,
        dropConnect: 0.75), inputs: [2, 16, 4, 5], maximumBatch: 3),
    LayerCase(
      "dropconnect_conv1d", Conv1D(outputChannels: 4, kernelSize: 3, groups: 2, dropConnect: 0.1),
      inputs: [1, 4, 9]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("the share of dropped weights is the rate, masks change with the step, inference uses all")
  func rate() async throws {
    let model = Model("dropping") { graph in
      graph.output("y", graph.input("x", [40]).dense(50, dropConnect: 0.25))
      graph.loss(MeanSquaredError(), on: "y", target: "t")
    }
    let session = try await session(of: model, batch: 1, trains: true) { $0 < 2000 ? 1 : 0 }
    func dropped(step: UInt64) throws -> [Bool] {
      _ = try session.gradients(
        inputs: [.float32([Float](repeating: 1, count: 40))],
        targets: [.float32([Float](repeating: 0, count: 50))], batch: 1,
        options: StepOptions(seed: 7, step: step))
      return session.withGradients { $0.prefix(2000).map { $0 == 0 } }
    }
    let first = try dropped(step: 1)
    #expect(abs(first.filter(\.self).count - 500) < 80)
    #expect(try dropped(step: 1) == first)
    #expect(try dropped(step: 2) != first)
    let ones = [Float](repeating: 1, count: 40)
    let y = try session.forward(inputs: [.float32(ones)], batch: 1)[0].floats
    #expect(y == [Float](repeating: 40, count: 50))
  }

  @Test("a rate that is no probability below 1 is refused")
  func refusal() {
    #expect(
      throws: LayerError.setting(
        "dropConnect -0.5 is out of range; a probability in 0..<1 is expected")
    ) {
      try Dense(outputs: 1, dropConnect: -0.5).output(for: [TensorType(shape: [1, 2])])
    }
  }
}
