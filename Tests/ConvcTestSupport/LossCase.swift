import Convc
import ConvcEmit
import ConvcReference
import Foundation
import Testing

/// A loss on a prediction of given extents, which has to keep the contract of all losses.
public struct LossCase: Sendable, CustomTestStringConvertible {
  /// Name of its golden files and of its PyTorch fixture: a C identifier.
  public let name: String
  public let loss: any RegisteredLoss
  /// Extents with the batch first, `[N, K, H, W]`.
  public let prediction: [Int]
  /// The batch it is built for; nil: that of the prediction.
  public let maximumBatch: Int?
  /// The layer that makes the prediction out of numbers of any size; nil: none.
  public let after: (any RegisteredLayer)?

  public init(
    _ name: String, _ loss: any RegisteredLoss, prediction: [Int], maximumBatch: Int? = nil,
    after: (any RegisteredLayer)? = nil
  ) {
    self.name = name
    self.loss = loss
    self.prediction = prediction
    self.maximumBatch = maximumBatch
    self.after = after
  }

  public var testDescription: String { name }

  /// The loss on a learned offset of the input, whose gradient is that of the prediction summed over the images.
  func model() -> Model {
    Model(name) { graph in
      var value = graph.input("x", Array(prediction.dropFirst()))
        .apply(PositionBias(), name: "offset")
      if let after { value = value.apply(DeclaredOutput(after, for: loss), name: "prediction") }
      graph.output("y", value)
      graph.loss(loss, on: "y", target: "target", weight: 0.75, name: "loss")
    }
  }
}

/// A layer that says of its output what a loss wants to hear: formulas are tested on numbers that need not be normalised.
struct DeclaredOutput: ReferenceLayer {
  static let kind = "declared"
  let layer: any ReferenceLayer
  let outputKind: OutputKind

  init(_ layer: any ReferenceLayer, for loss: any Loss) {
    self.layer = layer
    let kinds = loss.expectedOutput.kinds
    outputKind = kinds.contains(.any) ? .any : kinds.min { $0.rawValue < $1.rawValue } ?? .any
  }

  var summary: String { layer.summary }
  func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try layer.output(for: inputs)
  }
  func parameters(for inputs: [TensorType]) -> [ParameterSpec] { layer.parameters(for: inputs) }
  func candidates(for group: GroupContext) -> [Candidate] { layer.candidates(for: group) }
  func role(in mode: Mode, frozen: Bool) -> FusionRole { layer.role(in: mode, frozen: frozen) }
  func forward(_ call: LayerCall) -> LayerResult { layer.forward(call) }
  func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    layer.backward(call, outputGradient: outputGradient)
  }
}

/// Checks what has to hold for every loss, on cases that share a library:
///
/// 1. Its settings read back as the same settings.
/// 2. Its C is the committed `Generated/Losses/NAME.TARGET.c`: plain, and with images in lanes.
/// 3. The reference's gradients are the central differences of its values, and evaluation in plain Swift gives the same.
/// 4. Compiled in every way (unfused, fused, each layout, narrow vectors), values are within 1e-5 of the reference and
///    gradients within 1e-4, with the same bits at 1, 2 and 5 threads, of the first case also without OpenMP.
/// 5. NaN in gives NaN out.
/// 6. Where `Tests/Fixtures/losses.safetensors` has the name, values and gradients are those of PyTorch.
public func expectContract(_ cases: [LossCase]) async throws {
  var networks: [(lossCase: LossCase, network: RandomNetwork)] = []
  for lossCase in cases {
    expectSettings(lossCase.loss)
    let names = type(of: lossCase.loss).settings.map(\.name)
    #expect(Set(lossCase.loss.settingValues.keys) == Set(names))
    try expectGoldens(lossCase)
    try expectFixture(lossCase)
    let batch = lossCase.prediction[0]
    let network = try RandomNetwork(
      lossCase.model(), batch: batch, maximumBatch: lossCase.maximumBatch ?? batch, seed: 11)
    expectDifferences(lossCase, network)
    networks.append((lossCase, network))
  }
  try await expectCompiled(networks)
}

private func expectGoldens(_ lossCase: LossCase) throws {
  for target in [Target.generic, .x86v4] {
    let compilation = try lossCase.model().compile(
      BuildOptions(
        batch: lossCase.maximumBatch ?? lossCase.prediction[0], target: target,
        families: target.hasVectors ? ["lanes"] : nil))
    let text = EmitC().kernels(of: ["loss"], in: compilation.stages.module)
    try expectRecorded(text, at: "Generated/Losses/\(lossCase.name).\(target.name).c")
    #expect(text.split(separator: "\n").filter { $0.count > 120 } == [])
  }
}

