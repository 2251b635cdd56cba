/// Checks of the stages. A stage that fails one is a mistake in a pass, never the user's.
extension Graph {
  /// What is wrong with the graph; empty: nothing.
  public func verify() -> [String] {
    var problems: [String] = []
    var known = Set(inputs)
    for node in nodes {
      for input in node.inputs where !known.contains(input) {
        problems.append("\(node.name) reads \(self[input].name) before it is written")
      }
      known.insert(node.output)
      if self[node.output].producer != node.id {
        problems.append("\(node.name) is not the producer of its output")
      }
    }
    var offset = 0
    for parameter in parameters {
      if parameter.offset != offset { problems.append("\(parameter.name) is not at \(offset)") }
      offset += parameter.spec.count
    }
    if parameters.map(\.kind) != parameters.map(\.kind).sorted() {
      problems.append("parameters are not in the order trainable, frozen, statistic")
    }
    return problems
  }
}

extension FusedGraph {
  /// What is wrong with the groups; empty: nothing.
  public func verify() -> [String] {
    var problems: [String] = []
    var seen: [Node.ID: Int] = [:]
    for group in groups { for node in group.nodes { seen[node, default: 0] += 1 } }
    for node in graph.nodes {
      let expected = views[node.output] == nil ? 1 : 0
      if seen[node.id, default: 0] != expected {
        problems.append("\(node.name) is in \(seen[node.id, default: 0]) groups, not \(expected)")
      }
    }
    var written = Set(graph.inputs)
    for group in groups {
      for tensor in group.reads where !written.contains(storage(of: tensor)) {
        problems.append("\(group.name) reads \(graph[tensor].name) before it is written")
      }
      written.insert(group.output)
    }
    return problems
  }
}

extension KernelGraph {
  /// What is wrong with the calls; empty: nothing.
  public func verify() -> [String] {
    var problems: [String] = []
    var written: Set<Buffer.ID> = []
    for call in calls {
      for argument in call.arguments {
        let buffer = self[argument.buffer]
        guard buffer.arenaBytes > 0 else { continue }
        if argument.access.reads, !written.contains(buffer.id) {
          problems.append("\(call.name) reads \(buffer.name) before it is written")
        }
      }
      for argument in call.arguments where argument.access == .write {
        written.insert(argument.buffer)
      }
    }
    return problems
  }
}

extension MemoryPlan {
  /// What is wrong with the offsets; empty: nothing.
  public func verify() -> [String] {
    var problems: [String] = []
    for (index, a) in slots.enumerated() {
      if a.offset % 64 != 0 { problems.append("\(kernels[a.buffer].name) is not aligned") }
      if a.offset + a.bytes > bytes { problems.append("\(kernels[a.buffer].name) is outside") }
      for b in slots[(index + 1)...]
      where a.first <= b.last && b.first <= a.last && a.offset < b.offset + b.bytes
        && b.offset < a.offset + a.bytes
      {
        problems.append("\(kernels[a.buffer].name) and \(kernels[b.buffer].name) overlap")
      }
    }
    if bytes < lowerBound { problems.append("the arena is smaller than its lower bound") }
    return problems
  }
}

extension Schedule {
  /// What is wrong with the order; empty: nothing. Two calls that touch the same bytes, one of them writing, need a
  /// barrier between them unless one thread runs both.
  public func verify() -> [String] {
    var problems: [String] = []
    var order: [Int] = []
    var open: [(call: Int, single: Int?)] = []
    for (step, entry) in steps.enumerated() {
      let calls: [(Int, Int?)]
      switch entry {
      case .barrier:
        open = []
        continue
      case .shared(let call): calls = [(call, nil)]
      case .single(let small): calls = small.map { ($0, step) }
      }
      for (call, single) in calls {
        order.append(call)
        for other in open where other.single == nil || other.single != single {
          if let name = race(call, other.call) {
            problems.append(
              "\(plan.kernels.calls[call].name) and \(plan.kernels.calls[other.call].name) meet in \(name)"
            )
          }
        }
        open.append((call, single))
      }
    }
    if order != Array(plan.kernels.calls.indices) {
      problems.append("calls are missing or out of order")
    }
    return problems
  }

  private func race(_ a: Int, _ b: Int) -> String? {
    let kernels = plan.kernels
    for mine in kernels.calls[a].arguments {
      for theirs in kernels.calls[b].arguments
      where (mine.access.writes || theirs.access.writes) && plan.overlap(mine.buffer, theirs.buffer)
      {
        let halo = [mine.access, theirs.access].contains(.halo)
        let write = [mine.access, theirs.access].contains(.write)
        if mine.buffer == theirs.buffer, halo, write { continue }
        return kernels[mine.buffer].name
      }
    }
    return nil
  }
}
