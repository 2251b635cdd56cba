import Convc
import ConvcTestSupport
import Testing

/// Losses in compiled networks: several of them, further targets, labels that are left out, metrics.
@Suite("Losses in training")
struct LossTrainingTests {
  /// Scores of three classes for each of four pixels; a label 255 is left out, and the caller weighs pixels.
  private let segmentation = Model("segmentation") { graph in
    let x = graph.input("x", [2, 2, 2])
    graph.output("y", x.apply(Conv2D(outputChannels: 3, kernelSize: 1)))
    graph.loss(
      SoftmaxCrossEntropy(ignoredLabel: 255, weights: .pixels), on: "y", target: "mask")
  }

  @Test("a loss's weights are a target of their own, behind the loss's")
  func furtherTargets() async throws {
    let training = try await Training(segmentation, BuildOptions(batch: 4))
    let targets = training.program.targets
    #expect(targets.map(\.name) == ["mask", "mask_weights"])
    #expect(targets.map(\.shape) == [[4, 2, 2], [4, 2, 2]])
    #expect(targets.map(\.element) == [.int32, .float32])
    #expect(training.program.losses[0].target == 0)
  }

  @Test(
    "gradients of parts of a batch add up to those of the whole, whatever is left out and weighed")
  func microBatches() async throws {
    let training = try await Training(segmentation, BuildOptions(batch: 6))
    let x: [Float] = (0..<48).map { index in Float(index * 7 % 11) / 5 - 1 }
    let labels: [Int32] = (0..<24).map { index in
      index < 5 || index.isMultiple(of: 5) ? 255 : Int32(index % 3)
    }
    let weights: [Float] = (0..<24).map { index in Float(index % 4) / 2 }
    func gradients(_ images: Range<Int>) throws -> (losses: [Float], gradients: [Float]) {
      let (first, count) = (images.lowerBound, images.count)
      let losses = try training.session.gradients(
        inputs: [.float32(Array(x[(first * 8)...].prefix(count * 8)))],
        targets: [
          .int32(Array(labels[(first * 4)...].prefix(count * 4))),
          .float32(Array(weights[(first * 4)...].prefix(count * 4))),
        ], batch: count)
      return (losses, training.session.withGradients { Array($0) })
    }
    let whole = try gradients(0..<6)
    let parts = [try gradients(0..<2), try gradients(2..<4), try gradients(4..<6)]
    let mean: [Float] = whole.gradients.indices.map { i in
      (parts[0].gradients[i] + parts[1].gradients[i] + parts[2].gradients[i]) / 3
    }
    #expect(Comparison(mean, whole.gradients).isWithin(1e-6))
    let loss: Float = (parts[0].losses[0] + parts[1].losses[0] + parts[2].losses[0]) / 3
    #expect(Comparison([loss], whole.losses).isWithin(1e-6))
  }

  @Test(
    "a box and a class: two losses, weighted in what is trained, reported without their weights")
  func twoHeads() async throws {
    func model(_ name: String, classes: Float, box: Float) -> Model {
      Model(name) { graph in
        let features = graph.input("x", [5]).apply(Dense(outputs: 4)).apply(Tanh())
        graph.output("class", features.apply(Dense(outputs: 3)))
        graph.output("box", features.apply(Dense(outputs: 4)))
        graph.loss(SoftmaxCrossEntropy(), on: "class", target: "label", weight: classes)
        graph.loss(Huber(), on: "box", target: "corners", weight: box)
      }
    }
    var results: [(losses: [Float], gradients: [Float])] = []
    for (name, classes, box) in [("both", 0.7, 2), ("first", 1, 0), ("second", 0, 1)]
      as [(String, Float, Float)]
    {
      let training = try await Training(
        model(name, classes: classes, box: box), BuildOptions(batch: 3))
      let batch = training.batch(3, seed: 5)
      let losses = try training.session.gradients(
        inputs: batch.inputs, targets: batch.targets, batch: 3)
      results.append((losses, training.session.withGradients { Array($0) }))
    }
    #expect(results[0].losses == results[1].losses && results[1].losses == results[2].losses)
    let sum = zip(results[1].gradients, results[2].gradients).map { 0.7 * $0 + 2 * $1 }
    #expect(Comparison(results[0].gradients, sum).isWithin(1e-6))
  }

