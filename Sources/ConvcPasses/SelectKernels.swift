import ConvcIR

/// Chooses a family of kernels and layouts for each group, and turns the groups into kernel calls.
///
/// Before: groups and what backward wants of them. After: one list of calls (forward, losses, backward) on buffers with
/// layouts and halos, and explicit reorders between layouts. Each group offers candidates; the least sum of their costs
/// and of the reorders between them wins. A tensor has one buffer per layout for all its readers, forward and
/// backward; a convolution's input carries the zero halo that the widest of its readers needs. Needs the backward pass:
/// it counts in the cost, and shares layouts and saved buffers with the forward pass.
public struct SelectKernels: Pass {
  public static let name = "select-kernels"

  public let target: Target
  public let library: any KernelLibrary
  /// Families that may be chosen; nil: all. `generic` is always a candidate where nothing else is left.
  public let families: Set<String>?
  /// Layers that the build's training step goes back through: forward kernels save what that needs.
  public let saving: Set<Node.ID>
  /// Bytes from which on memory is saved at the cost of a pass over it.
  public let smallestSaving: Int

  public init(
    target: Target, library: any KernelLibrary, families: Set<String>? = nil,
    saving: Set<Node.ID> = [], smallestSaving: Int
  ) {
    self.target = target
    self.library = library
    self.families = families
    self.saving = saving
    self.smallestSaving = smallestSaving
  }

  public func run(_ training: TrainingGraph) -> KernelGraph {
    let contexts = training.fused.groups.map { context(of: $0, in: training) }
    let candidates = contexts.map { self.candidates(of: $0, in: training) }
    let search = LayoutSearch(training: training, candidates: candidates)
    let chosen = search.best()
    var lowering = KernelLowering(
      training: training, contexts: contexts, chosen: zip(candidates, chosen).map { $0[$1] },
      target: target, library: library, smallestSaving: smallestSaving)
    let lowered = lowering.run()
    return KernelGraph(
      graph: training.graph, mode: training.mode, target: target,
      selections: selections(training, candidates, chosen), buffers: lowered.buffers,
      calls: lowered.calls, packed: lowered.packed)
  }

  private func context(of group: Group, in training: TrainingGraph) -> GroupContext {
    GroupContext(
      group: group, graph: training.graph, mode: training.mode, target: target,
      backward: training.backward(of: group),
      savesForBackward: !saving.isDisjoint(with: group.nodes))
  }

  private func candidates(of context: GroupContext, in training: TrainingGraph) -> [Candidate] {
    let group = context.group
    let offered =
      context.anchor.map { $0.layer.candidates(for: context) } ?? library.elementwise(context)
    let possible = offered.filter { candidate in
      // A view's memory is its source's; only layouts that keep the order within an image can be one.
      group.inputs.indices.allSatisfy {
        training.fused.permits(candidate.inputs[$0], candidate.halos[$0], of: group.inputs[$0])
      }
        && group.members.flatMap(\.operands).allSatisfy {
          training.fused.permits(candidate.output, .none, of: $0)
        }
    }
    let wanted = possible.filter { families?.contains($0.family) ?? true }
    let result = wanted.isEmpty ? possible.filter { $0.family == "generic" } : wanted
    guard !result.isEmpty else {
      preconditionFailure("internal error: \(group.name) has no generic kernel")
    }
    return result
  }

  private func selections(
    _ training: TrainingGraph, _ candidates: [[Candidate]], _ chosen: [Int]
  ) -> [Selection] {
    training.fused.groups.map { group in
      let offered = candidates[group.id]
      let choice = offered[chosen[group.id]]
      let others = offered.indices.filter { $0 != chosen[group.id] }.map {
        "\(offered[$0].family) \(offered[$0].output.rawValue) \(microseconds(offered[$0].microseconds))"
      }
      return Selection(
        group: group.name, family: choice.family, inputs: choice.inputs, output: choice.output,
        microseconds: choice.microseconds, others: others)
    }
  }
}

/// A time in words: `12.5 us`.
func microseconds(_ value: Double) -> String {
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10) us"
}

extension FusedGraph {
  /// Whether a tensor can be read so: a view's memory is its source's, without room for a halo, and the layout has to keep
  /// the order within an image, or of all values where the view has other images.
  fileprivate func permits(_ layout: Layout, _ halo: Halo, of tensor: Tensor.ID) -> Bool {
    guard isReshaped(tensor) else { return true }
    guard halo.isNone else { return false }
    switch layout {
    case .nchw: return true
    case .lanes: return !changesImages(tensor)
    case .blocked: return false
    }
  }
}
