import ConvcIR

/// The parallel region of `prepare`: the kernels that write the packed block.
struct PrepareText {
  let module: CModule
  let blocks: BlockOffsets
  let functions: [String: KernelFunction]

  var lines: [String] {
    var pieces: [StepText.Piece] = []
    var written = false
    for slot in module.packed {
      let calls = CallText(
        kernels: kernels(of: slot.entry), plan: nil, arena: nil, blocks: blocks)
      if written, calls.readsPacked(slot.entry.prepare) {
        pieces.append(ProgramText.barrier("\(slot.entry.key) reads the packed block"))
      }
      pieces.append(piece(slot, calls))
      written = true
    }
    if pieces.isEmpty {
      let lines = ["    (void)parameters;  // nothing is packed", "    (void)packed;"]
      pieces.append(StepText.Piece(lines: lines, roots: []))
    }
    let run = StepText(
      name: "run_prepare",
      comment: ["// All threads run this: each kernel writes an entry of the packed block."],
      parameters: ["const float *parameters", "char *packed"],
      arguments: ["parameters", "packed"],
      unpack: { root in
        guard root == .parameters || root == .packed else {
          preconditionFailure("internal error: a kernel of prepare uses \(root.rawValue)")
        }
        return nil
      })
    return run.lines(pieces)
  }

  private func piece(_ slot: PackedSlot, _ calls: CallText) -> StepText.Piece {
    let call = slot.entry.prepare
    let function = functions.named(slot.function)
    function.check(call, isShared: call.isParallel)
    if call.isParallel {
      let (lines, roots) = calls.lines(call, function: function.symbol, indentation: "    ")
      return StepText.Piece(lines: lines, roots: roots)
    }
    let (lines, roots) = calls.lines(call, function: function.symbol, indentation: "        ")
    return StepText.Piece(
      lines: ["    OMP(omp single nowait)", "    {"] + lines + ["    }"], roots: roots)
  }

  /// The graph whose buffers the entry's kernel names.
  private func kernels(of entry: PackedEntry) -> KernelGraph {
    let graphs = [module.inference, module.training].compactMap { $0?.schedule.plan.kernels }
    guard let graph = graphs.first(where: { $0.packed.contains(entry) }) else {
      preconditionFailure("internal error: no program has the packed entry \(entry.key)")
    }
    return graph
  }
}
