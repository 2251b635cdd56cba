import ConvcIR

/// The parallel region of `prepare`: the kernels that write the packed block.
struct PrepareText {
  let module: CModule
  let pointers: Pointers
  let functions: [String: KernelFunction]
  let profile: Profile?

  var lines: [String] {
    var pieces: [StepText.Piece] = []
    // Entries that may still be being written.
    var open: Set<String> = []
    let small = module.packed.indices.filter { isSmall(module.packed[$0].entry) }
    if !small.isEmpty {
      let restart = profile.map { _ in Profile.restart }
      pieces.append(StepText.single(small.map(piece)).clocked(restart))
      open.formUnion(small.map { module.packed[$0].entry.key })
    }
    for index in module.packed.indices where !small.contains(index) {
      let entry = module.packed[index].entry
      if let key = calls(of: entry).packedKeys(read: entry.prepare).first(where: open.contains) {
        let barrier = ProgramText.barrier("\(key) is complete")
        pieces.append(barrier.clocked(profile?.mark(.barrier(.prepare, index))))
        open = []
      }
      let piece = self.piece(index)
      pieces.append(entry.prepare.isParallel ? piece : StepText.single([piece]))
      open.insert(entry.key)
    }
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

  /// Whether one thread does it before all else, with other such work.
  private func isSmall(_ entry: PackedEntry) -> Bool {
    !entry.prepare.isParallel && calls(of: entry).packedKeys(read: entry.prepare).isEmpty
  }

  private func calls(of entry: PackedEntry) -> CallText {
    CallText(kernels: module.kernels(of: entry), pointers: pointers)
  }

  /// The call that writes an entry.
  private func piece(_ index: Int) -> StepText.Piece {
    let slot = module.packed[index]
    let call = slot.entry.prepare
    let function = functions.named(slot.function)
    function.check(call, isShared: call.isParallel)
    let indentation = call.isParallel ? "    " : "        "
    let (lines, needs) = calls(of: slot.entry).lines(
      call, function: function.symbol, indentation: indentation)
    return StepText.Piece(lines: lines, needs: needs)
      .clocked(profile?.mark(.call(.prepare, index)), indentation: indentation)
  }
}
