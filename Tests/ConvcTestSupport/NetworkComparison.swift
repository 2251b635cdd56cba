import Convc
import ConvcReference

/// What of a compiled network differs from the reference: outputs within 1e-5, gradients within 1e-4 of the largest, also
/// where they are added to others; the same bits at 1, 2 and 5 threads.
public func differences(of program: Program, from network: RandomNetwork) throws -> [String] {
  let session = try Session(program)
  let sample = network.sample
  try fill(session, of: network)
  try session.setParameterBlock(network.parameters)
  let inputs = sample.inputs.map { Program.Values.float32($0) }
  let outputs = try session.forward(inputs: inputs, batch: sample.batch, threads: 1)
  var problems = zip(outputs, network.inferred).enumerated().compactMap { index, pair in
    // An output that is small because sums cancel is measured by what was summed.
    difference("inferred output \(index)", pair.0.floats, pair.1, 1e-5, floor: 0.05) {
      network.rounding.outputs[index]
    }
  }
  for threads in [2, 5] {
    let again = try session.forward(inputs: inputs, batch: sample.batch, threads: threads)
    if !zip(outputs, again).allSatisfy({ same($0.floats, $1.floats) }) {
      problems.append("other bits of inference at \(threads) threads")
    }
  }
  guard program.canTrain else { return problems }
  func train(threads: Int, accumulate: Bool = false) throws -> [Float] {
    try session.gradients(
      inputs: inputs, targets: sample.targets.map(\.programValues), batch: sample.batch,
      options: StepOptions(
        accumulate: accumulate, threads: threads, seed: network.options.seed,
        step: network.options.step))
  }
  let losses = try train(threads: 1)
  let bits = session.withGradients { Array($0) }
  let expected = network.expected
  let untrained = Array(session.parameterBlock[network.graph.trainableCount...])
  problems += [
    difference("losses", losses, expected.losses, 1e-5) { [] },
    difference("statistics", untrained, expected.untrained, 1e-5) { [] },
  ].compactMap(\.self)
  problems += differences(ofGradients: bits, from: network)
  _ = try train(threads: 1, accumulate: true)
  let halves = session.withGradients { $0.map { $0 / 2 } }
  problems += differences(ofGradients: halves, from: network).map { "added to itself, \($0)" }
  for threads in [2, 5] {
    try session.setParameterBlock(network.parameters)
    _ = try train(threads: threads)
    if !same(bits, session.withGradients { Array($0) }) {
      problems.append("other bits at \(threads) threads")
    }
  }
  return problems
}

/// Leaves values in the arena that no kernel may take for its own: a run on what is not a number.
private func fill(_ session: Session, of network: RandomNetwork) throws {
  let (graph, program) = (network.graph, session.program)
  func block(_ tensor: TensorType) -> Program.Values {
    .float32(Array(repeating: .nan, count: tensor.count))
  }
  try session.setParameterBlock(network.parameters.map { _ in .nan })
  let inputs = graph.inputs.map { block(graph[$0].type) }
  _ = try session.forward(inputs: inputs, batch: graph.batch)
  guard program.canTrain else { return }
  let targets = graph.targets.map { target in
    target.labels == nil
      ? block(target.type) : .int32(Array(repeating: 0, count: target.type.count))
  }
  _ = try session.gradients(inputs: inputs, targets: targets, batch: graph.batch)
}

/// What of a network's gradients, laid out as the parameter block, differs from the reference.
private func differences(
  ofGradients gradients: [Float], from network: RandomNetwork
) -> [String] {
  let expected = network.expected.gradients
  let largest = expected.map(abs).max() ?? 0
  return network.graph.parameters.filter { $0.kind == .trainable }.compactMap { parameter in
    let range = parameter.offset..<parameter.offset + parameter.spec.count
    // A gradient that is zero but for rounding is measured by the others.
    return difference(
      "gradient of \(parameter.name)", Array(gradients[range]), Array(expected[range]), 1e-4,
      floor: 0.2 * largest
    ) { Array(network.rounding.gradients[range]) }
  }
}

/// What differs by more than the tolerance; or, where the network makes more of rounding errors, by more than sixteen times
/// what a last bit on the way does, at most ten times the tolerance.
///
/// - Parameter rounding: how far last bits move the values; asked for only where they differ.
private func difference(
  _ what: String, _ values: [Float], _ expected: [Double], _ tolerance: Double,
  floor: Double = 0, rounding: () -> [Double]
) -> String? {
  let comparison = Comparison(values, expected, atLeast: floor)
  if comparison.isWithin(tolerance) { return nil }
  let share = 16 * (rounding().max() ?? 0) / comparison.largest
  return comparison.isWithin(min(share, 10 * tolerance)) ? nil : "\(what): \(comparison)"
}

extension ReferenceSample.Target {
  /// The target as a session takes it.
  public var programValues: Program.Values {
    switch self {
    case .labels(let labels): .int32(labels)
    case .values(let values): .float32(values)
    }
  }
}

/// Whether two lists have the same bits.
public func same(_ a: [Float], _ b: [Float]) -> Bool {
  a.map(\.bitPattern) == b.map(\.bitPattern)
}

extension Program.Values {
  /// One of equal parts.
  public func part(_ index: Int, of count: Int) -> Program.Values {
    let length = self.count / count
    return self[index * length..<(index + 1) * length]
  }

  /// The numbers as floating-point values.
  public var floats: [Float] {
    switch self {
    case .float32(let values): values
    case .int32(let values): values.map(Float.init)
    case .int64(let values): values.map { Float($0) }
    case .bool(let values): values.map { $0 ? 1 : 0 }
    }
  }
}
