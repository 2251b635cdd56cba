import Convc
import ConvcEmit
import ConvcPasses
import ConvcReference
import Foundation
import Testing

/// A layer on inputs of given extents, which has to keep the contract of all layers.
public struct LayerCase: Sendable, CustomTestStringConvertible {
  /// Name of its golden files and of its PyTorch fixture: a C identifier.
  public let name: String
  public let layer: any RegisteredLayer
  /// Extents with the batch first, `[N, C, H, W]`.
  public let inputs: [[Int]]
  /// The batch it is built for; nil: that of the inputs.
  public let maximumBatch: Int?
  /// Whether NaN in every input value gives NaN somewhere in the output.
  public let passesNaN: Bool
  /// Whether its inputs have to be positive.
  public let needsPositive: Bool

  public init(
    _ name: String, _ layer: any RegisteredLayer, inputs: [Int]..., maximumBatch: Int? = nil,
    passesNaN: Bool = true, needsPositive: Bool = false
  ) {
    self.name = name
    self.layer = layer
    self.inputs = inputs
    self.maximumBatch = maximumBatch
    self.passesNaN = passesNaN
    self.needsPositive = needsPositive
  }

  public var testDescription: String { name }

  /// The layer behind a learned offset of every input, whose gradient is that of the input summed over the images.
  func model() -> Model {
    model { graph, inputs in
      let values = inputs.enumerated().map { index, input in
        let x = input.apply(PositionBias(), name: "offset\(index)")
        return needsPositive ? x.madePositive() : x
      }
      let result = graph.apply(layer, to: values)
      graph.output("y", result)
      graph.loss(MeanSquaredError(), on: "y", target: "target")
    }
  }

  /// A network on the case's inputs; an unbatched one where the layer needs that.
  fileprivate func model(_ build: (ModelBuilder, [Value]) -> Void) -> Model {
    let builder = ModelBuilder(name: name, isUnbatched: isUnbatched)
    let values = inputs.enumerated().map { index, shape in
      builder.input("x\(index)", Array(shape.dropFirst(isUnbatched ? 0 : 1)))
    }
    build(builder, values)
    return builder.model
  }

  private var isUnbatched: Bool { layer.traits.contains(.wholeShape) }

  /// The batch of a run, and the largest one.
  fileprivate var runs: (batch: Int, maximum: Int) {
    let batch = isUnbatched ? 1 : inputs[0][0]
    return (batch, maximumBatch ?? batch)
  }
}

extension Value {
  /// Numbers between 1/e and e, for layers that need positive ones of usual size.
  func madePositive() -> Value { tanh().elementary(.exp) }
}

/// Checks what has to hold for every layer:
///
/// 1. Its settings read back as the same settings.
/// 2. Its C is the committed `Generated/Layers/NAME.TARGET.c`.
/// 3. The reference's gradients are the central differences of its values.
/// 4. Compiled in every way (unfused, fused, each layout, narrow vectors), outputs are within 1e-5 of the reference and
///    gradients within 1e-4, with the same bits at 1, 2 and 5 threads and without OpenMP.
/// 5. NaN in gives NaN out.
/// 6. Where `Tests/Fixtures/layers/NAME.safetensors` exists, values and gradients are those of PyTorch.
public func expectContract(_ layerCase: LayerCase) async throws {
  expectSettings(layerCase.layer)
  try expectGoldens(layerCase)
  let model = layerCase.model()
  let runs = layerCase.runs
  let network = try RandomNetwork(
    model, batch: runs.batch, maximumBatch: runs.maximum, seed: 7)
  expectDifferences(network)
  try await expectCompiled(layerCase, network)
  try expectFixture(layerCase)
}

/// The kernels of a case's layer alone, as the compiler writes them.
private func kernels(_ layerCase: LayerCase, _ target: Target) throws -> String {
  let compilation = try layerCase.model().compile(
    BuildOptions(batch: layerCase.runs.maximum, target: target))
  guard let node = compilation.graph.nodes.last else { return "" }
  return EmitC().kernels(of: [node.name], in: compilation.stages.module)
}

private func expectGoldens(_ layerCase: LayerCase) throws {
  for target in [Target.generic, .x86v4] {
    let text = try kernels(layerCase, target)
    try expectRecorded(text, at: "Generated/Layers/\(layerCase.name).\(target.name).c")
    #expect(text.split(separator: "\n").filter { $0.count > 120 } == [])
  }
}

private func expectDifferences(_ network: RandomNetwork) {
  let report = GradientCheck(samples: 256).run(
    network.reference, parameters: network.parameters, network.sample,
    gradients: network.expected.gradients.map(Float.init), options: network.options)
  #expect(report.agrees(within: 1e-4), "\(report)")
}

/// A way to compile a case that gives other C than the ways before it.
private struct Build {
  let variant: CompileVariant
  let prefix: String
  let sources: [CSource]
}

