import ConvcIR

/// Lines of a parallel region, as functions of at most 120 lines.
struct StepText {
  /// Lines that must stay in one function, and what they need at hand.
  struct Piece {
    let lines: [String]
    var needs = Needs()

    /// The same with a reading of the clock after it; nil: as it is.
    func clocked(_ mark: String?, indentation: String = "    ") -> Piece {
      guard let mark else { return self }
      var needs = needs
      needs.clock = true
      return Piece(lines: lines + [indentation + mark], needs: needs)
    }
  }

  /// Lines of a function.
  static let longest = 120

  /// Name of the function that runs all pieces.
  let name: String
  /// First lines of its comment.
  let comment: [String]
  /// Its parameters, and how it passes them on.
  let parameters: [String]
  let arguments: [String]
  let pointers: Pointers
  /// Declaration of each root from the parameters; nil: it is a parameter, or not to be had.
  let unpack: @Sendable (Root) -> String?

  /// One function, or several and one that calls them in turn.
  func lines(_ pieces: [Piece]) -> [String] {
    let chunks = chunks(pieces)
    guard chunks.count > 1 else { return comment + function(name, chunks[0]) }
    var lines: [String] = []
    var calls: [String] = []
    for (index, chunk) in chunks.enumerated() {
      let part = "\(name)_\(index + 1)"
      lines += ["// Part \(index + 1) of \(name)."] + function(part, chunk) + [""]
      calls += CText.list("    \(part)(", arguments, ");")
    }
    return lines + comment + head(of: name) + calls + ["}"]
  }

  /// Calls of one thread, 8 columns deep, as one piece.
  static func single(_ calls: [Piece]) -> Piece {
    let needs = calls.reduce(into: Needs()) { $0.formUnion($1.needs) }
    let inner = calls.flatMap(\.lines)
    let lines =
      calls.count == 1 && !needs.clock
      ? inner.map { String($0.dropFirst(4)) } : ["    {"] + inner + ["    }"]
    return Piece(lines: ["    OMP(omp single nowait)"] + lines, needs: needs)
  }

  /// Whether the pieces fit in one function.
  func fits(_ pieces: [Piece]) -> Bool {
    let needs = pieces.reduce(into: Needs()) { $0.formUnion($1.needs) }
    return length(pieces.reduce(0) { $0 + $1.lines.count }, needs) <= Self.longest
  }

  /// Lines of a function with so many lines of pieces, and what they need.
  private func length(_ lines: Int, _ needs: Needs) -> Int {
    let locals = locals(needs)
    return head(of: name).count + lines + locals.count + (locals.isEmpty ? 1 : 2)
  }

  private func chunks(_ pieces: [Piece]) -> [[Piece]] {
    var chunks: [[Piece]] = []
    var lines = 0
    var needs = Needs()
    // No function is longer than this; declarations are written out only where it would decide.
    var most = 0
    for piece in pieces {
      let added = piece.lines.count + Self.mostDeclarations(piece.needs, beside: needs)
      var together = needs
      together.formUnion(piece.needs)
      var length = most + added
      if !chunks.isEmpty, length > Self.longest {
        length = self.length(lines + piece.lines.count, together)
      }
      if !chunks.isEmpty, length <= Self.longest {
        chunks[chunks.count - 1].append(piece)
        (lines, needs, most) = (lines + piece.lines.count, together, length)
      } else {
        chunks.append([piece])
        (lines, needs) = (piece.lines.count, piece.needs)
        most = self.length(lines, needs)
      }
    }
    return chunks.isEmpty ? [[]] : chunks
  }

  /// The most lines that needs add to the declarations of others.
  private static func mostDeclarations(_ needs: Needs, beside others: Needs) -> Int {
    let places = needs.places.subtracting(others.places)
    let copies = places.count { if case .copy = $0 { true } else { false } }
    let lines = places.reduce(0) { $0 + ($1.hasOwnLine ? 1 : 2) }
    // For the base of copies two more, and an empty line above; each root's own line may begin a group, with an empty line and
    // a comment; the arena's comment comes with its second place.
    return lines + 2 * copies + (copies > 0 ? 1 : 0)
      + 3 * needs.roots.subtracting(others.roots).count + 1
      + (needs.clock && !others.clock ? 2 : 0)
  }

