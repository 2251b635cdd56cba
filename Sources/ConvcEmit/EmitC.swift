import ConvcIR

/// A file of the generated C.
public struct CSourceFile: Sendable, Hashable {
  /// Name without a folder: `lenet5.c`.
  public let name: String
  public let text: String

  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

/// The generated C of a model.
public struct EmittedFiles: Sendable, Hashable {
  public let header: CSourceFile
  /// `NAME.c` with the entry points first, then `NAME_1.c`, ... where the model is split.
  public let sources: [CSourceFile]
  /// `NAME_weights.S` where weights are embedded.
  public let assembly: CSourceFile?

  public init(header: CSourceFile, sources: [CSourceFile], assembly: CSourceFile? = nil) {
    self.header = header
    self.sources = sources
    self.assembly = assembly
  }

  /// The header, then the sources.
  public var all: [CSourceFile] { [header] + sources + (assembly.map { [$0] } ?? []) }
}

/// How C text is written.
public struct EmitOptions: Sendable {
  /// Number of source files; nil: one, or more where one would be longer than 4000 lines.
  ///
  /// Fewer are written where there are not as many kernels.
  public var units: Int?
  /// Name of the files without their endings; nil: the prefix of the symbols.
  public var fileName: String?
  /// Whether the C takes the time of each kernel, see ``Profile``.
  public var profiles: Bool
  /// What of the weights becomes part of the library; nil: nothing, the caller brings them.
  public var embedding: EmbeddedWeights?
  public var templates: TemplateLibrary

  public init(
    units: Int? = nil, fileName: String? = nil, profiles: Bool = false,
    embedding: EmbeddedWeights? = nil, templates: TemplateLibrary = .embedded
  ) {
    self.units = units
    self.fileName = fileName
    self.profiles = profiles
    self.embedding = embedding
    self.templates = templates
  }
}

/// Turns a module into C text.
///
/// Before: functions as templates with their bindings, programs as lists of steps. After: a header
/// and C99 source files that hold the same bytes for the same module and options, on any machine.
///
/// Needs a complete module: what does not fit together (a template that is not there, a binding
/// that is not used, a buffer without a place) is a mistake of the compiler's, and traps.
public struct EmitC: Pass {
  public static let name = "emit-c"

  /// Lines of a source file beyond which a model is split.
  static let linesPerUnit = 4000

  public let options: EmitOptions

  public init(_ options: EmitOptions = EmitOptions()) {
    self.options = options
  }

  /// The prefix of all symbols, and the name of the files, of a model with this name.
  ///
  /// `_` stands for what an identifier cannot have; a prefix is its own prefix.
  public static func prefix(of name: String) -> String { CText.prefix(name) }

  public func run(_ module: CModule) -> EmittedFiles {
    do {
      return try files(module)
    } catch {
      preconditionFailure("internal error: \(error)")
    }
  }

  /// The same, with what is wrong with a template as an error.
  func files(_ module: CModule) throws(TemplateError) -> EmittedFiles {
    let renderer = TemplateRenderer(library: options.templates)
    let kernels = try KernelTexts(module, renderer: renderer)
    let name = options.fileName ?? kernels.prefix
    let text = try UnitText(
      module, renderer: renderer, kernels: kernels, header: "\(name).h",
      profile: options.profiles ? Profile(module) : nil, embedding: options.embedding)
    let units = units(
      kernels: kernels, mainLines: options.units == nil ? try text.mainLines() : text.roughLines)
    let sources = try concurrently(max(units.count, 1)) { unit throws(TemplateError) in
      unit == 0
        ? CSourceFile(name: "\(name).c", text: try text.main(units))
        : CSourceFile(name: "\(name)_\(unit).c", text: try text.part(unit, of: units))
    }
    return EmittedFiles(
      header: try header(module, name, renderer), sources: sources,
      assembly: options.embedding.map { WeightsAssembly(module, fileName: name, $0).file })
  }

  private func header(
    _ module: CModule, _ name: String, _ renderer: TemplateRenderer
  ) throws(TemplateError) -> CSourceFile {
    let text = try HeaderText(module, renderer: renderer, embedding: options.embedding).lines()
    return CSourceFile(name: "\(name).h", text: Self.text(text))
  }

  /// `NAME_prepare` alone, with its kernels: C that makes the packed block of weights.
  public func preparation(_ module: CModule) -> EmittedFiles {
    do {
      let renderer = TemplateRenderer(library: options.templates)
      let kernels = try KernelTexts(module, renderer: renderer)
      let name = options.fileName ?? kernels.prefix
      let text = try UnitText(
        module, renderer: renderer, kernels: kernels, header: "\(name).h", profile: nil)
      return EmittedFiles(
        header: try header(module, name, renderer),
        sources: [CSourceFile(name: "\(name)_prepare.c", text: try text.preparation())])
    } catch {
      preconditionFailure("internal error: \(error)")
    }
  }

  /// The kernels of some layers alone, with what they call: C that compiles, without entry points.
  ///
  /// - Parameter layers: names of the layers.
  public func kernels(of layers: Set<String>, in module: CModule) -> String {
    do {
      let renderer = TemplateRenderer(library: options.templates)
      let kernels = try KernelTexts(module, renderer: renderer)
      let text = try UnitText(
        module, renderer: renderer, kernels: kernels, header: "\(kernels.prefix).h", profile: nil)
      return try text.kernels(of: layers)
    } catch {
      preconditionFailure("internal error: \(error)")
    }
  }

  /// Indices of the kernels in each file; the first file also has the entry points.
  private func units(kernels: KernelTexts, mainLines: Int) -> [Range<Int>] {
    let sizes = kernels.all.map(\.lines.count)
    let total = sizes.reduce(mainLines, +)
    let automatic = (total + Self.linesPerUnit - 1) / Self.linesPerUnit
    let wanted = max(1, options.units ?? automatic)
    var units: [Range<Int>] = []
    var start = 0
    var sum = mainLines
    for (index, size) in sizes.enumerated() {
      // The next file begins where this one has its share, at the nearer end of a kernel.
      if units.count < wanted - 1, (sum + size / 2) * wanted > total * (units.count + 1) {
        units.append(start..<index)
        start = index
      }
      sum += size
    }
    units.append(start..<sizes.count)
    return units.enumerated().filter { $0.offset == 0 || !$0.element.isEmpty }.map(\.element)
  }

  static func text(_ lines: [String]) -> String {
    TemplateRenderer.tidy(lines).joined(separator: "\n") + "\n"
  }
}
