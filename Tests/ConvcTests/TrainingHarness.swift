import Convc
import ConvcTestSupport
import Testing

/// Targets whose code this machine can run: C with vectors no wider than its own, whatever processor it is tuned for.
let runnableTargets = Target.all.filter { target in
  target.lanes <= Target.native.lanes
}

/// A network compiled and opened, with everything a step needs.
struct Training {
  let program: Program
  let session: Session
  let graph: Graph

  init(
    _ model: Model, _ options: BuildOptions, openMP: Bool = true, seed: UInt64 = 1
  ) async throws {
    let compilation = try model.compile(options)
    var library = compilation.libraryOptions
    library.openMP = openMP
    program = try await compilation.load(options: library)
    graph = compilation.graph
    session = try Session(program)
    try session.setParameterBlock(Initialization(seed: seed).parameters(of: graph))
  }

  /// Input values and targets that depend on the seed alone.
  func batch(_ count: Int, seed: UInt64) -> (inputs: [Program.Values], targets: [Program.Values]) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    let inputs = program.inputs.map { tensor in
      Program.Values.float32(
        (0..<count * tensor.elementsPerImage).map { _ in Float(next() % 2001) / 1000 - 1 })
    }
    let targets = zip(program.targets, graph.targets).map { tensor, target in
      if let classes = target.classes {
        return Program.Values.int32(
          (0..<count * tensor.elementsPerImage).map { _ in Int32(next() % UInt64(classes)) })
      }
      return .float32(
        (0..<count * tensor.elementsPerImage).map { _ in Float(next() % 2001) / 1000 - 1 })
    }
    return (inputs, targets)
  }

  /// Parameters after steps with a rate of 0.05 and momentum 0.9.
  func parameters(afterSteps steps: Int, batch count: Int, threads: Int) throws -> [Float] {
    for step in 0..<steps {
      let (inputs, targets) = batch(count, seed: UInt64(step + 1))
      _ = try session.step(
        inputs: inputs, targets: targets, batch: count,
        options: StepOptions(
          rate: 0.05, momentum: 0.9, weightDecay: 1e-3, threads: threads, seed: 7,
          step: UInt64(step)))
    }
    return session.parameterBlock
  }
}

/// Two inputs, two outputs, two losses, a frozen layer, dropout and batch norm.
let twoOfEach = Model("two") { graph in
  let image = graph.input("image", [3, 8, 8])
  let extra = graph.input("extra", [5])
  let stem = image.conv2d(4, kernelSize: 3, padding: 1, name: "stem", frozen: true).relu()
  let maps = stem.conv2d(6, kernelSize: 3).batchNorm().relu().maxPool(2)
  let more = stem.conv2d(6, kernelSize: 3, stride: 2).relu()
  let joined = maps.concat(more).conv2d(8, kernelSize: 1).relu()
  let features = joined.flatten().dropout(0.25).concat(extra)
  graph.output("class", features.dense(3, name: "classes"))
  graph.output("value", features.dense(2, name: "values"))
  graph.loss(SoftmaxCrossEntropy(), on: "class", target: "label", weight: 0.7)
  graph.loss(MeanSquaredError(), on: "value", target: "expected", weight: 1.5)
}
