/// What a model's operators are, and which of its nodes cannot be converted: all of them, not the first alone.
public struct ONNXSurvey: Sendable {
  /// Number of nodes by operator, the most frequent first.
  public let operators: [(op: String, count: Int)]
  /// What is wrong with nodes, in the order in which they run; nodes that read what these compute are not looked at.
  public let problems: [ONNXError]
  /// What a user should know: dimensions that were chosen for him.
  public let notes: [String]
}

extension ConvertOperators {
  /// Looks at every node of a model.
  ///
  /// Operators are those of the file, its own functions unfolded; what constants alone decide is no node any more.
  ///
  /// - Throws: what keeps the model from being looked at: dimensions or constants that cannot be.
  public func survey(_ graph: ONNXGraph) throws(ONNXError) -> ONNXSurvey {
    let (bound, notes) = try BindDimensions(dims: dims).run(graph)
    let folded = try FoldConstants().run(bound)
    var problems: [ONNXError]?
    let unknown = Self.unknownOperators(of: folded).map { [$0] } ?? []
    if let conversion = Conversion(folded, isUnbatched: false) { problems = conversion.problems() }
    if problems == nil, let conversion = Conversion(folded, isUnbatched: true) {
      problems = conversion.problems()
    }
    return ONNXSurvey(
      operators: graph.operatorCounts,
      problems: unknown
        + (problems ?? [
          ONNXError(graph.source, "has an input without a shape; give it one and export again")
        ]),
      notes: notes)
  }
}

extension Conversion {
  /// What cannot be converted, node by node; nil: axis 0 cannot be the batch.
  fileprivate func problems() -> [ONNXError]? {
    var problems: [ONNXError] = []
    var missing = Set<String>()
    for node in graph.nodes where !hasTooManyLayers {
      guard missing.isDisjoint(with: node.reads), OperatorTable.knows(node.title) else {
        missing.formUnion(node.outputs)
        continue
      }
      do {
        try convert(node)
      } catch {
        missing.formUnion(node.outputs)
        switch error {
        case .problem(let error): problems.append(error)
        case .needsAxis0(let error):
          if !isUnbatched { return nil }
          problems.append(error)
        }
      }
    }
    return problems
  }
}
