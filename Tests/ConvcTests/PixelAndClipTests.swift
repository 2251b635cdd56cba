import Convc
import ConvcTestSupport
import Testing

/// Clip and the softmax of pixels, compiled in every way there is, against the double-precision reference.
@Suite("Clip and pixel softmax, compiled in every way")
struct PixelAndClipTests {
  private func model(_ name: String, _ build: (ModelBuilder) -> Void) -> Model {
    Model(name, graph: build)
  }

  private func expectAgreement(_ networks: [RandomNetwork]) async throws {
    try await RandomNetworkTests().expectAgreement(
      networks.map { ("\($0.model.name)_\($0.sample.batch)", $0) })
  }

  @Test("clip: before and after pooling, ReLU, dropout, sums and dense layers")
  func clip() async throws {
    let maps = model("maps") { graph in
      let x = graph.input("x", [5, 9, 7])
      let stem = x.conv2d(16, kernelSize: 3, padding: 1).clip(minimum: -0.5, maximum: 0.75)
      let pooled = stem.maxPool(2).conv2d(16, kernelSize: 3, padding: 1).relu6().dropout(0.25)
      let sum = pooled.conv2d(16, kernelSize: 1).relu().clip(minimum: 0.25).add(pooled)
      graph.output("y", sum.clip(maximum: 1.5).relu().globalAveragePool().flatten().dense(3))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "label")
    }
    let features = model("features") { graph in
      let x = graph.input("x", [20]).dense(17).relu6().dense(16).clip(minimum: 1, maximum: 2)
      graph.output("y", x.dense(16).batchNorm().relu6().dense(4))
      graph.loss(MeanSquaredError(), on: "y", target: "expected")
    }
    let alone = model("alone") { graph in
      let x = graph.input("x", [3, 4, 5]).conv2d(16, kernelSize: 1)
      graph.output("first", x)
      graph.output("second", x.relu6().clip(minimum: 0.5).add(x))
      graph.loss(MeanSquaredError(), on: "second", target: "expected")
    }
    try await expectAgreement([
      try RandomNetwork(maps, batch: 3, maximumBatch: 18),
      try RandomNetwork(maps, batch: 18),
      try RandomNetwork(features, batch: 9),
      try RandomNetwork(alone, batch: 2),
    ])
  }

  @Test("pixel softmax: few and many classes, odd rows, batches below the largest, several losses")
  func pixels() async throws {
    func scores(_ classes: Int, _ height: Int, _ width: Int) -> Model {
      model("scores\(classes)x\(height)x\(width)") { graph in
        let x = graph.input("x", [3, height, width]).conv2d(16, kernelSize: 3, padding: 1).relu()
        graph.output("y", x.conv2d(classes, kernelSize: 1))
        graph.loss(SoftmaxCrossEntropy(), on: "y", target: "label", weight: 0.5)
      }
    }
    let shared = model("shared") { graph in
      let x = graph.input("x", [2, 6, 5]).conv2d(16, kernelSize: 3).relu()
      let y = x.conv2d(16, kernelSize: 3, padding: 1)
      graph.output("y", y)
      graph.output("z", y.relu().conv2d(2, kernelSize: 1))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "label", name: "first")
      graph.loss(MeanSquaredError(), on: "y", target: "expected", weight: 2, name: "second")
      graph.loss(SoftmaxCrossEntropy(), on: "z", target: "other")
    }
    try await expectAgreement([
      try RandomNetwork(scores(2, 7, 33), batch: 3, maximumBatch: 20),
      try RandomNetwork(scores(17, 5, 1), batch: 17),
      try RandomNetwork(scores(32, 3, 4), batch: 2),
      try RandomNetwork(shared, batch: 5, maximumBatch: 6),
    ])
  }

  @Test("scores of hundreds, and of one class far above, stay exact")
  func stable() async throws {
    let training = try await Training(
      Model("stable", input: [2, 1, 3], loss: SoftmaxCrossEntropy()) {
        Clip()
        Conv2D(outputChannels: 2, kernelSize: 1)
      }, BuildOptions(batch: 1))
    try training.session.setParameterBlock([1, 0, 0, 1, 0, 0])
    let losses = try training.session.gradients(
      inputs: [.float32([1000, 500, -3, 0, 500, 97])], targets: [.int32([1, 0, 1])], batch: 1)
    let expected = (1000 + 0.6931471805599453 + 0) / 3
    #expect(Comparison(losses, [expected]).isWithin(1e-6))
  }

  @Test("a label of a pixel that is no class is refused before anything runs")
  func label() async throws {
    let training = try await Training(
      Model("label", input: [1, 2, 2], loss: SoftmaxCrossEntropy()) {
        Conv2D(outputChannels: 3, kernelSize: 1)
      }, BuildOptions(batch: 2))
    let error = #expect(throws: ProgramError.self) {
      try training.session.step(
        inputs: [.float32([1, 2, 3, 4, 5, 6, 7, 8])], targets: [.int32([0, 1, 2, 0, 0, 3, 1, 1])],
        batch: 2)
    }
    #expect(
      error?.description
        == "label 3 at position 5 of target 'target' is no class of loss 'loss_output': expected 0...2; "
        + "correct the label, nothing was changed")
  }
}
