import ConvcIR

/// Finds the candidate of each group so that kernels and reorders together cost least.
///
/// Descends from several starts, changing one group at a time while that helps, and keeps the best end: exact on chains
/// in practice, deterministic, and quick for hundreds of groups.
struct LayoutSearch {
  let training: TrainingGraph
  let candidates: [[Candidate]]

  func best() -> [Int] {
    var best: [Int] = []
    var least = Double.infinity
    for family in ["generic", "lanes", "blocked"] {
      var choice = candidates.map { offered in
        offered.firstIndex { $0.family == family } ?? 0
      }
      let cost = descend(&choice)
      if cost < least {
        least = cost
        best = choice
      }
    }
    return best
  }

  private func descend(_ choice: inout [Int]) -> Double {
    var cost = total(choice)
    var improved = true
    while improved {
      improved = false
      for group in candidates.indices where candidates[group].count > 1 {
        let before = choice[group]
        for other in candidates[group].indices where other != choice[group] {
          let kept = choice[group]
          choice[group] = other
          let trial = total(choice)
          if trial < cost - 1e-9 {
            cost = trial
            improved = true
          } else {
            choice[group] = kept
          }
        }
        if choice[group] != before { improved = true }
      }
    }
    return cost
  }

  /// Microseconds of all kernels and reorders.
  private func total(_ choice: [Int]) -> Double {
    let fused = training.fused
    var layouts: [Tensor.ID: Layout] = [:]
    var demanded: [Tensor.ID: Set<Layout>] = [:]
    var cost = 0.0
    for input in fused.graph.inputs { layouts[input] = .nchw }
    for group in fused.groups {
      let candidate = candidates[group.id][choice[group.id]]
      cost += candidate.microseconds
      layouts[fused.storage(of: group.output)] = candidate.output
      for (input, layout) in zip(group.inputs, candidate.inputs) {
        demanded[fused.storage(of: input), default: []].insert(layout)
      }
      for operand in group.members.flatMap(\.operands) {
        demanded[fused.storage(of: operand), default: []].insert(candidate.output)
      }
    }
    for output in fused.graph.outputs {
      demanded[fused.storage(of: output.tensor), default: []].insert(.nchw)
    }
    for tensor in fused.graph.tensors {
      guard let layout = layouts[tensor.id], let wanted = demanded[tensor.id] else { continue }
      let passes = training.contributions[tensor.id] == nil ? 1.0 : 2.0
      let reorders = wanted.contains(layout) ? wanted.count - 1 : wanted.count
      // Bytes are read and written at a few gigabytes a second, as a transposition does.
      cost += Double(reorders) * passes * (0.5 + Double(tensor.type.bytes) / 4e3)
    }
    return cost
  }
}
