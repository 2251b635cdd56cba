/// What the backward pass computes of one group.
public struct BackwardGroup: Sendable, Hashable {
  /// Index of the group.
  public let group: Int
  /// For each input of the group whether its gradient is wanted.
  public let inputs: [Bool]
  /// The same for the operands of the group's members, in order.
  public let operands: [Bool]
  /// Whether the anchor's trainable parameters get gradients.
  public let parameters: Bool
  /// What the forward pass saves for this, in words.
  public let saved: [String]

  public init(group: Int, inputs: [Bool], operands: [Bool], parameters: Bool, saved: [String]) {
    self.group = group
    self.inputs = inputs
    self.operands = operands
    self.parameters = parameters
    self.saved = saved
  }
}

/// The fused graph with its backward pass; for inference there is none.
public struct TrainingGraph: Sendable {
  public let fused: FusedGraph
  /// In the order in which they run.
  public let backward: [BackwardGroup]
  /// For every tensor that needs a gradient the names of those who add to it, in order: the first stores.
  public let contributions: [Tensor.ID: [String]]
  private let steps: [Group.ID: Int]

  public init(
    fused: FusedGraph, backward: [BackwardGroup], contributions: [Tensor.ID: [String]]
  ) {
    self.fused = fused
    self.backward = backward
    self.contributions = contributions
    steps = Dictionary(
      uniqueKeysWithValues: backward.enumerated().map { ($1.group, $0) })
  }

  /// What the backward pass computes of a group; nil: nothing.
  public func backward(of group: Group) -> BackwardGroup? { steps[group.id].map { backward[$0] } }

  /// A program that only infers.
  public static func inference(_ fused: FusedGraph) -> TrainingGraph {
    TrainingGraph(fused: fused, backward: [], contributions: [:])
  }

  public var mode: Mode { fused.mode }
  public var graph: Graph { fused.graph }
}
