import Convc
import ConvcEmit
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

/// L1 and L2 penalties in compiled C: value, gradient, what they cover, and how they show.
@Suite("Regularization")
struct RegularizationTests {
  /// A network with a penalty of its own on most layers, and one on all others.
  ///
  /// The dense layers have more weights than one part of the kernel's loop takes.
  private static let mixed = Model("mixed") { graph in
    let image = graph.input("image", [3, 9, 9])
    let stem = image.apply(
      Conv2D(outputChannels: 5, kernelSize: 3), name: "stem", frozen: true,
      regularizer: Regularizer(l1: 1, l2: 1))
    let maps = stem.apply(
      Conv2D(outputChannels: 17, kernelSize: 3), name: "both",
      regularizer: Regularizer(l1: 0.01, l2: 0.02, includesBiases: true))
    let normal = maps.apply(BatchNorm2D(), name: "bn").relu()
    let free = normal.apply(
      Conv2D(outputChannels: 17, kernelSize: 1), name: "free", regularizer: Regularizer.none)
    let flat = free.relu().flatten()
    let wide = flat.apply(Dense(outputs: 40), name: "wide").relu()
    let last = wide.apply(Dense(outputs: 4), name: "last", regularizer: Regularizer(l1: 0.05))
    graph.output("class", last)
    graph.output("unjudged", flat.apply(Dense(outputs: 2), name: "unjudged"))
    graph.loss(SoftmaxCrossEntropy(), on: "class", target: "label", weight: 0.5)
    graph.regularize(Regularizer(l2: 0.003))
  }

  /// Features to three classes through one hidden layer.
  private static func dense(_ regularizer: Regularizer?) -> Model {
    Model("dense", input: [6], loss: SoftmaxCrossEntropy(), regularizer: regularizer) {
      Dense(outputs: 7)
      ReLU()
      Dense(outputs: 3)
    }
  }

  private static func options(_ target: Target = .generic) -> BuildOptions {
    BuildOptions(batch: 8, target: target)
  }

