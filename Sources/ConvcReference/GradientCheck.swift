import ConvcIR

/// Compares gradients with central differences of the reference: `(L(p + h) − L(p − h)) / 2h`, in double precision.
///
/// Where a step crosses a kink (a ReLU changes its side, a maximum its winner) it is shortened twice; an element that still
/// crosses one is skipped and counted. So is one at which a weight under an L1 penalty changes its sign; at 0 the central
/// difference of |w| is 0, as the subgradient that convc takes.
public struct GradientCheck: Sendable {
  /// The step `h`.
  public var step: Double
  /// Elements checked in a tensor: all where there are no more.
  public var samples: Int
  /// Chooses the elements and the random direction.
  public var seed: UInt64

  public init(step: Double = 1e-6, samples: Int = 64, seed: UInt64 = 0) {
    self.step = step
    self.samples = samples
    self.seed = seed
  }

  /// Checks a gradient block.
  ///
  /// - Parameters:
  ///   - gradients: by the trainable parameters, laid out as the parameter block's first part.
  ///   - parameters: the parameter block that they were taken at.
  ///   - options: seed and number of the step they were taken in.
  public func run(
    _ network: ReferenceNetwork, parameters: [Float], _ sample: ReferenceSample,
    gradients: [Float], options: PassOptions = PassOptions()
  ) -> GradientReport {
    let graph = network.graph
    let differences = Differences(network, parameters.map(Double.init), sample, options)
    var random = RandomValues(seed: seed)
    let floor = GradientReport.floor(gradients)
    var entries: [GradientReport.Entry] = []
    for (index, parameter) in graph.parameters.enumerated() where parameter.kind == .trainable {
      let block = gradients[parameter.offset..<parameter.offset + parameter.spec.count]
      var entry = GradientReport.Entry(parameter, block, floor: floor)
      for element in random.sample(samples, of: parameter.spec.count) {
        entry.add(
          element, gradient: Double(block[block.startIndex + element]),
          expected: differences.derivative(index, element, step: step))
      }
      entries.append(entry)
    }
    let direction = direction(differences, gradients.map(Double.init), &random)
    return GradientReport(tensors: entries, direction: direction)
  }

  /// Compares the slope along a random direction over all trainable parameters.
  private func direction(
    _ differences: Differences, _ gradients: [Double], _ random: inout RandomValues
  ) -> GradientReport.Direction? {
    // A direction that crosses a kink is replaced by another.
    for _ in 0..<8 where !gradients.isEmpty {
      let normal = random.normal(gradients.count).map(Double.init)
      let length = normal.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let unit = normal.map { $0 / length }
      guard let slope = differences.derivative(along: unit, step: step) else { continue }
      let norm = gradients.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return GradientReport.Direction(
        gradient: zip(unit, gradients).reduce(0) { $0 + $1.0 * $1.1 }, expected: slope,
        scale: norm / Double(gradients.count).squareRoot())
    }
    return nil
  }
}

/// Central differences of the total loss, penalty included, around a point.
private struct Differences {
  let network: ReferenceNetwork
  let sample: ReferenceSample
  let options: PassOptions
  let parameters: [DoubleTensor]
  let base: ForwardPass
  /// Of each parameter: the nodes whose values depend on it.
  let dependents: [Set<Node.ID>]

  init(
    _ network: ReferenceNetwork, _ block: [Double], _ sample: ReferenceSample,
    _ options: PassOptions
  ) {
    self.network = network
    self.sample = sample
    self.options = options
    parameters = network.tensors(block)
    base = network.forward(parameters, sample, options)
    let graph = network.graph
    dependents = graph.parameters.indices.map { index in
      var nodes: Set<Node.ID> = []
      var tensors: Set<Tensor.ID> = []
      for node in graph.nodes
      where node.parameters.contains(index) || node.inputs.contains(where: tensors.contains) {
        nodes.insert(node.id)
        tensors.insert(node.output)
      }
      return nodes
    }
  }

  /// The derivative by one element of a parameter; nil where every step crosses a kink.
  func derivative(_ parameter: Int, _ element: Int, step: Double) -> Double? {
    let address = parameters[parameter].address + element
    let value = address.pointee
    defer { address.pointee = value }
    let regularizer = network.graph.parameters[parameter].regularizer
    return shortened(step) { side in
      let moved = value + side
      // |w| bends where w changes its sign.
      if let regularizer, regularizer.l1 > 0, value * moved < 0 { return nil }
      address.pointee = moved
      let pass = network.forward(
        parameters, sample, options, changed: dependents[parameter], earlier: base)
      return (pass, regularizer?.value(moved) ?? 0)
    }
  }

  /// The derivative along a direction over the trainable part of the parameter block.
  func derivative(along direction: [Double], step: Double) -> Double? {
    let trainable = network.graph.parameters.enumerated().filter { $1.kind == .trainable }
    return shortened(step) { side in
      var moved = parameters
      for (index, parameter) in trainable {
        let part = direction[parameter.offset..<parameter.offset + parameter.spec.count]
        let values = zip(parameters[index].values, part).map { $0 + side * $1 }
        moved[index] = DoubleTensor(shape: parameter.spec.shape, values)
      }
      return (network.forward(moved, sample, options), network.penalty(moved))
    }
  }

  /// The slope between two steps of equal size; nil where every size crosses a kink.
  ///
  /// - Parameter move: what a step leads to: the values, and the penalty as far as it changes; nil: it crosses a kink.
  private func shortened(
    _ step: Double, _ move: (Double) -> (pass: ForwardPass, penalty: Double)?
  ) -> Double? {
    for h in [step, step / 4, step / 16] {
      guard let up = move(h), let down = move(-h), up.pass.decisions == base.decisions,
        down.pass.decisions == base.decisions
      else { continue }
      let data = network.total(of: up.pass, sample) - network.total(of: down.pass, sample)
      return (data + (up.penalty - down.penalty)) / (2 * h)
    }
    return nil
  }
}
