/// A function that a model brings with it.
struct ONNXFunction: Sendable {
  struct Key: Hashable, Sendable {
    let domain: String
    let name: String
    let overload: String
  }

  let key: Key
  let inputs: [String]
  let outputs: [String]
  /// Values of attributes that a caller may leave out.
  let defaults: [String: ONNXAttribute]
  let nodes: [ONNXNode]

  var place: String { "function \(ONNXError.quoted(key.name))" }
}

/// Replaces each node that calls a function of the model by the function's nodes.
///
/// Before: `y = MyBlock(x)`. After: the nodes of `MyBlock`, with `x` and `y` in place of its formal input and
/// output, and with names of their own for the values between. Attributes that refer to the call's get
/// its values, or the function's defaults; one with neither is left out. Needs nothing; keeps the order.
struct InlineFunctions {
  let functions: [ONNXFunction.Key: ONNXFunction]

  func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    guard !functions.isEmpty else { return graph }
    var graph = graph
    var work = Work(functions: functions, limits: graph.limits)
    work.taken.take(graph.initializers.keys)
    work.taken.take(graph.inputs.map(\.name))
    work.take(graph.nodes)
    graph.nodes = try work.unfolded(graph.nodes, callers: [])
    return graph
  }

  private struct Work {
    let functions: [ONNXFunction.Key: ONNXFunction]
    let limits: ONNXLimits
    /// Names in use.
    var taken = UniqueNames()
    var count = 0
    var bytes = 0

    mutating func take(_ nodes: [ONNXNode]) {
      for node in nodes {
        taken.take(node.outputs)
        for subgraph in node.attributes.values.flatMap(\.subgraphs) {
          taken.take(subgraph.initializers.keys)
          taken.take(subgraph.inputs.map(\.name))
          take(subgraph.nodes)
        }
      }
    }

    mutating func unfolded(
      _ nodes: [ONNXNode], callers: [ONNXFunction.Key]
    ) throws(ONNXError) -> [ONNXNode] {
      var result: [ONNXNode] = []
      for node in nodes {
        var node = node
        node.attributes = try mapped(node.attributes, callers)
        let key = ONNXFunction.Key(domain: node.domain, name: node.op, overload: node.overload)
        guard let function = functions[key] else {
          try countNode(node)
          result.append(node)
          continue
        }
        guard !callers.contains(key) else {
          throw node.error("calls itself through functions; \(ONNXError.exportAgain)")
        }
        guard callers.count < limits.depth else {
          throw node.error(
            "calls functions more than \(limits.depth) levels deep; \(ONNXError.exportAgain)")
        }
        result += try unfolded(try body(of: function, for: node), callers: callers + [key])
      }
      return result
    }

    private mutating func mapped(
      _ attributes: [String: ONNXAttribute], _ callers: [ONNXFunction.Key]
    ) throws(ONNXError) -> [String: ONNXAttribute] {
      var result = attributes
      for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
        switch attribute {
        case .graph(var graph):
          graph.nodes = try unfolded(graph.nodes, callers: callers)
          result[name] = .graph(graph)
        case .graphs(var graphs):
          for index in graphs.indices {
            graphs[index].nodes = try unfolded(graphs[index].nodes, callers: callers)
          }
          result[name] = .graphs(graphs)
        default: break
        }
      }
      return result
    }

    private mutating func countNode(_ node: ONNXNode) throws(ONNXError) {
      count += 1
      guard count <= limits.nodes else {
        throw node.error(
          "brings the model to more than \(limits.nodes) nodes; \(ONNXError.exportAgain) in parts")
      }
    }

    /// Counts the text of a call's copies, which grows with each level.
    private mutating func charge(
      _ call: ONNXNode, _ function: ONNXFunction
    ) throws(ONNXError) {
      for node in function.nodes {
        for name in node.inputs + node.outputs + [node.name] {
          bytes += name.utf8.count + call.name.utf8.count + 64
        }
        guard bytes <= limits.structureBytes else {
          throw call.error(
            "unfolds to more than \(limits.structureBytes >> 20) MB; "
              + "\(ONNXError.exportAgain) in parts")
        }
      }
      try countNode(call)
    }

    /// The nodes of a function with a call's values in it.
    private mutating func body(
      of function: ONNXFunction, for call: ONNXNode
    ) throws(ONNXError) -> [ONNXNode] {
      guard call.inputs.count <= function.inputs.count,
        call.outputs.count <= function.outputs.count
      else {
        throw call.error(
          "has \(call.inputs.count) inputs and \(call.outputs.count) outputs, its function up to "
            + "\(function.inputs.count) and \(function.outputs.count); \(ONNXError.exportAgain)")
      }
      try charge(call, function)
      var renaming = Renaming(owner: call, taken: taken)
      taken = UniqueNames()  // One owner, or each name would copy the set.
      for (index, name) in function.inputs.enumerated() {
        renaming.names[name] = call.input(index) ?? ""
      }
      var copies: [ONNXNode] = []
      for (index, name) in function.outputs.enumerated() {
        guard let actual = call.output(index) else { continue }
        if let known = renaming.names[name] {
          // An output that is an input, or returned twice.
          copies.append(
            ONNXNode(
              name: renaming.prefix + name, op: "Identity", opset: ONNXFile.opsets.upperBound,
              inputs: [known], outputs: [actual]))
        } else {
          renaming.names[name] = actual
        }
      }
      let attributes = function.defaults.merging(call.attributes) { $1 }
      let nodes = function.nodes.map { renaming.node($0, attributes) }
      taken = renaming.taken
      return nodes + copies
    }
  }
}

