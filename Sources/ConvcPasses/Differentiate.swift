import ConvcIR

/// Finds which gradients the backward pass computes, and in which order they add up.
///
/// Before: the forward groups. After: for each group between a loss and something trainable its backward kernels (by
/// data, by parameters, by operands), what they read that forward has to save, and for each tensor the list of those who
/// add to its gradient: the first stores, later ones add. Frozen layers get no parameter gradient, and where nothing
/// trainable lies before a group nothing is emitted for it. Needs groups: each gives its fused backward kernels.
public struct Differentiate: Pass {
  public static let name = "differentiate"

  public init() {}

  public func run(_ fused: FusedGraph) -> TrainingGraph {
    guard fused.mode == .training else { return .inference(fused) }
    let graph = fused.graph
    let trainable = trainableTensors(of: fused)
    var contributions: [Tensor.ID: [String]] = [:]
    for loss in graph.losses {
      let prediction = fused.storage(of: loss.prediction)
      if trainable.contains(prediction) { contributions[prediction, default: []].append(loss.name) }
    }
    var backward: [BackwardGroup] = []
    for group in fused.groups.reversed() {
      guard contributions[fused.storage(of: group.output)] != nil else { continue }
      let wants = { (tensor: Tensor.ID) in trainable.contains(fused.storage(of: tensor)) }
      let step = BackwardGroup(
        group: group.id, inputs: group.inputs.map(wants),
        operands: group.members.flatMap(\.operands).map(wants),
        parameters: hasTrainableParameters(group, graph), saved: saved(by: group, graph))
      guard step.parameters || step.inputs.contains(true) || step.operands.contains(true) else {
        continue
      }
      for tensor in group.reads where wants(tensor) {
        contributions[fused.storage(of: tensor), default: []].append(group.name)
      }
      backward.append(step)
    }
    return TrainingGraph(fused: fused, backward: backward, contributions: contributions)
  }

  /// Tensors that depend on a trainable parameter.
  private func trainableTensors(of fused: FusedGraph) -> Set<Tensor.ID> {
    var result: Set<Tensor.ID> = []
    for group in fused.groups {
      let reads = group.reads.map { fused.storage(of: $0) }
      if hasTrainableParameters(group, fused.graph) || reads.contains(where: result.contains) {
        result.insert(fused.storage(of: group.output))
      }
    }
    return result
  }

  private func hasTrainableParameters(_ group: Group, _ graph: Graph) -> Bool {
    guard let anchor = group.anchor else { return false }
    return graph[anchor].parameters.contains { graph.parameters[$0].kind == .trainable }
  }

  private func saved(by group: Group, _ graph: Graph) -> [String] {
    var saved: [String] = []
    if let anchor = group.anchor, !graph[anchor].parameters.isEmpty {
      saved += group.inputs.map { graph[$0].name }
    }
    if let first = group.members.first, first.epilogue.gradientNeed == .input,
      group.anchor == nil
    {
      saved.append("\(graph[group.inputs[0]].name) (for \(graph[first.node].name))")
    }
    if let shown = group.epilogues.first(where: { $0.epilogue.gradientNeed.trace != .nothing }) {
      saved.append("\(graph[group.output].name) (for \(graph[shown.node].name))")
    }
    if let pool = group.poolingNode { saved.append("winners of \(graph[pool].name)") }
    return saved
  }
}
