import ConvcIR

/// The parallel region of `prepare`: the kernels that write the packed block.
struct PrepareText {
  let module: CModule
  let pointers: Pointers
  let functions: [String: KernelFunction]
  let profile: Profile?

  var lines: [String] {
    var pieces: [StepText.Piece] = []
    var single: [StepText.Piece] = []
    var written = false
    func closeSingle() {
      let restart = profile.map { _ in Profile.restart }
      if !single.isEmpty { pieces.append(StepText.single(single).clocked(restart)) }
      single = []
    }
    for (index, slot) in module.packed.enumerated() {
      let call = slot.entry.prepare
      let calls = CallText(kernels: module.kernels(of: slot.entry), pointers: pointers)
      if written, calls.readsPacked(call) {
        closeSingle()
        let barrier = ProgramText.barrier("\(slot.entry.key) reads the packed block")
        pieces.append(barrier.clocked(profile?.mark(.barrier(.prepare, index))))
      }
      let function = functions.named(slot.function)
      function.check(call, isShared: call.isParallel)
      let indentation = call.isParallel ? "    " : "        "
      let (lines, needs) = calls.lines(
        call, function: function.symbol, indentation: indentation)
      let piece = StepText.Piece(lines: lines, needs: needs)
        .clocked(profile?.mark(.call(.prepare, index)), indentation: indentation)
      if call.isParallel {
        closeSingle()
        pieces.append(piece)
      } else {
        single.append(piece)
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
