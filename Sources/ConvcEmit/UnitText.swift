import ConvcIR

/// The source files of a module.
struct UnitText {
  private let module: CModule
  private let renderer: TemplateRenderer
  private let kernels: KernelTexts
  /// Name of the header's file.
  private let header: String
  /// Clocks around the kernels; nil: none.
  private let profile: Profile?
  private let embedding: EmbeddedWeights?
  private let regions: Regions
  /// The comment at the first file's head.
  private let head: [String]

  /// The parallel regions with the names of what they read and write.
  private struct Regions {
    let prepare: Pointers
    let programs: [(entry: ProgramText.Entry, program: CProgram, pointers: Pointers)]
  }

  init(
    _ module: CModule, renderer: TemplateRenderer, kernels: KernelTexts, header: String,
    profile: Profile?, embedding: EmbeddedWeights? = nil
  ) throws(TemplateError) {
    self.module = module
    self.renderer = renderer
    self.kernels = kernels
    self.header = header
    self.profile = profile
    self.embedding = embedding
    // Names that pointers cannot have.
    let names = kernels.names + (profile == nil ? [] : Profile.words)
    var programs: [(ProgramText.Entry, CProgram)] = [(.forward, module.inference)]
    if let training = module.training { programs.append((.gradients, training)) }
    regions = Regions(
      prepare: Pointers(prepare: module, functions: names),
      programs: programs.map {
        ($0, $1, Pointers($1, entry: $0, module: module, functions: names))
      })
    head = FileHead(module, header: header, programs: regions.programs).lines
  }

  /// Lines of the first file without its kernels, about: a call takes two.
  var roughLines: Int {
    regions.programs.reduce(head.count) { $0 + 2 * $1.program.functions.count }
  }

  /// The same, exactly, where no other file has kernels.
  func mainLines() throws(TemplateError) -> Int {
    try head.count + entryPoints(first: kernels.all.indices).count
  }

  /// The file with the entry points.
  ///
  /// - Parameter units: indices of the kernels in each file.
  func main(_ units: [Range<Int>]) throws(TemplateError) -> String {
    let first = units.first ?? 0..<0
    let own = kernels.all[first]
    var code = try clocks() + (try kernels.support(of: own))
    for kernel in own { code += kernel.lines + [""] }
    for kernel in kernels.all[first.upperBound...] {
      code += kernels.declaration(kernel)
    }
    code += [""]
    code += try entryPoints(first: first)
    let model = try ModelTables(module, renderer: renderer, embedding: embedding).lines()
    let before = profile == nil ? [] : ["", "#define _POSIX_C_SOURCE 199309L  // clock_gettime"]
    return EmitC.text(
      head + before + ["", "#include \"\(header)\""]
        + (try prelude(code, tables: model)) + [""] + code + [""] + model)
  }

  /// A further file, with nothing but kernels.
  func part(_ unit: Int, of units: [Range<Int>]) throws(TemplateError) -> String {
    let own = kernels.all[units[unit]]
    var code = try kernels.support(of: own)
    for kernel in own { code += kernels.hidden(kernel) + [""] }
    let title = "// Kernels of \(kernels.prefix), part \(unit) of \(units.count - 1)."
    return EmitC.text(
      [title, "#include \"\(header)\""] + (try prelude(code, tables: [])) + [""] + code)
  }

  /// The kernels of some layers, with what they call and the types they use; copies between layouts are left out.
  func kernels(of layers: Set<String>) throws(TemplateError) -> String {
    let own = kernels.all.filter { kernel in
      kernel.uses.contains { !layers.isDisjoint(with: $0) }
        && !kernel.function.call.template.hasPrefix("reorder")
    }
    var code = try kernels.support(of: own[...])
    for kernel in own { code += kernel.lines + [""] }
    return EmitC.text(["#include <stdint.h>"] + (try prelude(code, tables: [])) + [""] + code)
  }

  /// The entry point that packs weights, with its kernels and nothing else.
  func preparation() throws(TemplateError) -> String {
    let names = Set(module.packed.map(\.function))
    let own = kernels.all.filter { names.contains($0.function.name) }
    var code = try kernels.support(of: own[...])
    for kernel in own { code += kernel.lines + [""] }
    let prepare = PrepareText(
      module: module, pointers: regions.prepare,
      functions: kernels.functions(inFirst: kernels.all.indices), profile: nil)
    code += try EntryText(module, renderer: renderer, profile: nil).prepare(steps: prepare.lines)
    return EmitC.text(
      ["#include \"\(header)\""] + (try prelude(code, tables: [])) + [""] + code)
  }

  /// What a profiled build takes the time with.
  private func clocks() throws(TemplateError) -> [String] {
    guard let profile else { return [] }
    let texts = [
      "name": kernels.prefix, "threads": "\(Profile.threads)", "slots": "\(profile.stride)",
    ]
    return try renderer.render("file_profile", TemplateBindings(texts: texts)) + [""]
  }

  /// The entry points, given the kernels that stand in the same file.
  private func entryPoints(first: Range<Int>) throws(TemplateError) -> [String] {
    let entries = EntryText(module, renderer: renderer, profile: profile)
    let functions = kernels.functions(inFirst: first)
    let prepare = PrepareText(
      module: module, pointers: regions.prepare, functions: functions, profile: profile)
    var lines = try entries.prepare(steps: prepare.lines)
    for (entry, program, pointers) in regions.programs {
      let text = ProgramText(
        entry: entry, program: program, pointers: pointers, functions: functions,
        profile: profile)
      lines.append("")
      switch entry {
      case .forward: lines += try entries.forward(steps: text.lines)
      case .gradients: lines += try entries.training(steps: text.lines)
      }
    }
    return lines
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
      "noinline": uses(["NOINLINE"]), "independent": uses(["INDEPENDENT"]),
      "paired": uses(["PAIRED"]), "aligned": uses(["ALIGNED"]),
      "interleaved": uses(["INTERLEAVED"]),
      "stream": uses(["STREAM"]), "flush": uses(["FLUSH"]),
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
    "isfinite", "sinf", "cosf", "sqrt", "exp", "log", "fabs", "pow", "ldexpf", "erff",
  ]
}
