import ConvcIR

/// Compares gradients with central differences of the reference: `(L(p + h) − L(p − h)) / 2h`, in double precision.
///
/// Where a step crosses a kink (a ReLU changes its side, a maximum its winner) it is shortened twice; an element that still
/// crosses one is skipped and counted. So is one at which a weight under an L1 penalty changes its sign; at 0 the central
/// difference of |w| is 0, as the subgradient that convc takes.
public struct GradientCheck: Sendable {
  /// How the difference of one element is taken.
  public enum Method: String, Sendable, Hashable {
    /// Of the loss, through all layers that follow.
    case wholeNetwork
    /// Of the output of the element's own layer, times the gradient of the loss by that output, which the reference's
    /// reverse pass gives: for networks where each element's way to the loss is too long. The slope along the random
    /// direction is a difference of the loss in any case, so it checks the reverse pass as well.
    case byLayer
  }

  /// The step `h`.
  public var step: Double
  /// Elements checked in a tensor: all where there are no more.
  public var samples: Int
  /// Chooses the elements and the random direction.
  public var seed: UInt64
  /// Multiply-adds that differences through the whole network may take; above, they are taken by layer.
  public var budget: Double
  /// Elements whose differences are taken at once.
  public var threads: Int

  public init(
    step: Double = 1e-6, samples: Int = 64, seed: UInt64 = 0, budget: Double = .infinity,
    threads: Int = 1
  ) {
    self.step = step
    self.samples = samples
    self.seed = seed
    self.budget = budget
    self.threads = threads
  }

  /// Multiply-adds, about, that the differences of all sampled elements take.
  public func work(_ method: Method, on graph: Graph, batch: Int) -> Double {
    let costs = graph.nodes.map { node in
      let count = graph[node.output].type.count
      let products = node.layer.multiplyAdds(for: graph.inputTypes(of: node))
      return Double(max(products, 4 * count)) / Double(graph.batch) * Double(batch)
    }
    var rest = 0.0
    var work = 0.0
    for (node, cost) in zip(graph.nodes, costs).reversed() {
      rest += cost
      let sampled = node.parameters.map { graph.parameters[$0] }.filter { $0.kind == .trainable }
        .reduce(0) { $0 + min(samples, $1.spec.count) }
      work += 2 * Double(sampled) * (method == .byLayer ? cost : rest)
    }
    return work
  }

  /// How differences are taken within the budget.
  public func method(for graph: Graph, batch: Int) -> Method {
    work(.wholeNetwork, on: graph, batch: batch) <= budget ? .wholeNetwork : .byLayer
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
    let method = method(for: graph, batch: sample.batch)
    var entries: [GradientReport.Entry] = []
    for (index, parameter) in graph.parameters.enumerated() where parameter.kind == .trainable {
      let block = gradients[parameter.offset..<parameter.offset + parameter.spec.count]
      var entry = GradientReport.Entry(parameter, block, floor: floor)
      let elements = random.sample(samples, of: parameter.spec.count)
      let expected = differences.derivatives(
        index, elements, step: step, by: method, threads: threads)
      for (element, value) in zip(elements, expected) {
        entry.add(element, gradient: Double(block[block.startIndex + element]), expected: value)
      }
      entries.append(entry)
    }
    let direction = direction(differences, gradients, &random)
    var exact = GradientReport.comparing(gradients, with: differences.reverse.block, of: graph)
      .tensors
    let changes = differences.changesByRounding(&random)
    for index in entries.indices {
      let rounding = changes[index] / entries[index].scale
      (entries[index].rounding, exact[index].rounding) = (rounding, rounding)
    }
    return GradientReport(
      tensors: entries, direction: direction, everyElement: exact, method: method)
  }

  /// Compares the slope along a random direction over all trainable parameters.
  private func direction(
    _ differences: Differences, _ gradients: [Float], _ random: inout RandomValues
  ) -> GradientReport.Direction? {
    // A direction that crosses a kink is replaced by another.
    for _ in 0..<8 where !gradients.isEmpty {
      var unit = random.normal(gradients.count)
      let length = unit.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      unit = unit.map { Float(Double($0) / length) }
      guard let slope = differences.derivative(along: unit, step: step) else { continue }
      let norm = gradients.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      return GradientReport.Direction(
        gradient: zip(unit, gradients).reduce(0) { $0 + Double($1.0) * Double($1.1) },
        expected: slope, scale: norm / Double(gradients.count).squareRoot())
    }
    return nil
  }
}
