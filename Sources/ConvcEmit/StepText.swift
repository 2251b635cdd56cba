import ConvcIR

/// Lines of a parallel region, as functions of at most 120 lines.
struct StepText {
  /// Lines that must stay in one function, and what they need at hand.
  struct Piece {
    let lines: [String]
    let roots: Set<Root>
  }

  /// Lines of a function, with its signature and what it unpacks, that its pieces may take.
  static let room = 100

  /// Name of the function that runs all pieces.
  let name: String
  /// First lines of its comment.
  let comment: [String]
  /// Its parameters, and how it passes them on.
  let parameters: [String]
  let arguments: [String]
  /// Declaration of each root from the parameters; nil: it is a parameter, or not to be had.
  let unpack: @Sendable (Root) -> String?

  /// One function, or several and one that calls them in turn.
  func lines(_ pieces: [Piece]) -> [String] {
    var chunks: [[Piece]] = [[]]
    var count = 0
    for piece in pieces {
      if count + piece.lines.count > Self.room, count > 0 {
        chunks.append([])
        count = 0
      }
      chunks[chunks.count - 1].append(piece)
      count += piece.lines.count
    }
    guard chunks.count > 1 else { return comment + function(name, chunks[0]) }
    var lines: [String] = []
    var calls: [String] = []
    for (index, chunk) in chunks.enumerated() {
      let part = "\(name)_\(index + 1)"
      lines += ["// Part \(index + 1) of \(name)."] + function(part, chunk) + [""]
      calls += CText.list("    \(part)(", arguments, ");")
    }
    return lines + comment + CText.list("static void \(name)(", parameters, ") {") + calls + ["}"]
  }

  private func function(_ name: String, _ pieces: [Piece]) -> [String] {
    let roots = pieces.reduce(into: Set<Root>()) { $0.formUnion($1.roots) }
    let locals = Root.allCases.filter(roots.contains).compactMap(unpack).map { "    \($0)" }
    return CText.list("static void \(name)(", parameters, ") {") + locals
      + (locals.isEmpty ? [] : [""]) + pieces.flatMap(\.lines) + ["}"]
  }
}

/// The parallel region of a program: calls of kernels, and the barriers between them.
struct ProgramText {
  /// Which entry point a program belongs to.
  enum Entry: String {
    case forward, gradients

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
  let arena: OffsetTable
  private let calls: CallText
  /// For each function of the module its name in C and whether it shares its work.
  private let functions: [String: KernelFunction]

  init(
    entry: Entry, program: CProgram, blocks: BlockOffsets, functions: [String: KernelFunction]
  ) {
    let plan = program.schedule.plan
    self.entry = entry
    self.program = program
    self.functions = functions
    arena = OffsetTable(
      comment: "Bytes from the start of the workspace of \(entry.rawValue).",
      prefix: "\(entry.rawValue.uppercased())_AT_",
      entries: plan.slots.map { (plan.kernels[$0.buffer].name, $0.offset) })
    calls = CallText(kernels: plan.kernels, plan: plan, arena: arena, blocks: blocks)
  }

  /// `run_forward` or `run_gradients`, in parts where it would be long.
  var lines: [String] {
    let entry = entry
    let run = StepText(
      name: "run_\(entry.rawValue)",
      comment: [
        "// All threads run this: they share the loops of the kernels, and wait where one needs what"
          + " another wrote."
      ],
      parameters: ["const struct \(entry.rawValue)_run *run"], arguments: ["run"],
      unpack: { entry.unpack($0) })
    var helpers: [String] = []
    var pieces: [StepText.Piece] = []
    for (index, step) in program.schedule.steps.enumerated() {
      switch step {
      case .shared(let call):
        pieces.append(piece(call, isShared: true, indentation: "    "))
      case .single(let calls):
        let (piece, helper) = single(calls, step: index)
        pieces.append(piece)
        helpers += helper
      case .barrier(let reason):
        pieces.append(Self.barrier(reason))
      }
    }
    return helpers + run.lines(pieces)
  }

  static func barrier(_ reason: String) -> StepText.Piece {
    let barrier = "    OMP(omp barrier)"
    let comment = "// \(CText.comment(reason))"
    let fits = barrier.count + 2 + comment.count <= CText.columns
    let lines =
      fits ? ["\(barrier)  \(comment)"] : CText.wrapComment("    \(comment)") + [barrier]
    return StepText.Piece(lines: lines, roots: [])
  }

  /// Calls that one thread makes; many of them in functions of their own.
  private func single(_ calls: [Int], step: Int) -> (StepText.Piece, helpers: [String]) {
    let pieces = calls.map { piece($0, isShared: false, indentation: "        ") }
    var body = pieces.flatMap(\.lines)
    var roots = pieces.reduce(into: Set<Root>()) { $0.formUnion($1.roots) }
    var helpers: [String] = []
    if body.count > StepText.room - 3 {
      let entry = entry
      let name = "run_\(entry.rawValue)_single_\(step + 1)"
      let text = StepText(
        name: name, comment: ["// One thread runs this."],
        parameters: ["const struct \(entry.rawValue)_run *run"], arguments: ["run"],
        unpack: { entry.unpack($0) })
      helpers =
        text.lines(calls.map { piece($0, isShared: false, indentation: "    ") }) + [""]
      body = ["        \(name)(run);"]
      roots = []
    }
    let lines = ["    OMP(omp single nowait)", "    {"] + body + ["    }"]
    return (StepText.Piece(lines: lines, roots: roots), helpers)
  }

  private func piece(_ index: Int, isShared: Bool, indentation: String) -> StepText.Piece {
    let call = program.schedule.plan.kernels.calls[index]
    let function = functions.named(program.functions[index])
    function.check(call, isShared: isShared)
    let outputs = entry == .gradients ? calls.outputs(of: call) : []
    let inner = outputs.isEmpty ? indentation : indentation + "    "
    var (lines, roots) = calls.lines(call, function: function.symbol, indentation: inner)
    if !outputs.isEmpty {
      // The caller of gradients need not want the outputs.
      let wanted = outputs.map { "outputs[\($0)] != NULL" }.joined(separator: " && ")
      lines = ["\(indentation)if (outputs != NULL && \(wanted)) {"] + lines + ["\(indentation)}"]
      roots.insert(.outputs)
    }
    return StepText.Piece(lines: lines, roots: roots)
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
    guard call.scalars == own.scalars, call.arguments.map(\.name) == own.arguments.map(\.name),
      call.arguments.map(\.element) == own.arguments.map(\.element)
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