/// The ways to compile a case, each text once: many layers have the same C in several. A layer alone has nothing to fuse.
private func builds(_ layerCase: LayerCase, _ network: RandomNetwork) throws -> [Build] {
  // A name that stands for the prefix, so that equal texts are found before they get one of their own.
  let placeholder = "layer_case_prefix"
  var known: Set<[String]> = []
  return try CompileVariant.all.filter { $0.name != "unfused" }.compactMap { variant in
    let sources = try network.model.compile(
      variant.options(
        batch: network.graph.batch, trains: true, name: placeholder,
        place: layerCase.name.utf8.count)
    ).sources()
    guard known.insert(sources.map(\.text)).inserted else { return nil }
    let prefix = "\(layerCase.name)_\(variant.name)"
    return Build(
      variant: variant, prefix: prefix,
      sources: sources.map { source in
        CSource(
          name: source.name.replacing(placeholder, with: prefix),
          text: source.text.replacing(placeholder, with: prefix)
            .replacing(placeholder.uppercased(), with: prefix.uppercased()))
      })
  }
}

private func expectCompiled(_ layerCase: LayerCase, _ network: RandomNetwork) async throws {
  let builds = try builds(layerCase, network)
  let toolchain = try await Toolchain.find()
  // Correctness does not depend on the level; small functions compile three times faster so.
  var options = LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"])
  let library = try await toolchain.load(sources: builds.flatMap(\.sources), options: options)
  for build in builds {
    let program = try Program(library: library, prefix: build.prefix)
    for problem in try differences(of: program, from: network) {
      Issue.record("\(build.variant.name): \(problem)\n\(network)")
    }
    if layerCase.passesNaN { try expectNaN(program, network, build.variant.name) }
  }
  // The first and the last: plain loops, and vectors.
  let two = [builds[0]] + builds.suffix(builds.count > 1 ? 1 : 0)
  options.openMP = false
  let serial = try await toolchain.load(sources: two.flatMap(\.sources), options: options)
  for build in two {
    let bits = try [library, serial].map { library in
      try gradientBits(Program(library: library, prefix: build.prefix), network)
    }
    #expect(bits[0] == bits[1], "\(build.variant.name): other bits without OpenMP")
  }
}

private func expectNaN(
  _ program: Program, _ network: RandomNetwork, _ variant: String
) throws {
  let session = try Session(program)
  try session.setParameterBlock(network.parameters)
  let inputs = network.sample.inputs.map { values in
    Program.Values.float32(values.map { _ in .nan })
  }
  let outputs = try session.forward(inputs: inputs, batch: network.sample.batch)
  let hasNaN = outputs[0].floats.contains { $0.isNaN }
  #expect(hasNaN, "\(variant): NaN is lost")
}

private func gradientBits(_ program: Program, _ network: RandomNetwork) throws -> [UInt32] {
  let session = try Session(program)
  try session.setParameterBlock(network.parameters)
  _ = try session.gradients(
    inputs: network.sample.inputs.map { .float32($0) },
    targets: network.sample.targets.map(\.programValues), batch: network.sample.batch,
    options: StepOptions(threads: 2, seed: network.options.seed, step: network.options.step))
  return session.withGradients { $0.map(\.bitPattern) }
}

// MARK: PyTorch

/// Compares the reference with what PyTorch gave: `x0`, `x1`, ..., `p.NAME` for parameters, `y`, `d_y`, and the gradients
/// `d_x0`, ..., `d_p.NAME`.
private func expectFixture(_ layerCase: LayerCase) throws {
  let path = TestFiles.fixtures + "layers/\(layerCase.name).safetensors"
  guard FileManager.default.fileExists(atPath: path) else { return }
  let file = try TensorFile(path: path)
  let model = layerCase.model { graph, inputs in
    graph.output("y", graph.apply(layerCase.layer, to: inputs, name: "it"))
  }
  let graph = try InferShapes(batch: layerCase.runs.batch, memoryLimit: 1 << 28).run(model)
  let node = graph.nodes[0]
  let names = node.parameters.map { graph.parameters[$0].spec.name }
  func tensor(_ name: String) throws -> DoubleTensor {
    let tensor = try file[name]
    return DoubleTensor(shape: tensor.shape, tensor.values)
  }
  let call = LayerCall(
    node: node, inputs: try layerCase.inputs.indices.map { try tensor("x\($0)") },
    parameters: try names.map { try tensor("p.\($0)") },
    outputShape: graph[node.output].type.shape, options: PassOptions())
  let result = layerCase.layer.forward(call)
  let gradients = layerCase.layer.backward(call, outputGradient: try tensor("d_y"))
  func expect(_ name: String, _ values: DoubleTensor, _ tolerance: Double) throws {
    let comparison = Comparison(values.values, try file[name].values, atLeast: 1e-3)
    #expect(comparison.isWithin(tolerance), "\(name) and PyTorch: \(comparison)")
  }
  try expect("y", result.output, 1e-6)
  for (index, gradient) in gradients.inputs.enumerated()
  where file.tensors["d_x\(index)"] != nil {
    try expect("d_x\(index)", gradient, 1e-5)
  }
  for (name, gradient) in zip(names, gradients.parameters) {
    try expect("d_p.\(name)", gradient, 1e-5)
  }
}