/// Gives the values of copied nodes names of their own.
struct Renaming {
  let prefix: String
  /// Names in use, old and new.
  var taken: UniqueNames
  /// New names by old ones.
  var names: [String: String] = [:]

  /// - Parameter owner: the node whose name begins the new ones, as far as it is not too long.
  init(owner: ONNXNode, taken: UniqueNames) {
    prefix = String(owner.name.unicodeScalars.prefix(120)) + "/"
    self.taken = taken
  }

  mutating func name(_ old: String) -> String {
    guard !old.isEmpty else { return "" }
    if let known = names[old] { return known }
    let new = taken.unique(prefix + old)
    names[old] = new
    return new
  }

  /// - Parameter attributes: what references to a function's attributes stand for.
  mutating func node(_ node: ONNXNode, _ attributes: [String: ONNXAttribute]) -> ONNXNode {
    var copy = ONNXNode(
      name: prefix + node.name, op: node.op, domain: node.domain, opset: node.opset,
      inputs: node.inputs.map { name($0) }, outputs: node.outputs.map { name($0) })
    copy.overload = node.overload
    for (key, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
      switch attribute {
      case .reference(let reference): copy.attributes[key] = attributes[reference]
      case .graph(let graph): copy.attributes[key] = .graph(subgraph(graph, attributes))
      case .graphs(let graphs):
        copy.attributes[key] = .graphs(graphs.map { subgraph($0, attributes) })
      default: copy.attributes[key] = attribute
      }
    }
    return copy
  }

  private mutating func subgraph(
    _ graph: ONNXSubgraph, _ attributes: [String: ONNXAttribute]
  ) -> ONNXSubgraph {
    var copy = graph
    copy.inputs = graph.inputs.map { ONNXValue(name: name($0.name), type: $0.type, dims: $0.dims) }
    copy.initializers = [:]
    for (key, tensor) in graph.initializers.sorted(by: { $0.key < $1.key }) {
      copy.initializers[name(key)] = tensor
    }
    copy.nodes = graph.nodes.map { node($0, attributes) }
    copy.outputs = graph.outputs.map {
      ONNXValue(name: name($0.name), type: $0.type, dims: $0.dims)
    }
    return copy
  }
}
