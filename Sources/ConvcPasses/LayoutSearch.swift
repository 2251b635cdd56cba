import ConvcIR

/// Finds the candidate of each group so that kernels and reorders together cost least.
///
/// Descends from several starts, changing one group at a time while that helps, and keeps the best end: exact on chains
/// in practice, deterministic, and quick for hundreds of groups.
struct LayoutSearch {
  private let candidates: [[Candidate]]
  private let tensors: [Shared]
  /// The tensors that each group reads or writes.
  private let touched: [[Int]]

  /// A tensor's memory, which has one buffer per layout that somebody wants.
  private struct Shared {
    /// nil: an input of the network, in rows.
    var producer: Int?
    var inputs: [(group: Int, index: Int)] = []
    /// Groups that read it in the layout of their output.
    var operands: [Int] = []
    var isOutput = false
    /// Microseconds of one more layout.
    let reorder: Double
  }

  init(training: TrainingGraph, candidates: [[Candidate]]) {
    let fused = training.fused
    var numbers: [Tensor.ID: Int] = [:]
    var tensors: [Shared] = []
    func number(_ tensor: Tensor.ID) -> Int {
      let storage = fused.storage(of: tensor)
      if let known = numbers[storage] { return known }
      let passes = training.contributions[storage] == nil ? 1.0 : 2.0
      // Bytes are read and written at a few gigabytes a second, as a transposition does.
      let bytes = Double(fused.graph[storage].type.bytes)
      tensors.append(Shared(reorder: passes * (0.5 + bytes / 4e3)))
      numbers[storage] = tensors.count - 1
      return tensors.count - 1
    }
    var touched: [[Int]] = []
    for group in fused.groups {
      let output = number(group.output)
      tensors[output].producer = group.id
      let inputs = group.inputs.map(number)
      for (index, input) in inputs.enumerated() {
        tensors[input].inputs.append((group.id, index))
      }
      let operands = group.members.flatMap(\.operands).map(number)
      for operand in operands { tensors[operand].operands.append(group.id) }
      touched.append(Array(Set([output] + inputs + operands)))
    }
    for output in fused.graph.outputs { tensors[number(output.tensor)].isOutput = true }
    self.candidates = candidates
    self.tensors = tensors
    self.touched = touched
  }

  func best() -> [Int] {
    var best: [Int] = []
    var least = Double.infinity
    for family in ["generic", "lanes", "blocked"] {
      var choice = candidates.map { offered in
        offered.firstIndex { $0.family == family } ?? 0
      }
      descend(&choice)
      let cost = total(choice)
      if cost < least {
        least = cost
        best = choice
      }
    }
    return best
  }

  private func descend(_ choice: inout [Int]) {
    var improved = true
    while improved {
      improved = false
      for group in candidates.indices where candidates[group].count > 1 {
        let before = choice[group]
        var least = cost(around: group, choice)
        var best = before
        for other in candidates[group].indices where other != before {
          choice[group] = other
          let trial = cost(around: group, choice)
          if trial < least - 1e-9 {
            least = trial
            best = other
          }
        }
        choice[group] = best
        if best != before { improved = true }
      }
    }
  }

  /// Microseconds of all kernels and reorders.
  private func total(_ choice: [Int]) -> Double {
    let kernels = zip(candidates, choice).reduce(0) { $0 + $1.0[$1.1].microseconds }
    return tensors.reduce(kernels) { $0 + reorders(of: $1, choice) }
  }

  /// The part of the total that a group's choice changes.
  private func cost(around group: Int, _ choice: [Int]) -> Double {
    let kernel = candidates[group][choice[group]].microseconds
    return touched[group].reduce(kernel) { $0 + reorders(of: tensors[$1], choice) }
  }

  private func reorders(of tensor: Shared, _ choice: [Int]) -> Double {
    let written = tensor.producer.map { candidates[$0][choice[$0]].output } ?? .nchw
    var wanted = Set<Layout>()
    for (group, index) in tensor.inputs {
      wanted.insert(candidates[group][choice[group]].inputs[index])
    }
    for group in tensor.operands { wanted.insert(candidates[group][choice[group]].output) }
    if tensor.isOutput { wanted.insert(.nchw) }
    wanted.remove(written)
    return Double(wanted.count) * tensor.reorder
  }
}