  @Test("a label that is left out passes, one that is no class does not")
  func ignoredLabels() async throws {
    let training = try await Training(segmentation, BuildOptions(batch: 1))
    let inputs = [Program.Values.float32([Float](repeating: 1, count: 8))]
    let weights = Program.Values.float32([1, 1, 1, 1])
    let void = try training.session.gradients(
      inputs: inputs, targets: [.int32([255, 255, 255, 255]), weights], batch: 1)
    #expect(void == [0])
    #expect(training.session.withGradients { $0.allSatisfy { $0 == 0 } })
    let error = #expect(throws: ProgramError.self) {
      try training.session.gradients(
        inputs: inputs, targets: [.int32([255, 255, 3, 0]), weights], batch: 1)
    }
    #expect(
      error?.description
        == "label 3 at position 2 of target 'mask' is no class of loss 'loss_y': expected 0...2; "
        + "correct the label, nothing was changed")
  }

  @Test("a label of two classes that is neither is refused")
  func binaryLabels() async throws {
    let model = Model("binary", input: [2], loss: BinaryHinge()) { Dense(outputs: 1) }
    let training = try await Training(model, BuildOptions(batch: 2))
    let error = #expect(throws: ProgramError.self) {
      try training.session.gradients(
        inputs: [.float32([1, 2, 3, 4])], targets: [.int32([1, -1])], batch: 2)
    }
    #expect(
      error?.description
        == "label -1 at position 1 of target 'target' is no class of loss 'loss_output': "
        + "expected 0...1; correct the label, nothing was changed")
  }

  // MARK: Metrics

  /// Examples with labels and weights.
  private struct Weighed: ExampleSource {
    let images: [Float]
    let labels: [Int32]
    let weights: [Float]
    let inputs: [ModelLayout.Tensor]
    let targets: [ModelLayout.Tensor]
    var count: Int { images.count / inputs[0].count }

    func write(
      _ indices: ArraySlice<Int>, inputs: [UnsafeMutableRawPointer],
      targets: [UnsafeMutableRawPointer]
    ) {
      let input = inputs[0].assumingMemoryBound(to: Float.self)
      let label = targets[0].assumingMemoryBound(to: Int32.self)
      let weight = targets[1].assumingMemoryBound(to: Float.self)
      for (place, index) in indices.enumerated() {
        let size = self.inputs[0].count
        for i in 0..<size { input[place * size + i] = images[index * size + i] }
        let places = self.targets[0].count
        for i in 0..<places {
          label[place * places + i] = labels[index * places + i]
          weight[place * places + i] = weights[index * places + i]
        }
      }
    }
  }

  @Test("evaluation weighs as training does, and counts no place that is left out")
  func evaluation() async throws {
    let training = try await Training(segmentation, BuildOptions(batch: 2))
    // Scores are 0, the first channel, and the second one.
    try training.session.setParameterBlock([0, 0, 1, 0, 0, 1, 0, 0, 0])
    let examples = Weighed(
      images: [5, -5, 0, 5, 0, -5, 5, 0], labels: [1, 0, 255, 2], weights: [1, 1, 9, 0.5],
      inputs: [ModelLayout.Tensor(name: "x", shape: [2, 2, 2])],
      targets: [
        ModelLayout.Tensor(name: "mask", element: .int32, shape: [2, 2]),
        ModelLayout.Tensor(name: "mask_weights", shape: [2, 2]),
      ])
    let runner = SessionRunner(session: training.session, graph: training.graph)
    let result = try #require(try Evaluator(runner).evaluate(examples))
    let losses = try training.session.gradients(
      inputs: [.float32(examples.images)],
      targets: [.int32(examples.labels), .float32(examples.weights)], batch: 1)
    #expect(Comparison(losses, result.losses).isWithin(1e-6))
    // Three pixels count; the last one's scores are 0, 5 and 0.
    #expect(result.confusion?.total == 3)
    #expect(result.metrics.accuracy == 2.0 / 3)
  }

  @Test("with one score the class is 1 above 0, as a probability above a half")
  func oneScore() async throws {
    let images: [Float] = [-2, 0.4, 0.6, 3]
    let examples = ArrayExamples(images: images, shape: [1], labels: [0, 1, 1, 1])
    for (loss, last) in [
      (BinaryHinge(), nil),
      (BinaryCrossEntropy(form: .probabilities, takesLabels: true), Sigmoid()),
      (BinaryCrossEntropy(takesLabels: true), nil),
    ] as [(any Loss, (any Layer)?)] {
      let model = Model("score") { graph in
        var value = graph.input("image", [1]).apply(Dense(outputs: 1))
        if let last { value = value.apply(last) }
        graph.output("output", value)
        graph.loss(loss, on: "output", target: "target")
      }
      let training = try await Training(model, BuildOptions(batch: 4))
      try training.session.setParameterBlock([1, -0.5])
      let runner = SessionRunner(session: training.session, graph: training.graph)
      let result = try #require(try Evaluator(runner).evaluate(examples))
      #expect(result.metrics.accuracy == 0.75)
      #expect(result.confusion?.classes == 2)
    }
  }

  @Test(
    "losses of values report no accuracy",
    arguments: [MeanAbsoluteError(), Poisson()] as [any Loss])
  func values(_ loss: any Loss) async throws {
    let model = Model("value", input: [1], loss: loss) { Dense(outputs: 2) }
    let training = try await Training(model, BuildOptions(batch: 2))
    let examples = ArrayExamples(
      images: [1, 2], shape: [1], values: [1, 2, 3, 4], valueShape: [2])
    let runner = SessionRunner(session: training.session, graph: training.graph)
    let result = try #require(try Evaluator(runner).evaluate(examples))
    #expect(result.metrics.accuracy == nil && result.confusion == nil)
    #expect(result.metrics.loss.isFinite)
  }
}
