import ConvcIR

/// The source files of a module.
struct UnitText {
  private let module: CModule
  private let renderer: TemplateRenderer
  private let kernels: KernelTexts
  /// Name of the header's file.
  private let header: String
  /// Indices of the kernels in each file; empty: no kernel is written.
  private let units: [Range<Int>]
  /// Clocks around the kernels; nil: none.
  private let profile: Profile?

  init(
    _ module: CModule, renderer: TemplateRenderer, kernels: KernelTexts, header: String,
    units: [Range<Int>], profile: Profile?
  ) {
    self.module = module
    self.renderer = renderer
    self.kernels = kernels
    self.header = header
    self.units = units
    self.profile = profile
  }

  /// Lines of the first file without its kernels.
  func mainLines() throws(TemplateError) -> Int {
    head.count + (try entryPoints(inFirst: kernels.all.indices)).count
  }

  /// The file with the entry points.
  func main() throws(TemplateError) -> String {
    let first = units.first ?? 0..<0
    let own = kernels.all[first]
    var code = try clocks() + (try kernels.support(of: own))
    for kernel in own { code += kernel.lines + [""] }
    for kernel in kernels.all[first.upperBound...] {
      code += KernelRenderer.declaration(kernel.function.call, name: kernel.sharedName)
    }
    code += [""] + (try entryPoints(inFirst: first))
    let model = try ModelTables(module, renderer: renderer).lines()
    let before = profile == nil ? [] : ["", "#define _POSIX_C_SOURCE 199309L  // clock_gettime"]
    return EmitC.text(
      head + before + ["", "#include \"\(header)\""]
        + (try prelude(code, tables: model)) + [""] + code + [""] + model)
  }

  /// A further file, with nothing but kernels.
  func part(_ unit: Int) throws(TemplateError) -> String {
    let own = kernels.all[units[unit]]
    var code = try kernels.support(of: own)
    for kernel in own { code += try kernels.hidden(kernel) + [""] }
    let title = "// Kernels of \(kernels.prefix), part \(unit) of \(units.count - 1)."
    return EmitC.text(
      [title, "#include \"\(header)\""] + (try prelude(code, tables: [])) + [""] + code)
  }

  /// What a profiled build takes the time with.
  private func clocks() throws(TemplateError) -> [String] {
    guard let profile else { return [] }
    let texts = [
      "name": kernels.prefix, "threads": "\(Profile.threads)", "slots": "\(profile.stride)",
    ]
    return try renderer.render("file_profile", TemplateBindings(texts: texts)) + [""]
  }

  private func entryPoints(inFirst first: Range<Int>) throws(TemplateError) -> [String] {
    let functions = kernels.functions(inFirst: first)
    let prepare = PrepareText(
      module: module, pointers: Pointers(prepare: module, functions: names),
      functions: functions, profile: profile)
    let entries = EntryText(module, renderer: renderer, profile: profile)
    var lines = try entries.prepare(steps: prepare.lines)
    for (entry, program) in programs {
      let text = ProgramText(
        entry: entry, program: program, pointers: pointers(entry, program), functions: functions,
        profile: profile)
      lines.append("")
      switch entry {
      case .forward: lines += try entries.forward(steps: text.lines)
      case .gradients: lines += try entries.training(steps: text.lines)
      }
    }
    return lines
  }

  private var programs: [(ProgramText.Entry, CProgram)] {
    [(.forward, module.inference)] + (module.training.map { [(.gradients, $0)] } ?? [])
  }

  private func pointers(_ entry: ProgramText.Entry, _ program: CProgram) -> Pointers {
    Pointers(program, entry: entry, module: module, functions: names)
  }

  /// Names that pointers cannot have.
  private var names: [String] { kernels.names + (profile == nil ? [] : Profile.words) }

  /// The comment at the file's head.
  private var head: [String] {
    FileHead(module, header: header, programs: programs.map { ($0, $1, pointers($0, $1)) }).lines
  }

  /// Includes, macros and types that the code uses.
  private func prelude(_ code: [String], tables: [String]) throws(TemplateError) -> [String] {
    let words = CText.words(in: code)
    func uses(_ names: Set<String>) -> Bool { !words.isDisjoint(with: names) }
    let tableWords = CText.words(in: tables)
    let flags = [
      "math": uses(Self.mathWords) || !tableWords.isDisjoint(with: ["NAN", "INFINITY"]),
      "string": uses(["memcpy", "memset", "memmove"]), "omp": uses(["OMP"]),
      "unroll": uses(["UNROLL"]), "vectors": uses(["lanes", "masks", "bytes", "LANES", "pick"]),
      "pick": uses(["pick"]), "roll": uses(["ROLL"]), "bounds": uses(["MIN", "MAX"]),
      "loose": uses(["loose"]), "zip": uses(["zip_low", "zip_high"]),
      "noinline": uses(["NOINLINE"]),
    ]
    let lanes = module.target.lanes
    let texts = [
      "lanes": "\(lanes)", "low": Self.zip(from: 0, lanes: lanes),
      "high": Self.zip(from: lanes / 2, lanes: lanes),
    ]
    return try renderer.render("file_prelude", TemplateBindings(texts: texts, flags: flags))
  }

  /// Indices that interleave half of one vector with half of another.
  private static func zip(from first: Int, lanes: Int) -> String {
    (0..<lanes / 2).map { "\(first + $0), \(lanes + first + $0)" }.joined(separator: ", ")
  }

  /// What templates use of `math.h`.
  private static let mathWords: Set<String> = [
    "INFINITY", "NAN", "HUGE_VALF", "sqrtf", "expf", "logf", "log1pf", "expm1f", "tanhf", "powf",
    "fabsf", "fmaxf", "fminf", "floorf", "ceilf", "roundf", "rintf", "fmaf", "isnan", "isinf",
    "isfinite", "sqrt", "exp", "log", "fabs", "pow", "ldexpf", "erff",
  ]
}
