/// What became of a node.
public enum FoldOutcome: Sendable {
  /// All its outputs are constants now.
  case folded
  /// It has to run.
  case runtime
  /// These nodes do what it did: the branch that an `If` takes.
  case replaced([ONNXNode])
}

/// Computes nodes whose inputs are constants.
///
/// A converter that goes through the nodes in order calls ``fold(_:shape:)`` for each, and so knows the
/// shapes of values that are computed at run time by the time a `Shape` asks for them. Numbers are exact in
/// their own types: integers wrap around, floating ones are computed in double precision and rounded.
public struct ConstantFolder: Sendable {
  /// Constants by name: initializers, and what was computed so far.
  public private(set) var constants: [String: ONNXTensor]
  private let limits: ONNXLimits
  /// Bytes that may still be computed.
  private var room: Int
  /// Bytes that may still be read and written on the way.
  private var work: Int
  private var taken = UniqueNames()

  public init(_ graph: ONNXGraph) {
    constants = graph.initializers
    limits = graph.limits
    let weights = graph.initializers.values.reduce(0) { $0 + $1.byteCount }
    room = max(limits.computedBytes, 3 * weights)
    work = max(8 * room, 64 * weights)
    taken.take(graph.initializers.keys)
    taken.take(graph.inputs.map(\.name))
    for node in graph.nodes { taken.take(node.outputs) }
  }

  /// The constant under a name; nil for values of run time.
  public func constant(_ name: String) -> ONNXTensor? { constants[name] }

  /// The constant that a node reads; nil where the input is left out or a value of run time.
  public func constant(_ node: ONNXNode, _ input: Int) -> ONNXTensor? {
    node.input(input).flatMap { constants[$0] }
  }

  /// Makes constants of a node's outputs, if its inputs are.
  ///
  /// - Parameters:
  ///   - node: what it reads has been offered before, or is a value of run time.
  ///   - shape: the dimensions of a value of run time, where they are known: all that `Shape` and
  ///     `Size` need.
  /// - Throws: inputs that the operator does not allow, and more than the limits allow to compute.
  public mutating func fold(
    _ node: ONNXNode, shape: (String) -> [Int]?
  ) throws(ONNXError) -> FoldOutcome {
    guard node.domain.isEmpty else { return .runtime }
    if node.op == "If" { return try branch(node) }
    guard let evaluator = Evaluation.evaluators[node.op] else { return .runtime }
    var inputs: [ONNXTensor?] = []
    for index in node.inputs.indices {
      guard let name = node.input(index) else {
        inputs.append(nil)
        continue
      }
      if let constant = constants[name] {
        inputs.append(constant)
      } else if Evaluation.needsShapesOnly.contains(node.op), let dims = shape(name) {
        inputs.append(
          try ONNXTensor(
            place: "value \(ONNXError.quoted(name))", type: .float, dims: dims,
            storage: .repeated([0, 0, 0, 0])))
      } else {
        return .runtime
      }
    }
    try charge(inputs.compactMap { $0 }, node)
    let results = try evaluator(Evaluation(node: node, inputs: inputs, room: room))
    try charge(results, node)
    for (index, result) in results.enumerated() {
      guard let name = node.output(index) else { continue }
      if case .bytes(let bytes) = result.storage { room -= bytes.count }
      constants[name] = result.named("value \(ONNXError.quoted(name))")
    }
    return .folded
  }

  /// Counts what a node reads or makes, so that many nodes cannot go through large constants for
  /// hours. Filled tensors and other dimensions for the same bytes cost nothing.
  private mutating func charge(
    _ tensors: [ONNXTensor], _ node: ONNXNode
  ) throws(ONNXError) {
    guard !Evaluation.readsNoElements.contains(node.op) else { return }
    for tensor in tensors where !tensor.isRepeated { work -= min(work, tensor.count) * 8 }
    guard work > 0 else {
      throw node.error(
        "takes computing with constants beyond what the model's weights explain; "
          + ONNXError.exportAgain)
    }
  }

  /// The nodes of the branch that an `If` with a constant condition takes.
  private mutating func branch(_ node: ONNXNode) throws(ONNXError) -> FoldOutcome {
    guard let condition = constant(node, 0) else { return .runtime }
    guard condition.count == 1, let truth = try condition.integers().first else {
      throw node.error(
        "has a condition of \(condition.count) elements, expected one; \(ONNXError.exportAgain)")
    }
    let name = truth == 0 ? "else_branch" : "then_branch"
    guard let graph = try node.graph(name), graph.outputs.count >= node.outputs.count else {
      throw node.error(
        "has no \(name) with \(node.outputs.count) outputs; \(ONNXError.exportAgain)")
    }
    var renaming = Renaming(owner: node, taken: taken)
    taken = UniqueNames()  // One owner, or each name would copy the set.
    for capture in graph.captures { renaming.names[capture] = capture }
    for (name, tensor) in graph.initializers.sorted(by: { $0.key < $1.key }) {
      constants[renaming.name(name)] = tensor
    }
    var nodes = graph.nodes.map { renaming.node($0, [:]) }
    for (index, value) in graph.outputs.enumerated() {
      guard let output = node.output(index) else { continue }
      nodes.append(
        ONNXNode(
          name: renaming.prefix + value.name, op: "Identity", opset: node.opset,
          inputs: [renaming.name(value.name)], outputs: [output]))
    }
    taken = renaming.taken
    return .replaced(nodes)
  }
}

/// Computes what follows from constants and from the shapes of a model's inputs.
///
/// Before: chains like `Shape`, `Gather`, `Concat` before a `Reshape`. After: initializers in their place,
/// as far as shapes of inputs alone say what they are. Needs ``BindDimensions``.
public struct FoldConstants: Sendable {
  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var graph = graph
    var folder = ConstantFolder(graph)
    let shapes = Dictionary(
      graph.inputs.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    var kept: [ONNXNode] = []
    var waiting = Array(graph.nodes.reversed())
    var steps = 0
    while let node = waiting.popLast() {
      steps += 1
      guard steps <= 2 * graph.limits.nodes else {
        throw node.error("unfolds to too many nodes; \(ONNXError.exportAgain) in parts")
      }
      switch try folder.fold(node, shape: { shapes[$0] ?? nil }) {
      case .folded: break
      case .runtime: kept.append(node)
      case .replaced(let nodes): waiting += nodes.reversed()
      }
    }
    let old = Set(graph.initializerNames)
    graph.nodes = kept
    graph.initializers = folder.constants
    graph.initializerNames += folder.constants.keys.filter { !old.contains($0) }.sorted()
    return RemoveDeadNodes().run(graph)
  }
}
