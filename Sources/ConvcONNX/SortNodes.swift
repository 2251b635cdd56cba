/// Puts each node behind those whose values it reads, and finds what contradicts itself.
///
/// Before: nodes as they stand in the file. After: an order in which they can run; a file that is in
/// order stays as it is. Every value that is read is defined, and none is twice. Needs functions
/// unfolded.
struct SortNodes {
  func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var graph = graph
    var defined: Set<String> = Set(graph.initializers.keys)
    for input in graph.inputs {
      guard defined.insert(input.name).inserted else {
        throw ONNXError(
          "input \(ONNXError.quoted(input.name))",
          "is defined twice; \(ONNXError.exportAgain)")
      }
    }
    graph.nodes = try sorted(graph.nodes, &defined)
    guard !graph.outputs.isEmpty else {
      throw ONNXError(graph.source, "has no outputs; \(ONNXError.exportAgain)")
    }
    try check(graph.outputs, defined, "output")
    return graph
  }

  private func check(
    _ outputs: [ONNXValue], _ defined: Set<String>, _ role: String
  ) throws(ONNXError) {
    for output in outputs where !defined.contains(output.name) {
      throw ONNXError(
        "\(role) \(ONNXError.quoted(output.name))",
        "is computed by no node; \(ONNXError.exportAgain)")
    }
  }

  /// - Parameter defined: names that are defined before and around the nodes; theirs are added.
  private func sorted(
    _ nodes: [ONNXNode], _ defined: inout Set<String>
  ) throws(ONNXError) -> [ONNXNode] {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty {
        guard !defined.contains(output), producers.updateValue(index, forKey: output) == nil else {
          throw node.error(
            "defines value \(ONNXError.quoted(output)), which is defined elsewhere, too; "
              + ONNXError.exportAgain)
        }
      }
    }
    var needs: [[Int]] = []
    needs.reserveCapacity(nodes.count)
    for node in nodes {
      var producing: [Int] = []
      for name in node.reads {
        if let producer = producers[name] {
          producing.append(producer)
        } else if !defined.contains(name) {
          throw undefined(name, node)
        }
      }
      needs.append(producing)
    }
    let order = try order(needs, nodes)
    defined.formUnion(producers.keys)
    var result: [ONNXNode] = []
    result.reserveCapacity(nodes.count)
    for index in order { result.append(try checked(nodes[index], &defined)) }
    return result
  }

  private func undefined(_ name: String, _ node: ONNXNode) -> ONNXError {
    let input = node.inputs.firstIndex(of: name).map { "input \($0)" } ?? "a subgraph"
    return node.error(
      "reads value \(ONNXError.quoted(name)) (\(input)), which no input, initializer or node "
        + "defines; \(ONNXError.exportAgain)")
  }

  /// A node with its subgraphs sorted and its attributes found complete.
  private func checked(
    _ node: ONNXNode, _ defined: inout Set<String>
  ) throws(ONNXError) -> ONNXNode {
    guard !node.attributes.isEmpty else { return node }
    var node = node
    for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
      switch attribute {
      case .reference(let reference):
        throw node.error(
          "attribute \(ONNXError.quoted(name)) refers to \(ONNXError.quoted(reference)) outside of "
            + "a function; \(ONNXError.exportAgain)")
      case .graph(let graph):
        node.attributes[name] = .graph(try sorted(graph, &defined))
      case .graphs(let graphs):
        var sortedGraphs: [ONNXSubgraph] = []
        for graph in graphs { sortedGraphs.append(try sorted(graph, &defined)) }
        node.attributes[name] = .graphs(sortedGraphs)
      default: break
      }
    }
    return node
  }

  private func sorted(
    _ graph: ONNXSubgraph, _ defined: inout Set<String>
  ) throws(ONNXError) -> ONNXSubgraph {
    var graph = graph
    // What the subgraph defines is known within it only.
    var own = Set(graph.initializers.keys).union(graph.inputs.map(\.name))
    for node in graph.nodes { own.formUnion(node.outputs) }
    own = own.filter { !defined.contains($0) }
    defined.formUnion(graph.initializers.keys)
    defined.formUnion(graph.inputs.map(\.name))
    graph.nodes = try sorted(graph.nodes, &defined)
    try check(graph.outputs, defined, "a subgraph's output")
    defined.subtract(own)
    return graph
  }

  /// Numbers of the nodes, each behind all that it needs, else as they stand.
  private func order(_ needs: [[Int]], _ nodes: [ONNXNode]) throws(ONNXError) -> [Int] {
    enum State { case new, open, done }
    var states = [State](repeating: .new, count: nodes.count)
    var order: [Int] = []
    order.reserveCapacity(nodes.count)
    // The way from a node to what it needs, each with the next need to look at.
    var path: [(node: Int, next: Int)] = []
    for start in nodes.indices where states[start] == .new {
      path.append((start, 0))
      states[start] = .open
      while let (node, next) = path.last {
        guard next < needs[node].count else {
          states[node] = .done
          order.append(node)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let need = needs[node][next]
        switch states[need] {
        case .new:
          path.append((need, 0))
          states[need] = .open
        case .open: throw cycle(path.map(\.node), to: need, nodes)
        case .done: break
        }
      }
    }
    return order
  }

  private func cycle(_ path: [Int], to node: Int, _ nodes: [ONNXNode]) -> ONNXError {
    let start = path.firstIndex(of: node) ?? 0
    var names = path[start...].reversed().map { ONNXError.quoted(nodes[$0].name) }
    if names.count > 8 { names = names.prefix(4) + ["…"] + names.suffix(3) }
    names.append(names.first ?? "")
    return nodes[node].error(
      "reads what is computed from its own output: \(names.joined(separator: " to ")); "
        + ONNXError.exportAgain)
  }
}
