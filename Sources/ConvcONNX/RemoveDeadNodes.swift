/// Removes nodes and initializers that no output depends on.
///
/// Before: all that the file has. After: what the outputs need; inputs stay, needed or not, because
/// callers pass them. Needs the nodes sorted.
public struct RemoveDeadNodes: Sendable {
  public init() {}

  public func run(_ graph: ONNXGraph) -> ONNXGraph {
    var graph = graph
    var needed = Set(graph.outputs.map(\.name))
    var kept: [ONNXNode] = []
    for node in graph.nodes.reversed() where node.outputs.contains(where: needed.contains) {
      needed.formUnion(node.reads)
      kept.append(node)
    }
    graph.nodes = kept.reversed()
    graph.initializerNames = graph.initializerNames.filter(needed.contains)
    graph.initializers = graph.initializers.filter { needed.contains($0.key) }
    return graph
  }
}