  @Test("weights alone are penalised: no bias, no normalisation, nothing frozen or unjudged")
  func covered() throws {
    let graph = try Self.mixed.compile(Self.options()).graph
    #expect(
      graph.penalized.map(\.name) == ["both.weight", "both.bias", "wide.weight", "last.weight"])
    #expect(
      graph.penalized.map(\.regularizer) == [
        Regularizer(l1: 0.01, l2: 0.02, includesBiases: true),
        Regularizer(l1: 0.01, l2: 0.02, includesBiases: true), Regularizer(l2: 0.003),
        Regularizer(l1: 0.05),
      ])
  }

  @Test("with biases, those and scale and shift of normalisation are penalised as well")
  func biases() throws {
    let model = Model(
      "all", input: [2, 4, 4], loss: SoftmaxCrossEntropy(),
      regularizer: Regularizer(l2: 0.1, includesBiases: true)
    ) {
      Conv2D(outputChannels: 3, kernelSize: 1)
      BatchNorm2D()
      Flatten()
      Dense(outputs: 3).regularized(l2: 0.2)
    }
    #expect(
      try model.compile(Self.options()).graph.penalized.map(\.name) == [
        "conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "dense1.weight",
      ])
  }

  @Test(
    "value and gradients are the reference's, the same bits at any number of threads",
    arguments: runnableTargets)
  func reference(target: Target) async throws {
    let network = try RandomNetwork(Self.mixed, batch: 5, maximumBatch: 8)
    let program = try await network.model.compile(Self.options(target)).load()
    #expect(program.isRegularized)
    #expect(program.losses.map(\.name) == ["loss_class"])
    #expect(network.expected.losses.count == 2)
    #expect(network.expected.losses[1] > 0.1)
    #expect(try differences(of: program, from: network) == [])
  }

  @Test("central differences of loss and penalty together agree with the compiled gradients")
  func finiteDifferences() async throws {
    let network = try RandomNetwork(Self.dense(Regularizer(l1: 0.02, l2: 0.1)), batch: 8)
    let session = try Session(try await network.model.compile(Self.options()).load())
    var parameters = network.parameters
    parameters[2] = 0  // at 0 the slope of |w| is 0
    try session.setParameterBlock(parameters)
    guard case .labels(let labels) = network.sample.targets[0] else { return }
    _ = try session.gradients(
      inputs: [.float32(network.sample.inputs[0])], targets: [.int32(labels)], batch: 8)
    let report = GradientCheck(samples: 1000).run(
      network.reference, parameters: parameters, network.sample,
      gradients: session.withGradients { Array($0) })
    #expect(report.agrees(), "\(report)")
    #expect(report.tensors.allSatisfy { $0.skipped == 0 })
  }

  @Test("without a factor above 0 the C is that of a network without a penalty")
  func none() throws {
    func text(_ regularizer: Regularizer?) throws -> String {
      let module = try Self.dense(regularizer).compile(Self.options()).stages.module
      return EmitC(EmitOptions(fileName: "dense")).run(module).all.map(\.text).joined()
    }
    let plain = try text(nil)
    #expect(try text(Regularizer(l1: 0, l2: 0, includesBiases: true)) == plain)
    #expect(!plain.contains("regularization") && !plain.contains("penalize"))
    #expect(try text(Regularizer(l2: 0.1)).contains(#"{"regularization", 1.0f, -1, -1},"#))
  }

  @Test("its kernels are the committed ones", arguments: [Target.generic, .x86v4])
  func golden(target: Target) throws {
    let text = EmitC().kernels(
      of: [Regularization.name], in: try Self.mixed.compile(Self.options(target)).stages.module)
    try expectRecorded(text, at: "Generated/Layers/regularization.\(target.name).c")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
  }

  /// Data loss and penalty of one network at the same parameters and data.
  private func losses(_ regularizer: Regularizer?) async throws -> (data: Float, penalty: Float) {
    let training = try await Training(Self.dense(regularizer), Self.options())
    let (inputs, targets) = training.batch(8, seed: 3)
    let losses = try training.session.gradients(inputs: inputs, targets: targets, batch: 8)
    return (training.program.total(losses), training.program.regularization(losses))
  }

  @Test("a factor of 0 leaves the data loss alone, a larger factor makes the total larger")
  func sanity() async throws {
    let plain = try await losses(nil)
    #expect(plain.penalty == 0)
    var total = plain.data
    for factor: Float in [1e-4, 1e-3, 1e-2, 1e-1] {
      for regularizer in [Regularizer(l2: factor), Regularizer(l1: factor, l2: factor)] {
        let penalized = try await losses(regularizer)
        #expect(penalized.data == plain.data)
        #expect(penalized.data + penalized.penalty > total)
        total = penalized.data + penalized.penalty
      }
    }
  }

  @Test("a step with l2 is a step with a weight decay of twice that")
  func weightDecay() async throws {
    func parameters(_ regularizer: Regularizer?, decay: Float) async throws -> [Float] {
      let training = try await Training(Self.dense(regularizer), Self.options())
      for step in 0..<5 {
        let (inputs, targets) = training.batch(8, seed: UInt64(step))
        _ = try training.session.step(
          inputs: inputs, targets: targets, batch: 8,
          options: StepOptions(rate: 0.1, momentum: 0.9, weightDecay: decay))
      }
      return training.session.parameterBlock
    }
    let decayed = try await parameters(nil, decay: 0.02)
    let penalized = try await parameters(Regularizer(l2: 0.01), decay: 0)
    #expect(Comparison(penalized, decayed).isWithin(1e-6))
    #expect(try await parameters(nil, decay: 0) != decayed)
  }

  @Test("accumulating over two calls gives twice the gradient of loss and penalty")
  func accumulation() async throws {
    let training = try await Training(
      Self.dense(Regularizer(l1: 0.01, l2: 0.1)), Self.options())
    let (inputs, targets) = training.batch(8, seed: 3)
    func gradients(_ accumulates: Bool) throws -> [Float] {
      _ = try training.session.gradients(
        inputs: inputs, targets: targets, batch: 8, options: StepOptions(accumulate: accumulates))
      return training.session.withGradients { Array($0) }
    }
    let once = try gradients(false)
    #expect(Comparison(try gradients(true), once.map { 2 * $0 }).isWithin(1e-6))
  }

  @Test("Swift computes the value that the step reports")
  func value() async throws {
    let training = try await Training(Self.mixed, Self.options(), seed: 4)
    let (inputs, targets) = training.batch(8, seed: 3)
    let losses = try training.session.gradients(inputs: inputs, targets: targets, batch: 8)
    let expected = training.session.parameterBlock.withUnsafeBufferPointer {
      Regularization(training.graph.parameters).value($0)
    }
    #expect(abs(Double(training.program.regularization(losses)) / expected - 1) < 1e-6)
  }

  @Test(
    "factors below 0 or not finite are refused",
    arguments: [
      (Regularizer(l1: -1), "l1 -1.0"), (Regularizer(l2: .infinity), "l2 inf"),
      (Regularizer(l1: .nan), "l1 nan"),
    ])
  func errors(regularizer: Regularizer, text: String) {
    let message =
      "\(text) of its regularizer is out of range; a finite factor of at least 0 is expected"
    let whole = #expect(throws: CompileError.self) {
      try Self.dense(regularizer).compile(Self.options())
    }
    #expect(whole?.description == "dense: \(message)")
    let layer = Model("net", input: [6], loss: SoftmaxCrossEntropy()) {
      Dense(outputs: 3).regularized(l1: regularizer.l1, l2: regularizer.l2).named("fc")
    }
    let one = #expect(throws: CompileError.self) { try layer.compile(Self.options()) }
    #expect(one?.diagnostics.first?.layer == "fc")
    #expect(one?.diagnostics.first?.message == message)
  }

  @Test("listings name the penalties")
  func listings() throws {
    let compilation = try Self.mixed.compile(Self.options())
    #expect("\(compilation.stages.model)".contains("(l1 0.01, l2 0.02, biases included)"))
    #expect("\(compilation.stages.model)".contains("(no penalty)"))
    #expect("\(compilation.stages.model)".contains("regularizer  l2 0.003"))
    #expect("\(compilation.graph)".contains("l1 0.05"))
  }
}
