import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcReference

/// A small network that a seed decides, with parameters and a batch to run it on.
///
/// Branches, joins, one or two inputs, one to three outputs, up to three losses, some layers frozen; every layer with odd
/// and with usual settings; any batch from 1 to 20. One pass takes about a million multiply-adds at most.
public struct RandomNetwork: Sendable, CustomStringConvertible {
  public let seed: UInt64
  public let model: Model
  /// Built for the largest batch, which may be larger than the sample's.
  public let graph: Graph
  public let reference: ReferenceNetwork
  /// The parameter block.
  public let parameters: [Float]
  /// Inputs and targets; values far enough from the kinks of ReLU and maximum that rounding meets none, if such were found.
  public let sample: ReferenceSample
  /// Seed and number of the step.
  public let options: PassOptions
  /// What a training pass gives, by the reference.
  public let expected: ReferenceResult
  /// The outputs of inference, by the reference.
  public let inferred: [[Double]]

  /// A margin above what single precision blurs.
  private static let margin = 4e-6

  /// - Throws: ``CompileError`` or ``ReferenceError`` if the generator made an invalid network.
  public init(seed: UInt64) throws {
    var growth = NetworkGrowth(seed: seed)
    growth.grow()
    try self.init(
      seed: seed, model: growth.builder.model, batch: growth.runs.batch,
      maximumBatch: growth.runs.maximum, random: growth.random)
  }

  /// A given network, with random parameters and a random batch to run it on.
  ///
  /// - Throws: ``CompileError`` or ``ReferenceError`` if the network is invalid.
  public init(_ model: Model, batch: Int, maximumBatch: Int? = nil, seed: UInt64 = 1) throws {
    try self.init(
      seed: seed, model: model, batch: batch, maximumBatch: maximumBatch ?? batch,
      random: RandomValues(seed: seed))
  }

  private init(
    seed: UInt64, model: Model, batch: Int, maximumBatch: Int, random: RandomValues
  ) throws {
    var random = random
    let graph = try InferShapes(batch: maximumBatch, memoryLimit: 1 << 30).run(model)
    let reference = try ReferenceNetwork(graph)
    let options = PassOptions(seed: random.next(), step: random.next() >> 30)
    var best: (parameters: [Float], sample: ReferenceSample, expected: ReferenceResult)?
    for _ in 0..<12 where (best?.expected.margin ?? 0) < Self.margin {
      let parameters = random.parameters(of: graph)
      let sample = random.sample(forPlanted: graph, batch: batch)
      let expected = reference.train(
        parameters: parameters.map(Double.init), sample, seed: options.seed, step: options.step)
      if expected.margin > best?.expected.margin ?? -1 { best = (parameters, sample, expected) }
    }
    guard let best else { preconditionFailure("internal error: no values for seed \(seed)") }
    self.seed = seed
    self.model = model
    self.graph = graph
    self.reference = reference
    self.options = options
    parameters = best.parameters
    sample = best.sample
    expected = best.expected
    inferred = reference.infer(parameters: best.parameters.map(Double.init), best.sample)
  }

  /// How far rounding errors may be expected to move outputs of inference and gradients.
  public var rounding: (outputs: [[Double]], gradients: [Double]) {
    reference.rounding(parameters: parameters.map(Double.init), sample, options: options)
  }

  /// The network's layers, a line each: what a failing test shows.
  public var description: String {
    let inputs = graph.inputs.map { "\(graph[$0].name): \(graph[$0].type)" }
    let nodes = graph.nodes.map { node in
      let reads = node.inputs.map { graph[$0].name }.joined(separator: ", ")
      return "\(node.name) = \(node.layer.summary)(\(reads)): \(graph[node.output].type)"
        + (node.isFrozen ? ", frozen" : "")
    }
    let losses = graph.losses.map { loss in
      "\(loss.name) = \(type(of: loss.loss).kind)(\(graph[loss.prediction].name)), weight \(loss.weight)"
    }
    let head = "random network \(seed), batch \(sample.batch) of \(graph.batch)"
    return ([head] + inputs + nodes + losses).joined(separator: "\n  ")
  }
}
