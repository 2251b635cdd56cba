import Convc
import Testing

@testable import ConvcTraining

@Suite("Training a compiled network")
struct CompiledTrainingTests {
  private static let network = Model("bars", input: [1, 8, 8], loss: SoftmaxCrossEntropy()) {
    Conv2D(outputChannels: 4, kernelSize: 3, padding: 1)
    ReLU()
    MaxPool2D(kernelSize: 2)
    Flatten()
    Dense(outputs: 3)
  }

  /// Noisy images with a bar that lies, stands or is missing.
  private static func bars(_ count: Int, seed: UInt64) -> ArrayExamples {
    var generator = SplitMix64(seed: seed)
    var images: [Float] = []
    var labels: [Int32] = []
    for _ in 0..<count {
      let label = generator.next(below: 3)
      let place = generator.next(below: 8)
      for h in 0..<8 {
        for w in 0..<8 {
          let isBar = label == 0 ? h == place : label == 1 && w == place
          let noise = generator.uniform() + generator.uniform() - 1
          images.append((isBar ? 1 : 0) + Float(0.65 * noise))
        }
      }
      labels.append(Int32(label))
    }
    return ArrayExamples(images: images, shape: [1, 8, 8], labels: labels)
  }

  private static let data = TrainingData(
    name: "bars", train: bars(300, seed: 1), validation: bars(40, seed: 2),
    test: bars(40, seed: 3))
  private static let recipe = Recipe(
    epochs: 5, batch: 16, rate: 0.1, warmUp: .steps(4), seed: 4, threads: 1)

  private func runner(_ network: Model = network) async throws -> SessionRunner {
    let compilation = try network.compile(BuildOptions(batch: 16, target: .generic))
    let program = try await compilation.load()
    let runner = try SessionRunner(session: Session(program), graph: compilation.graph)
    try runner.setParameterBlock(Initialization(seed: 4).parameters(of: compilation.graph))
    return runner
  }

  @Test("learns, and the measured loss is the one that training minimises")
  func learns() async throws {
    let runner = try await runner()
    let examples = Self.bars(16, seed: 9)
    let measured = try #require(try Evaluator(runner).evaluate(examples))
    let buffers = BatchBuffers(runner.layout, batch: 16)
    examples.write(Array(0..<16)[...], inputs: buffers.inputs, targets: buffers.targets)
    let losses = try runner.step(
      inputs: buffers.readInputs, targets: buffers.readTargets, batch: 16,
      options: StepOptions(rate: 0), outputs: nil)
    #expect(abs(Double(losses[0]) - measured.losses[0]) < 1e-5)

    let result = try Trainer(runner: runner, recipe: Self.recipe, data: Self.data).run()
    #expect(result.isComplete)
    #expect((result.test?.metrics.accuracy ?? 0) > 0.8)
  }

  @Test("a penalty on weights is logged and shown apart from the loss")
  func regularized() async throws {
    var network = Self.network
    network.regularizer = Regularizer(l1: 1e-4, l2: 1e-3)
    let runner = try await runner(network)
    let start = try #require(runner.layout.regularization(runner.parameterBlock))
    try withFolder { folder in
      let result = try Trainer(
        runner: runner, recipe: Self.recipe, data: Self.data, folder: RunFolder(folder)
      ).run()
      #expect(result.rows[0].train.regularization == start)
      #expect(result.rows.allSatisfy { ($0.train.regularization ?? 0) > 0 })
      #expect(result.rows.allSatisfy { $0.validation?.regularization == nil })
      // Of the epoch's steps before their updates: close to the start in the first one.
      let first = try #require(result.rows[1].train.regularization)
      #expect(abs(first / start - 1) < 0.5 && first != start)
      #expect(try text(folder + "/log.jsonl").contains(#""regularization":"#))
      #expect(try LogRow.rows(of: text(folder + "/log.jsonl")) == result.rows)
      let report = try text(folder + "/report.html")
      #expect(report.contains("<th scope=\"col\">regularization</th>"))
      #expect(
        report.contains(
          "<th scope=\"row\">regularization</th><td>l1 0.0001, l2 0.001: conv1.weight, dense1.weight"
        ))
    }
  }

  @Test("cancelled and resumed in a new session, it ends with the same bits")
  func resumes() async throws {
    let (whole, first, second) = (try await runner(), try await runner(), try await runner())
    try withFolder { folder in
      let expected = try Trainer(
        runner: whole, recipe: Self.recipe, data: Self.data, folder: RunFolder(folder + "/whole")
      ).run()
      let cancellation = Cancellation()
      let counter = StepCounter { if $0 == 13 { cancellation.cancel() } }
      let cut = try Trainer(
        runner: first, recipe: Self.recipe, data: Self.data, folder: RunFolder(folder + "/cut"),
        observer: counter, cancellation: cancellation
      ).run()
      #expect(!cut.isComplete)
      let result = try Trainer(
        runner: second, recipe: Self.recipe, data: Self.data, folder: RunFolder(folder + "/cut")
      ).run(resume: true)
      #expect(second.parameterBlock == whole.parameterBlock)
      #expect(result.test == expected.test)
      for file in ["best.safetensors", "last.safetensors"] {
        #expect(try bytes("\(folder)/cut/\(file)") == bytes("\(folder)/whole/\(file)"))
      }
    }
  }
}

