/// Pads a text with spaces to a width.
func column(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

/// Lines in columns: each as wide as its widest entry.
public func table(_ rows: [[String]]) -> String {
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { index in
    (rows.compactMap { index < $0.count ? $0[index].count : nil }.max() ?? 0) + 2
  }
  return rows.map { row in
    var line = ""
    for (index, entry) in row.enumerated() { line += column(entry, widths[index]) }
    while line.last == " " { line.removeLast() }
    return line
  }.joined(separator: "\n")
}

extension Model: CustomStringConvertible {
  public var description: String {
    var rows = inputs.map {
      ["input", $0.name, $0.shape.map(String.init).joined(separator: "x")]
    }
    for node in nodes {
      rows.append([
        node.name,
        node.layer.summary + (node.isFrozen ? " (frozen)" : "")
          + (node.regularizer.map { " (\($0))" } ?? ""),
        node.inputs.joined(separator: ", "),
      ])
    }
    rows += outputs.map { ["output", $0.name, $0.node] }
    rows += losses.map {
      [
        "loss", "\($0.name): \(type(of: $0.loss).kind), weight \($0.weight)",
        "\($0.output), \($0.target)",
      ]
    }
    if let regularizer { rows.append(["regularizer", "\(regularizer)", ""]) }
    return "model \(name)\n" + table(rows)
  }
}

extension Graph: CustomStringConvertible {
  public var description: String {
    var rows = inputs.map { ["input", self[$0].name, "", self[$0].type.description] }
    for node in nodes {
      let reads = node.inputs.map { self[$0].name }.joined(separator: ", ")
      rows.append([
        node.name, node.layer.summary + (node.isFrozen ? " (frozen)" : ""), reads,
        self[node.output].type.description,
      ])
    }
    rows += outputs.map { ["output", $0.name, self[$0.tensor].name, ""] }
    rows += targets.map { ["target", $0.name, "", $0.type.description] }
    rows += losses.map { ["loss", $0.name, outputs[$0.output].name, "weight \($0.weight)"] }
    let table2 = parameters.map {
      [
        $0.name, $0.spec.shape.map(String.init).joined(separator: "x"), "\($0.kind)",
        "at \($0.offset)",
      ] + ($0.regularizer.map { ["\($0)"] } ?? [])
    }
    return "graph \(name), batch \(batch)\n\(table(rows))\nparameters\n\(table(table2))"
  }
}

extension FusedGraph: CustomStringConvertible {
  public var description: String {
    var rows: [[String]] = []
    for group in groups {
      let reads = group.reads.map { graph[$0].name }.joined(separator: ", ")
      rows.append([group.name, reads, graph[group.output].type.description])
    }
    let views = graph.tensors.compactMap { tensor in
      self.views[tensor.id].map { "view \(tensor.name) of \(graph[$0].name)" }
    }
    let notes = notes.map { note in
      note.joined.map { "fused \(note.layer) into \($0): \(note.reason)" }
        ?? "kept \(note.layer) apart: \(note.reason)"
    }
    return (["fused graph \(graph.name), \(mode.rawValue)", table(rows)] + views + notes)
      .joined(separator: "\n")
  }
}

extension TrainingGraph: CustomStringConvertible {
  public var description: String {
    guard mode == .training else { return "no backward pass: \(graph.name) infers" }
    var rows: [[String]] = []
    for step in backward {
      let group = fused.groups[step.group]
      let operands = group.members.flatMap(\.operands)
      var wanted = step.parameters ? ["parameters"] : []
      wanted += zip(group.inputs, step.inputs).filter(\.1).map { graph[$0.0].name }
      wanted += zip(operands, step.operands).filter(\.1).map { graph[$0.0].name }
      rows.append([
        group.name, "gradients of " + wanted.joined(separator: ", "),
        step.saved.isEmpty ? "" : "saved: " + step.saved.joined(separator: ", "),
      ])
    }
    let sums = graph.tensors.compactMap { tensor -> String? in
      guard let parts = contributions[tensor.id], parts.count > 1 else { return nil }
      return "d_\(tensor.name) = " + parts.joined(separator: " + ")
    }
    return (["training graph \(graph.name)", table(rows)] + sums).joined(separator: "\n")
  }
}

extension KernelGraph: CustomStringConvertible {
  public var description: String {
    let choices = selections.map { choice in
      [
        choice.group, choice.family,
        choice.inputs.map(\.rawValue).joined(separator: ", ") + " -> " + choice.output.rawValue,
        "\(Int(choice.microseconds.rounded())) us",
        choice.others.isEmpty ? "" : "not " + choice.others.joined(separator: ", "),
      ]
    }
    return (["kernel graph \(graph.name), \(mode.rawValue), \(target)", table(choices)] + listing)
      .joined(separator: "\n")
  }

  /// A line for each call: its name, and what it reads and writes.
  public var listing: [String] {
    let rows = calls.enumerated().map { index, call -> [String] in
      let names = { (isWanted: (Access) -> Bool) in
        call.arguments.filter { isWanted($0.access) }.map { self[$0.buffer].name }
          .joined(separator: ", ")
      }
      return ["\(index)", call.name, names(\.reads), "-> " + names(\.writes)]
    }
    return table(rows).split(separator: "\n").map(String.init)
  }
}

extension MemoryPlan: CustomStringConvertible {
  public var description: String {
    let rows = slots.map { slot in
      [
        kernels[slot.buffer].name, "\(slot.bytes)", "at \(slot.offset)",
        "calls \(slot.first)...\(slot.last)",
      ]
    }
    return "memory plan \(kernels.graph.name), \(kernels.mode.rawValue): \(bytes) bytes, "
      + "lower bound \(lowerBound)\n" + table(rows)
  }
}

extension Schedule: CustomStringConvertible {
  public var description: String {
    let calls = plan.kernels.calls
    let lines = steps.map { step in
      switch step {
      case .shared(let call): calls[call].name
      case .single(let small): "single: " + small.map { calls[$0].name }.joined(separator: ", ")
      case .barrier(let reason): "barrier: \(reason)"
      }
    }
    return (["schedule \(plan.kernels.graph.name), \(plan.kernels.mode.rawValue)"] + lines)
      .joined(separator: "\n")
  }
}