  private func head(of name: String) -> [String] {
    CText.list("static void \(name)(", parameters, ") {")
  }

  private func locals(_ needs: Needs) -> [String] {
    let roots = Root.allCases.filter(needs.roots.contains).compactMap(unpack).map { "    \($0)" }
    var locals = roots + pointers.declarations(needs.places)
    if needs.clock { locals += ["", "    \(Profile.start)"] }
    if locals.first == "" { locals.removeFirst() }
    return locals
  }

  private func function(_ name: String, _ pieces: [Piece]) -> [String] {
    let locals = locals(pieces.reduce(into: Needs()) { $0.formUnion($1.needs) })
    return head(of: name) + locals + (locals.isEmpty ? [] : [""]) + pieces.flatMap(\.lines) + ["}"]
  }
}

/// The parallel region of a program: calls of kernels, and the barriers between them.
struct ProgramText {
  /// Which entry point a program belongs to.
  enum Entry: String {
    case forward, gradients

    /// The same in a profile.
    var clocked: ProfileSlot.Entry { self == .forward ? .forward : .gradients }

    /// What there is a declaration for.
    var roots: [Root] {
      self == .gradients ? Root.allCases : [.packed, .inputs, .outputs, .arena, .batch, .groups]
    }

    /// What has a place in `struct forward_run` or `struct gradients_run`.
    func unpack(_ root: Root) -> String? {
      switch (root, self) {
      case (.packed, _): "const char *const packed = run->packed;"
      case (.inputs, _): "const void *const *const inputs = run->inputs;"
      case (.outputs, _): "void *const *const outputs = run->outputs;"
      case (.arena, _): "char *const arena = run->arena;"
      case (.batch, _): "const int batch = run->batch;"
      case (.groups, _): "const int groups = (run->batch + LANES - 1) / LANES;"
      case (.parameters, .gradients): "float *const parameters = run->parameters;"
      case (.targets, .gradients): "const void *const *const targets = run->targets;"
      case (.gradients, .gradients): "float *const gradients = run->gradients;"
      case (.losses, .gradients): "float *const losses = run->losses;"
      case (.accumulate, .gradients): "const int accumulate = run->options->accumulate != 0;"
      case (.seed, .gradients): "const uint64_t seed = run->options->seed;"
      case (.step, .gradients): "const uint64_t step = run->options->step;"
      case (_, .forward):
        preconditionFailure("internal error: a kernel of forward uses \(root.rawValue)")
      }
    }
  }

  let entry: Entry
  let program: CProgram
  private let pointers: Pointers
  private let calls: CallText
  /// For each function of the module its name in C and whether it shares its work.
  private let functions: [String: KernelFunction]
  private let profile: Profile?

  init(
    entry: Entry, program: CProgram, pointers: Pointers, functions: [String: KernelFunction],
    profile: Profile?
  ) {
    self.entry = entry
    self.program = program
    self.pointers = pointers
    self.functions = functions
    self.profile = profile
    calls = CallText(kernels: program.schedule.plan.kernels, pointers: pointers)
  }

  /// `run_forward` or `run_gradients`, in parts where it would be long.
  var lines: [String] {
    let run = region(
      "run_\(entry.rawValue)",
      comment:
        "// All threads run this: they share the loops of the kernels, and wait where one needs what"
        + " another wrote.")
    var helpers: [String] = []
    var pieces: [StepText.Piece] = []
    for (index, step) in program.schedule.steps.enumerated() {
      switch step {
      case .shared(let call):
        pieces.append(clocked(call, isShared: true, indentation: "    "))
      case .single(let calls):
        let (piece, helper) = single(calls, step: index)
        // Only one thread's time is in the slots of these calls.
        pieces.append(piece.clocked(profile.map { _ in Profile.restart }))
        helpers += helper
      case .barrier(let reason):
        let mark = profile?.mark(.barrier(entry.clocked, index))
        pieces.append(Self.barrier(reason).clocked(mark))
      }
    }
    return helpers + run.lines(pieces)
  }

