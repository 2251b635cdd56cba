/// A change of a graph of operators that keeps what it computes.
///
/// Each pass is a type with a file of its own, whose comment says what it finds and what it leaves.
public protocol GraphPass: Sendable {
  /// The pass in lists and messages: `fold-affine`.
  static var name: String { get }

  /// - Throws: constants that cannot be read.
  func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph
}

/// Simplifies a graph before it is converted: programs that export networks write activations, scales and paddings as several
/// operators, for which convc has one layer or none.
///
/// Before: a graph whose constants are folded. After: the same outputs from fewer operators.
public struct CleanUp: Sendable {
  /// The passes in their order: each finds what those before it left.
  public static let passes: [any GraphPass] = [
    RemoveIdentities(), FuseActivations(), CancelTransposes(), FoldPads(), FoldAffine(),
  ]

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var graph = graph
    for pass in Self.passes { graph = try pass.run(graph) }
    return graph
  }
}
