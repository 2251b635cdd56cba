import Convc
import ConvcReference

/// What of a compiled network differs from the reference: outputs within 1e-5, gradients within 1e-4 of the largest,
/// the same bits at 1, 2 and 5 threads.
public func differences(of program: Program, from network: RandomNetwork) throws -> [String] {
  var problems: [String] = []
  func expect<R: BinaryFloatingPoint>(
    _ what: String, _ values: [Float], _ reference: [R], _ tolerance: Double, floor: Double = 0
  ) {
    let comparison = Comparison(values, reference, atLeast: floor)
    if !comparison.isWithin(tolerance) { problems.append("\(what): \(comparison)") }
  }
  let session = try Session(program)
  try session.setParameterBlock(network.parameters)
  let sample = network.sample
  let inputs = sample.inputs.map { Program.Values.float32($0) }
  let outputs = try session.forward(inputs: inputs, batch: sample.batch)
  let inferred = network.reference.infer(
    parameters: network.parameters.map(Double.init), sample)
  for (index, reference) in inferred.enumerated() {
    // An output that is small because sums cancel is measured by what was summed.
    expect("inferred output \(index)", outputs[index].floats, reference, 1e-5, floor: 0.05)
  }
  guard program.canTrain else { return problems }
  let targets = sample.targets.map(\.programValues)
  var bits: [Float]?
  for threads in [1, 2, 5] {
    try session.setParameterBlock(network.parameters)
    let losses = try session.gradients(
      inputs: inputs, targets: targets, batch: sample.batch,
      options: StepOptions(
        threads: threads, seed: network.options.seed, step: network.options.step))
    let gradients = session.withGradients { Array($0) }
    if let bits {
      if !same(bits, gradients) { problems.append("other bits at \(threads) threads") }
      continue
    }
    bits = gradients
    expect("losses", losses, network.expected.losses, 1e-5)
    let trainable = network.graph.trainableCount
    expect(
      "statistics", Array(session.parameterBlock[trainable...]), network.expected.untrained, 1e-5)
    let largest = network.expected.gradients.map(abs).max() ?? 0
    for parameter in network.graph.parameters where parameter.kind == .trainable {
      let range = parameter.offset..<parameter.offset + parameter.spec.count
      // A gradient that is zero but for rounding is measured by the others.
      expect(
        "gradient of \(parameter.name)", Array(gradients[range]),
        Array(network.expected.gradients[range]), 1e-4, floor: 0.2 * largest)
    }
  }
  return problems
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
    switch self {
    case .float32(let values):
      let length = values.count / count
      return .float32(Array(values[index * length..<(index + 1) * length]))
    case .int32(let values):
      let length = values.count / count
      return .int32(Array(values[index * length..<(index + 1) * length]))
    }
  }

  /// The numbers of floating-point values.
  public var floats: [Float] {
    if case .float32(let values) = self { values } else { [] }
  }
}