private func expectDifferences(_ lossCase: LossCase, _ network: RandomNetwork) {
  let report = GradientCheck(samples: network.graph.trainableCount > 1000 ? 6 : 256).run(
    network.reference, parameters: network.parameters, network.sample,
    gradients: network.expected.gradients.map(Float.init), options: network.options)
  #expect(report.agrees(within: 1e-4), "\(lossCase.name): \(report)")
  let outputs = network.expected.outputs[0].map(Float.init)
  let sum = outputs.withUnsafeBufferPointer { predictions -> Double in
    withAddresses(network.sample.targets) { targets in
      guard let start = predictions.baseAddress else { return .nan }
      return lossCase.loss.sum(
        over: JudgedBatch(
          images: network.sample.batch, extents: Array(lossCase.prediction.dropFirst()),
          predictions: start, targets: targets[0], others: Array(targets.dropFirst())))
    }
  }
  let mean = Comparison(
    [sum / Double(network.sample.batch)], network.expected.losses, atLeast: 1e-3)
  #expect(mean.isWithin(1e-5), "\(lossCase.name), evaluated: \(mean)")
}

/// Gives the addresses of targets to `body`.
private func withAddresses(
  _ targets: [ReferenceSample.Target], _ body: ([UnsafeRawPointer]) -> Double
) -> Double {
  func collect(
    _ rest: ArraySlice<ReferenceSample.Target>, _ addresses: [UnsafeRawPointer]
  ) -> Double {
    guard let first = rest.first else { return body(addresses) }
    func next(_ bytes: UnsafeRawBufferPointer) -> Double {
      guard let start = bytes.baseAddress else { return .nan }
      return collect(rest.dropFirst(), addresses + [start])
    }
    switch first {
    case .labels(let labels): return labels.withUnsafeBytes(next)
    case .values(let values): return values.withUnsafeBytes(next)
    }
  }
  return collect(targets[...], [])
}

private func expectCompiled(
  _ networks: [(lossCase: LossCase, network: RandomNetwork)]
) async throws {
  var sources: [CSource] = []
  for (place, (lossCase, network)) in networks.enumerated() {
    for variant in CompileVariant.all {
      let options = variant.options(
        batch: network.graph.batch, trains: true, name: "\(lossCase.name)_\(variant.name)",
        place: place)
      sources += try network.model.compile(options).sources()
    }
  }
  let perCase = sources.count / networks.count
  let toolchain = try await Toolchain.find()
  func load(_ sources: [CSource], openMP: Bool) async throws -> LoadedLibrary {
    // Correctness does not depend on the level; small functions compile three times faster so.
    try await toolchain.load(
      sources: sources,
      options: LibraryOptions(architecture: .native, openMP: openMP, extraFlags: ["-O1"]))
  }
  let library = try await load(sources, openMP: true)
  let serial = try await load(Array(sources.prefix(perCase)), openMP: false)
  for (place, (lossCase, network)) in networks.enumerated() {
    for variant in CompileVariant.all {
      let prefix = "\(lossCase.name)_\(variant.name)"
      let program = try Program(library: library, prefix: prefix)
      for problem in try differences(of: program, from: network) {
        Issue.record("\(prefix): \(problem)\n\(network)")
      }
      let losses = try step(
        program, network,
        inputs: network.sample.inputs.map {
          $0.map { _ in .nan }
        }
      ).losses
      #expect(losses[0].isNaN, "\(prefix): NaN is lost")
      guard place == 0 else { continue }
      let bits = try step(program, network, inputs: network.sample.inputs)
      let serialBits = try step(
        Program(library: serial, prefix: prefix), network, inputs: network.sample.inputs)
      #expect(bits.gradients == serialBits.gradients, "\(prefix): other bits without OpenMP")
    }
  }
}

private func step(
  _ program: Program, _ network: RandomNetwork, inputs: [[Float]]
) throws -> (losses: [Float], gradients: [UInt32]) {
  let session = try Session(program)
  try session.setParameterBlock(network.parameters)
  let losses = try session.gradients(
    inputs: inputs.map { .float32($0) }, targets: network.sample.targets.map(\.programValues),
    batch: network.sample.batch, options: StepOptions(threads: 2))
  return (losses, session.withGradients { $0.map(\.bitPattern) })
}

// MARK: PyTorch

/// Compares the reference with what PyTorch gave: `NAME.x`, `NAME.t`, `NAME.w` for weights, `NAME.value`, `NAME.gradient`.
private func expectFixture(_ lossCase: LossCase) throws {
  let file = try TensorFile(path: TestFiles.fixtures + "losses.safetensors")
  guard let x = file.tensors["\(lossCase.name).x"] else { return }
  let loss = lossCase.loss
  #expect(x.shape == lossCase.prediction)
  let wanted = try loss.targets(for: TensorType(shape: x.shape))
  let targets = try zip(["t", "w"], wanted).map { name, target -> ReferenceSample.Target in
    let values = try file["\(lossCase.name).\(name)"].values
    return target.labels == nil ? .values(values) : .labels(values.map { Int32($0) })
  }
  let result = loss.evaluate(DoubleTensor(shape: x.shape, x.values), targets)
  let value = Comparison([result.value], try file["\(lossCase.name).value"].values)
  #expect(value.isWithin(1e-5), "\(lossCase.name) and PyTorch: \(value)")
  let gradient = Comparison(
    result.gradient.values, try file["\(lossCase.name).gradient"].values)
  #expect(gradient.isWithin(1e-4), "gradient of \(lossCase.name) and PyTorch: \(gradient)")
}
