import ConvcIR

/// Gradients of tensors: where readers write them, how they add up, and which ones nobody stores.
final class GradientTable {
  private let training: TrainingGraph
  private let chosen: [Candidate]
  private let lanes: Int
  private let library: any KernelLibrary
  private let instances: Instances
  private let table: BufferTable
  private let calls: CallList

  private var states: [Key: State] = [:]
  private var deferred: [Tensor.ID: DeferredGradient] = [:]

  private struct Key: Hashable {
    let tensor: Tensor.ID
    let layout: Layout
  }

  private struct State {
    let placement: Placement
    var isWritten: Bool
  }

  /// - Parameter chosen: The candidate of each group.
  init(
    training: TrainingGraph, chosen: [Candidate], lanes: Int, library: any KernelLibrary,
    instances: Instances, table: BufferTable, calls: CallList
  ) {
    self.training = training
    self.chosen = chosen
    self.lanes = lanes
    self.library = library
    self.instances = instances
    self.table = table
    self.calls = calls
  }

  private var fused: FusedGraph { training.fused }
  private var graph: Graph { training.graph }

  /// Whether anything before a tensor wants its gradient.
  func isWanted(_ tensor: Tensor.ID) -> Bool {
    training.contributions[fused.storage(of: tensor)] != nil
  }

  // MARK: Gradients that nobody stores

  /// Whether a gradient that one group passes on need not be stored: its only reader can compute it.
  func isDeferrable(_ tensor: Tensor.ID, _ layout: Layout) -> Bool {
    guard fused.storage(of: tensor) == tensor, training.contributions[tensor]?.count == 1,
      let producer = fused.producer(of: tensor), training.backward(of: producer) != nil
    else { return false }
    let candidate = chosen[producer.id]
    return candidate.readsDeferred && candidate.output == layout
  }

  /// Notes how a gradient that nobody stores is computed.
  func set(_ gradient: DeferredGradient?, of tensor: Tensor.ID) { deferred[tensor] = gradient }

  /// How a gradient that nobody stores is computed; nil: it is stored.
  func deferredGradient(of tensor: Tensor.ID) -> DeferredGradient? { deferred[tensor] }

  // MARK: Gradients in memory

  /// The place to which a reader's gradient goes. Asking counts as writing: the next asker adds.
  func target(_ tensor: Tensor.ID, _ layout: Layout) -> GradientPlacement {
    let storage = fused.storage(of: tensor)
    let state = state(storage, layout)
    states[Key(tensor: storage, layout: layout)]?.isWritten = true
    return GradientPlacement(
      placement: state.placement.viewed(as: graph[tensor].type), accumulates: state.isWritten)
  }

  /// The whole gradient of a group's output in the group's layout: what readers in other layouts wrote is added to it.
  func collected(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    var whole = state(tensor, layout)
    let name = graph[tensor].name
    for other in Layout.allCases where other != layout {
      guard let part = states[Key(tensor: tensor, layout: other)], part.isWritten else {
        continue
      }
      calls.append(
        [
          library.reorder(
            part.placement, to: whole.placement, name: "\(name)_gradient_to_\(layout.rawValue)",
            layers: [name], accumulates: whole.isWritten)
        ], on: whole.placement.type)
      whole.isWritten = true
    }
    precondition(whole.isWritten, "internal error: nothing writes the gradient of \(name)")
    states[Key(tensor: tensor, layout: layout)] = whole
    return whole.placement
  }

  private func state(_ storage: Tensor.ID, _ layout: Layout) -> State {
    let key = Key(tensor: storage, layout: layout)
    if let found = states[key] { return found }
    let placement = table.arena(
      name(storage, layout), for: graph[storage].type, layout: layout, lanes: lanes)
    let state = State(placement: placement, isWritten: false)
    states[key] = state
    return state
  }

  private func name(_ storage: Tensor.ID, _ layout: Layout) -> String {
    let name = "d_\(graph[storage].name)"
    let isUsual = instances.writtenLayout(of: storage).map { $0 == layout } ?? true
    return isUsual ? name : "\(name)_\(layout.rawValue)"
  }
}