@Suite("Training with a label for each pixel")
struct PixelTrainingTests {
  private static let network = Model("pixels", input: [1, 6, 5], loss: SoftmaxCrossEntropy()) {
    Conv2D(outputChannels: 8, kernelSize: 3, padding: 1)
    ReLU()
    Conv2D(outputChannels: 3, kernelSize: 1)
  }

  /// Noise whose pixels are dark, grey or bright.
  private static func noise(_ count: Int, seed: UInt64, label: Int32? = nil) -> ArrayExamples {
    var generator = SplitMix64(seed: seed)
    let images = (0..<count * 30).map { _ in Float(2 * generator.uniform() - 1) }
    let labels = images.map { label ?? ($0 < -0.3 ? 0 : $0 < 0.3 ? 1 : 2) }
    return ArrayExamples(images: images, shape: [1, 6, 5], labels: labels, labelShape: [6, 5])
  }

  private func runner() async throws -> SessionRunner {
    let compilation = try Self.network.compile(BuildOptions(batch: 8, target: .generic))
    let program = try await compilation.load()
    let runner = try SessionRunner(session: Session(program), graph: compilation.graph)
    try runner.setParameterBlock(Initialization(seed: 4).parameters(of: compilation.graph))
    return runner
  }

  @Test("learns; loss, accuracy and confusion count pixels")
  func learns() async throws {
    let runner = try await runner()
    let data = TrainingData(
      name: "noise", train: Self.noise(96, seed: 1), test: Self.noise(11, seed: 2))
    #expect(data.train.count == 96)
    let measured = try #require(try Evaluator(runner).evaluate(Self.noise(8, seed: 3)))
    let buffers = BatchBuffers(runner.layout, batch: 8)
    Self.noise(8, seed: 3).write(
      Array(0..<8)[...], inputs: buffers.inputs, targets: buffers.targets)
    let losses = try runner.step(
      inputs: buffers.readInputs, targets: buffers.readTargets, batch: 8,
      options: StepOptions(rate: 0), outputs: nil)
    #expect(abs(Double(losses[0]) - measured.losses[0]) < 1e-5)

    let recipe = Recipe(epochs: 6, batch: 8, rate: 0.3, warmUp: .steps(2), seed: 4, threads: 1)
    let result = try Trainer(runner: runner, recipe: recipe, data: data).run()
    let test = try #require(result.test)
    #expect((test.metrics.accuracy ?? 0) > 0.85)
    #expect(test.images == 11 && test.confusion?.classes == 3 && test.confusion?.total == 330)
  }

  @Test("a label that is no class, and labels of images, are refused")
  func refuses() async throws {
    let runner = try await runner()
    let wrong = #expect(throws: TrainingError.self) {
      try Evaluator(runner).evaluate(Self.noise(2, seed: 1, label: 3))
    }
    #expect(wrong?.description.contains("label 3 of example 0 in the test part") == true)
    let images = ArrayExamples(
      images: [Float](repeating: 0, count: 60), shape: [1, 6, 5], labels: [0, 1])
    let other = #expect(throws: TrainingError.self) { try Evaluator(runner).evaluate(images) }
    #expect(other?.description.contains("6x5 of int32") == true)
  }
}

/// Calls a closure with the number of steps made.
private final class StepCounter: TrainingObserver {
  private var steps = 0
  private let action: (Int) -> Void

  init(_ action: @escaping (Int) -> Void) { self.action = action }

  func began(_ phase: String) {}
  func advanced(to progress: TrainingProgress) {
    steps += 1
    action(steps)
  }
  func finished(_ row: LogRow, epochs: Int) {}
  func ended() {}
}
