import ConvcIR

/// Finds what is allowed but seldom meant, each with the way out.
///
/// Before: the graph. After: findings in the order of the layers, losses last; they stop nothing. What a lint has to know
/// of a layer it asks the layer: its traits, its reach, its parameters, and what it says of its own settings. Needs
/// shapes.
public struct Lint: Pass {
  public static let name = "lint"

  /// Whether the network is going to be trained: what matters in training alone is not told otherwise.
  public let mode: Mode

  public init(mode: Mode = .training) {
    self.mode = mode
  }

  public func run(_ graph: Graph) -> [Diagnostic] {
    let rules: [(Node, Graph) -> String?] = [
      linearPair, skippedPixels, equalWeights, saturation, uselessBias, middleSigmoid, lastNoise,
    ]
    let layers = graph.nodes.flatMap { node in
      let types = node.inputs.map { graph[$0].type }
      let own = node.layer.lints(for: types, in: node.isFrozen ? .inference : mode)
      let messages = rules.compactMap { $0(node, graph) } + own
      return messages.map {
        Diagnostic(layer: node.name, location: node.location, message: $0)
      }
    }
    return layers + graph.losses.compactMap { rectifiedScores($0, graph) }
  }

  // MARK: Layers before and after

  /// The layer that computes a tensor's values, through those that change the shape alone; nil: an input.
  private func producer(of tensor: Tensor.ID, _ graph: Graph) -> Node? {
    guard let id = graph[tensor].producer else { return nil }
    let node = graph[id]
    return isView(node) ? producer(of: node.inputs[0], graph) : node
  }

  /// The layer before, where nobody else reads what it computes.
  private func soleProducer(before node: Node, _ graph: Graph) -> Node? {
    var tensor = node.inputs[0]
    while graph.readers(of: tensor).count == 1,
      !graph.outputs.contains(where: { $0.tensor == tensor }),
      let id = graph[tensor].producer
    {
      let before = graph[id]
      guard isView(before) else { return before }
      tensor = before.inputs[0]
    }
    return nil
  }

  private func isView(_ node: Node) -> Bool {
    if case .view = node.layer.role(in: .training, frozen: node.isFrozen) { true } else { false }
  }

  // MARK: Rules

  private func linearPair(_ node: Node, _ graph: Graph) -> String? {
    guard node.layer.traits.contains(.linear), let before = soleProducer(before: node, graph),
      before.layer.traits.contains(.linear)
    else { return nil }
    return "follows \(before.name) without an activation between: together they are one linear "
      + "map; put ReLU() between them, or leave \(before.name) out"
  }

  /// A stride beyond the window, unless another layer reads all of the same map.
  private func skippedPixels(_ node: Node, _ graph: Graph) -> String? {
    guard let input = node.inputs.first, let gap = gap(node, graph) else { return nil }
    let all = graph.readers(of: input)
    guard all.allSatisfy({ self.gap($0, graph) != nil }) else { return nil }
    return "skips pixels: its windows of \(gap.window) cells move by \(gap.stride), and what lies "
      + "between them is never read; use a stride of at most the window"
  }

  private func gap(_ node: Node, _ graph: Graph) -> (window: String, stride: String)? {
    let types = node.inputs.map { graph[$0].type }
    guard
      case .window(let height, let width, let vertical, let horizontal, _) = node.layer.reach(
        for: types)
    else { return nil }
    let maps = graph[node.output].type.maps
    guard vertical > height && maps.h > 1 || horizontal > width && maps.w > 1 else { return nil }
    return ("\(height)x\(width)", "\(vertical)x\(horizontal)")
  }

  private func equalWeights(_ node: Node, _ graph: Graph) -> String? {
    guard mode == .training, !node.isFrozen else { return nil }
    for index in node.parameters {
      let spec = graph.parameters[index].spec
      if spec.decays, (spec.shape.first ?? 1) > 1, case .constant(let value) = spec.initializer {
        return "starts with \(value) in its whole \(spec.name): every unit computes the same and "
          + "gets the same update; use .heNormal or .glorotUniform, or load trained values"
      }
    }
    return nil
  }

  /// Deviation of what saturating functions are given from which on it is told.
  private static let largeDeviation = 3.0

  private func saturation(_ node: Node, _ graph: Graph) -> String? {
    guard mode == .training, node.layer.traits.contains(.saturating),
      let before = producer(of: node.inputs[0], graph)
    else { return nil }
    for index in before.parameters {
      let spec = graph.parameters[index].spec
      guard spec.decays, graph.parameters[index].kind == .trainable else { continue }
      let fanIn = Double(max(1, spec.fanIn))
      let deviation =
        spec.initializer.deviation(fanIn: spec.fanIn, fanOut: spec.fanOut) * fanIn.squareRoot()
      if deviation > Self.largeDeviation {
        return
          "saturates from the start: \(before.name) begins with \(spec.initializer), so sums of "
          + "its \(spec.fanIn) inputs have a deviation of about \(Int(deviation.rounded())); "
          + "use .glorotUniform"
      }
    }
    return nil
  }

  private func uselessBias(_ node: Node, _ graph: Graph) -> String? {
    guard mode == .training, node.layer.traits.contains(.centring), !node.isFrozen,
      let before = soleProducer(before: node, graph), before.layer.traits.contains(.bias)
    else { return nil }
    return "takes the bias of \(before.name) away again, for it subtracts each channel's mean; "
      + "write bias: false there"
  }

  private func middleSigmoid(_ node: Node, _ graph: Graph) -> String? {
    guard node.layer.traits.contains(.logistic) else { return nil }
    var readers = graph.readers(of: node.output)
    while readers.count == 1, isView(readers[0]) { readers = graph.readers(of: readers[0].output) }
    guard readers.contains(where: { $0.layer.traits.contains(.linear) }) else { return nil }
    return
      "stands between layers, where its slope of at most 1/4 makes gradients small; use ReLU(), "
      + "and a sigmoid at an output of two classes alone"
  }

  private func lastNoise(_ node: Node, _ graph: Graph) -> String? {
    guard case .elementwise(let epilogue) = node.layer.role(in: .training, frozen: false),
      epilogue.isRandom,
      let output = graph.outputs.first(where: { producer(of: $0.tensor, graph)?.id == node.id })
    else { return nil }
    return "is the last layer before the output \(output.name), whose values it makes random in "
      + "training; put it before the last layer with weights"
  }

  private func rectifiedScores(_ loss: LossNode, _ graph: Graph) -> Diagnostic? {
    guard loss.loss.expectedOutput.takesScores, let last = producer(of: loss.prediction, graph),
      last.layer.traits.contains(.nonNegative)
    else { return nil }
    return Diagnostic(
      layer: loss.name, location: last.location,
      message: "judges scores that \(last.name) keeps from falling below 0; leave \(last.name) out")
  }
}