  static func barrier(_ reason: String) -> StepText.Piece {
    let barrier = "    OMP(omp barrier)"
    let comment = "// \(CText.comment(reason))"
    let fits = barrier.count + 2 + comment.count <= CText.columns
    let lines =
      fits ? ["\(barrier)  \(comment)"] : CText.wrapComments(["    \(comment)"]) + [barrier]
    return StepText.Piece(lines: lines)
  }

  private func region(_ name: String, comment: String) -> StepText {
    let entry = entry
    return StepText(
      name: name, comment: [comment],
      parameters: ["const struct \(entry.rawValue)_run *run"], arguments: ["run"],
      pointers: pointers, unpack: { entry.unpack($0) })
  }

  /// Calls that one thread makes; many of them in functions of their own.
  private func single(_ calls: [Int], step: Int) -> (StepText.Piece, helpers: [String]) {
    let own = calls.map { clocked($0, isShared: false, indentation: "    ") }
    let name = "run_\(entry.rawValue)_single_\(step + 1)"
    let text = region(name, comment: "// One thread runs this.")
    let whole = StepText.single(
      calls.map { clocked($0, isShared: false, indentation: "        ") })
    if text.fits([whole]) { return (whole, []) }
    let call = StepText.single([StepText.Piece(lines: ["        \(name)(run);"])])
    return (call, text.lines(own) + [""])
  }

  /// A call, and in a profiled build the reading of the clock after it.
  private func clocked(_ index: Int, isShared: Bool, indentation: String) -> StepText.Piece {
    piece(index, isShared: isShared, indentation: indentation)
      .clocked(profile?.mark(.call(entry.clocked, index)), indentation: indentation)
  }

  private func piece(_ index: Int, isShared: Bool, indentation: String) -> StepText.Piece {
    let call = program.schedule.plan.kernels.calls[index]
    let function = functions.named(program.functions[index])
    function.check(call, isShared: isShared)
    let outputs = entry == .gradients ? calls.outputs(of: call) : []
    let inner = outputs.isEmpty ? indentation : indentation + "    "
    var (lines, needs) = calls.lines(call, function: function.symbol, indentation: inner)
    if !outputs.isEmpty {
      // The caller of gradients need not want the outputs.
      let wanted = outputs.map { "outputs[\($0)] != NULL" }.joined(separator: " && ")
      lines = ["\(indentation)if (outputs != NULL && \(wanted)) {"] + lines + ["\(indentation)}"]
      needs.roots.insert(.outputs)
    }
    return StepText.Piece(lines: lines, needs: needs)
  }
}

/// A function of the module with its name in C.
struct KernelFunction {
  let function: CFunction
  /// Its name in C, with the model's prefix where other files call it.
  let symbol: String

  /// Traps where a call does not fit the function.
  func check(_ call: KernelCall, isShared: Bool) {
    let own = function.call
    guard call.scalars == own.scalars,
      call.arguments.map(\.element) == own.arguments.map(\.element),
      call.arguments.map(\.access) == own.arguments.map(\.access)
    else {
      preconditionFailure("internal error: \(function.name) is called with other arguments")
    }
    guard own.isParallel == isShared else {
      preconditionFailure(
        "internal error: \(function.name) is called by \(isShared ? "all threads" : "one thread")")
    }
  }
}

extension [String: KernelFunction] {
  func named(_ name: String) -> KernelFunction {
    guard let function = self[name] else {
      preconditionFailure("internal error: there is no function \(name)")
    }
    return function
  }
}
