import ConvcIR

/// The parallel region of `prepare`: the kernels that write the packed block.
struct PrepareText {
  let module: CModule
  let pointers: Pointers
  let functions: [String: KernelFunction]

  var lines: [String] {
    var pieces: [StepText.Piece] = []
    var single: [StepText.Piece] = []
    var written = false
    func closeSingle() {
      if !single.isEmpty { pieces.append(StepText.single(single)) }
      single = []
    }
    for slot in module.packed {
      let call = slot.entry.prepare
      let calls = CallText(kernels: module.kernels(of: slot.entry), pointers: pointers)
      if written, calls.readsPacked(call) {
        closeSingle()
        pieces.append(ProgramText.barrier("\(slot.entry.key) reads the packed block"))
      }
      let function = functions.named(slot.function)
      function.check(call, isShared: call.isParallel)
      let (lines, needs) = calls.lines(
        call, function: function.symbol, indentation: call.isParallel ? "    " : "        ")
      if call.isParallel { closeSingle() }
      if call.isParallel {
        pieces.append(StepText.Piece(lines: lines, needs: needs))
      } else {
        single.append(StepText.Piece(lines: lines, needs: needs))
      }
      written = true
    }
    closeSingle()
    if pieces.isEmpty {
      let lines = ["    (void)parameters;  // nothing is packed", "    (void)packed;"]
      pieces.append(StepText.Piece(lines: lines))
    }
    let run = StepText(
      name: "run_prepare",
      comment: ["// All threads run this: each kernel writes an entry of the packed block."],
      parameters: ["const float *parameters", "void *packed"],
      arguments: ["parameters", "packed"], pointers: pointers,
      unpack: { root in
        guard root == .parameters || root == .packed else {
          preconditionFailure("internal error: a kernel of prepare uses \(root.rawValue)")
        }
        return nil
      })
    return run.lines(pieces)
  }
}
