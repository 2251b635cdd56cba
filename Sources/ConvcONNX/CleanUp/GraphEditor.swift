/// A graph whose nodes are replaced one by one; places in the order stay what they are.
struct GraphEditor {
  private let graph: ONNXGraph
  private var nodes: [ONNXNode?]
  private var producers: [String: Int] = [:]
  /// Places of the nodes that read a value, and how often each does.
  private var readers: [String: [Int: Int]] = [:]
  /// The number to try next, by names that were taken.
  private var numbers: [String: Int] = [:]
  private let inputs: Set<String>
  private let outputs: Set<String>
  private var constants: [String: ONNXTensor]
  private var added: [String] = []

  init(_ graph: ONNXGraph) {
    self.graph = graph
    nodes = graph.nodes
    inputs = Set(graph.inputs.map(\.name))
    outputs = Set(graph.outputs.map(\.name))
    constants = graph.initializers
    for (place, node) in graph.nodes.enumerated() { link(node, place) }
  }

  /// The graph as it is now, without what nothing needs.
  func finish() -> ONNXGraph {
    var graph = graph
    graph.nodes = nodes.compactMap { $0 }
    graph.initializers = constants
    graph.initializerNames += added
    return RemoveDeadNodes().run(graph)
  }

  // MARK: Reading

  var places: Range<Int> { nodes.indices }

  /// The node at a place; nil: it is gone.
  subscript(place: Int) -> ONNXNode? { nodes[place] }

  /// Where the node stands that computes a value; nil: an input or a constant.
  func place(of value: String) -> Int? { producers[value] }

  /// The node that computes a value, if it is this operator of the standard.
  func node(_ op: String, of value: String) -> ONNXNode? {
    guard let place = producers[value], let node = nodes[place], node.op == op,
      node.domain.isEmpty
    else { return nil }
    return node
  }

  /// Whether one node alone reads a value, and reads it once.
  func isReadOnce(_ value: String) -> Bool {
    guard let readers = readers[value], readers.count == 1 else { return false }
    return readers.values.first == 1 && !outputs.contains(value)
  }

  func constant(_ value: String?) -> ONNXTensor? { value.flatMap { constants[$0] } }

  /// A constant of one number that raises no other operand's number of axes; nil: something else.
  func scalar(_ value: String?) throws(ONNXError) -> Double? {
    guard let tensor = constant(value), tensor.type == .float, tensor.count == 1,
      tensor.dims.count <= 1
    else { return nil }
    return try tensor.scalar()
  }

  /// Whether a value is a constant of one number, which differs from this one by rounding at most.
  func isScalar(_ value: String?, _ number: Double) throws(ONNXError) -> Bool {
    guard let scalar = try scalar(value) else { return false }
    return abs(scalar - number) <= 1e-5 * abs(number)
  }

  // MARK: Changing

  mutating func remove(_ place: Int) {
    guard let node = nodes[place] else { return }
    for name in node.reads { readers[name]?[place] = nil }
    for name in node.outputs where producers[name] == place { producers[name] = nil }
    nodes[place] = nil
  }

  /// Puts a node in the place of another, which may be gone.
  mutating func replace(_ place: Int, by node: ONNXNode) {
    remove(place)
    nodes[place] = node
    link(node, place)
  }

  /// Lets all that reads a value read another one.
  ///
  /// - Returns: whether that was possible; if not nothing changed.
  mutating func redirect(_ value: String, to other: String) -> Bool {
    guard !outputs.contains(value) else { return false }
    let places = (readers[value] ?? [:]).keys
    let captures = places.contains { place in
      nodes[place]?.inputs.contains(value) == false
        || nodes[place]?.attributes.values.contains { !$0.subgraphs.isEmpty } == true
    }
    guard !captures else { return false }
    for place in places {
      guard var node = nodes[place] else { continue }
      node.inputs = node.inputs.map { $0 == value ? other : $0 }
      replace(place, by: node)
    }
    return true
  }

  /// Adds a constant of numbers and returns its name.
  mutating func addConstant(
    _ name: String, _ values: [Double], dims: [Int]
  ) throws(ONNXError) -> String {
    let name = unique(name)
    constants[name] = try ONNXTensor(
      values, dims: dims, place: "initializer \(ONNXError.quoted(name))")
    added.append(name)
    return name
  }

  /// A name that nothing in the graph has.
  mutating func unique(_ name: String) -> String {
    func isTaken(_ name: String) -> Bool {
      constants[name] != nil || producers[name] != nil || readers[name] != nil
        || inputs.contains(name) || outputs.contains(name)
    }
    var (candidate, number) = (name, numbers[name] ?? 2)
    while isTaken(candidate) {
      candidate = "\(name)_\(number)"
      number += 1
    }
    numbers[name] = number
    return candidate
  }

  private mutating func link(_ node: ONNXNode, _ place: Int) {
    for name in node.reads { readers[name, default: [:]][place, default: 0] += 1 }
    for name in node.outputs where !name.isEmpty { producers[name] = place }
  }
}

extension ONNXNode {
  /// Another operator of the same version in the node's place, with its name and results.
  func replaced(
    by op: String, domain: String = "", inputs: [String],
    attributes: [String: ONNXAttribute] = [:]
  ) -> ONNXNode {
    ONNXNode(
      name: name, op: op, domain: domain, opset: opset, inputs: inputs, outputs: outputs,
      attributes: attributes)
  }

  /// Whether it is the standard's operator of this name.
  func isOperator(_ op: String) -> Bool { self.op == op && domain.isEmpty }
}
