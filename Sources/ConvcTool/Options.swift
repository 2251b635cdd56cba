import ArgumentParser
import Convc

/// Options of every verb.
struct GeneralOptions: ParsableArguments {
  @Flag(name: .long, help: "Write nothing to standard error but errors.")
  var quiet = false

  /// Says something on standard error, unless it was asked not to.
  func note(_ text: String) {
    if !quiet { Console.note(text) }
  }

  /// Names what of a network is allowed but seldom meant, a line each.
  func warn(of compilation: Compilation) {
    for warning in compilation.warnings { note("warning: \(warning)") }
  }
}

/// How C is compiled.
struct CompilerOptions: ParsableArguments {
  @Option(name: .customLong("cc"), help: "The C compiler; else the first that works is taken.")
  var compiler: String?

  @Flag(name: .customLong("no-openmp"), help: "Compile without OpenMP: one thread.")
  var withoutOpenMP = false

  /// Finds the compiler and says what a user should know of it.
  func toolchain(_ general: GeneralOptions) async throws -> Toolchain {
    let toolchain = try await Toolchain.find(named: compiler)
    for note in toolchain.notes { general.note("note: \(note)") }
    return toolchain
  }

  /// Compiles a network's C and opens it.
  func load(
    _ compilation: Compilation, toolchain: Toolchain? = nil, _ general: GeneralOptions
  ) async throws -> Program {
    let tools: Toolchain
    if let toolchain { tools = toolchain } else { tools = try await self.toolchain(general) }
    var options = compilation.libraryOptions
    options.openMP = !withoutOpenMP
    return try await compilation.load(toolchain: tools, options: options)
  }
}

/// Options of every verb that computes.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Threads; 0: as many as OpenMP takes. Results do not depend on it.")
  var threads = 0

  func validate() throws {
    guard (0...4096).contains(threads) else {
      throw ValidationError("--threads is \(threads), expected 0...4096")
    }
  }
}

/// The network, and what a preset of it is made for.
struct ModelOptions: ParsableArguments {
  @ArgumentParser.Argument(
    help: "A preset's name ('convc models' lists them), a model file (.yaml), or an ONNX file.")
  var model: String

  @Option(help: "Classes that the network tells apart.")
  var classes: Int?

  @Option(
    name: .customLong("memory-limit"),
    help: ArgumentHelp("Refuse networks that need more memory.", valueName: "MiB"))
  var memoryLimit = 16 << 10

  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp(
      "The extent of a dimension that an ONNX file names, as often as needed.",
      valueName: "NAME=EXTENT"))
  var dimensions: [NamedExtent] = []

  @OptionGroup var tuning: TuningOptions

  func validate() throws {
    guard (1...1 << 30).contains(memoryLimit) else {
      throw ValidationError("--memory-limit is \(memoryLimit), expected 1...\(1 << 30) MiB")
    }
    if let classes, classes < 1 {
      throw ValidationError("--classes is \(classes), expected at least 1")
    }
  }

  /// What kind of file the network is, by its ending.
  private enum FileKind { case model, onnx }

  /// nil: a preset.
  private var kind: FileKind? {
    guard model.contains("."), let ending = model.split(separator: ".").last else { return nil }
    switch ending.lowercased() {
    case "yaml", "yml": return .model
    case "onnx": return .onnx
    default: return nil
    }
  }

  /// The name by which recipes know the network: a preset's, or a file's without folder and ending.
  ///
  /// - Throws: a name that is neither.
  func recipeName() throws -> String {
    guard kind != nil else { return try preset().name }
    return model.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? model
  }

  /// The preset.
  ///
  /// - Throws: no preset's name, with the nearest that is.
  private func preset() throws(Failure) -> Preset {
    if let preset = Preset.named(model) { return preset }
    let names = Preset.all.map(\.name)
    let guess = Spelling.hint(for: model, among: names)
    throw Failure(
      .input,
      "no preset '\(model)'; \(guess)there are \(names.joined(separator: ", ")), or a model file (.yaml)"
    )
  }

  /// Whether the network brings trained weights.
  var hasWeights: Bool { kind == .onnx }

  /// The settings of a training where nothing else is said.
  func standardRecipe(data: String) throws -> Recipe {
    kind == .onnx ? .fineTuning : Recipe.standard(preset: try recipeName(), data: data)
  }

  /// The network for images `[C, H, W]`; nil: those that it is made for.
  ///
  /// - Parameter trains: whether it has to have a loss; an ONNX file's gets one on classes.
  /// - Throws: a model file that is damaged, or made for other images or classes than those asked for.
  func network(input: [Int]?, classes: Int? = nil, trains: Bool = false) throws -> Model {
    let network = try tuning.apply(to: plain(input: input, classes: classes))
    return trains && kind == .onnx ? try network.judgingClasses() : network
  }

  /// The network as its preset or file has it.
  private func plain(input: [Int]?, classes: Int?) throws -> Model {
    guard kind == .onnx || dimensions.isEmpty else {
      throw Failure(
        .usage, "\(model) is no ONNX file, which alone names dimensions; leave out --dim")
    }
    guard let kind else { return try preset().make(input, self.classes ?? classes) }
    let network =
      try kind == .model ? ModelFile.read(model) : onnx(inputs: input.map { [[64] + $0] } ?? [])
    if self.classes != nil {
      throw Failure(
        .input,
        "\(model) says itself how many classes there are; leave out --classes, or replace its last layer with --head"
      )
    }
    if let input, network.inputs.count == 1, network.inputs[0].shape != input {
      throw Failure(
        .input,
        "\(model) is made for images of \(NumberText.extents(network.inputs[0].shape)), got "
          + "\(NumberText.extents(input)); change its inputs, or give other images")
    }
    return network
  }

  var limitBytes: Int { memoryLimit << 20 }

  /// What an ONNX file's operators are, and what is wrong with them; nil: the network is none.
  func survey() throws -> ONNXSurvey? {
    guard kind == .onnx else { return nil }
    return try ConvertOperators(dims: dimensions.extents).survey(ONNXFile.read(model))
  }

  private func onnx(inputs: [[Int]]) throws -> Model {
    try ONNXNetwork.model(
      of: ONNXFile.read(model), dimensions: dimensions, inputs: inputs, memoryLimit: limitBytes)
  }
}

extension [NamedExtent] {
  /// Extents by name; what is said last counts.
  var extents: [String: Int] {
    Dictionary(map { ($0.name, $0.extent) }, uniquingKeysWith: { $1 })
  }
}

/// The network of an ONNX file.
enum ONNXNetwork {
  /// - Parameters:
  ///   - dimensions: extents that the user chose.
  ///   - inputs: shapes that other open dimensions get their extents from; none: they are 1.
  ///   - memoryLimit: bytes above which a network is refused.
  static func model(
    of graph: ONNXGraph, dimensions: [NamedExtent], inputs: [[Int]] = [],
    memoryLimit: Int = BuildOptions().memoryLimit
  ) throws -> Model {
    var extents = dimensions.extents
    let given = Set(extents.keys)
    for (input, shape) in zip(graph.inputs, inputs) {
      for ((axis, dim), extent) in zip((input.dims ?? []).enumerated(), shape) {
        let place = "\(input.name).\(axis)"
        switch dim {
        case .symbol(let name) where !given.contains(name) && !given.contains(place):
          extents[name] = extents[name] ?? extent
        case .unknown where !given.contains(place): extents[place] = extent
        default: break
        }
      }
    }
    let imported = try ConvertOperators(dims: extents).run(graph)
    if !imported.notes.isEmpty {
      // A network that no build can hold is refused without notes on how to build it.
      _ = try imported.model.lint(BuildOptions(batch: 1, trains: false, memoryLimit: memoryLimit))
    }
    for note in imported.notes { Console.note("note: \(note)") }
    return imported.model
  }
}

/// A dimension's name and extent on the command line: `N=1`.
struct NamedExtent: ExpressibleByArgument {
  let name: String
  let extent: Int

  init?(argument: String) {
    guard let cut = argument.lastIndex(of: "="),
      let extent = Int(argument[argument.index(after: cut)...]),
      cut > argument.startIndex
    else { return nil }
    name = String(argument[..<cut])
    self.extent = extent
  }
}

/// Extents of an image on the command line: `1x28x28`; of a sequence, `1x100`; of features, `30`.
struct ImageSize: ExpressibleByArgument {
  let extents: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    let extents = parts.compactMap { Int($0) }
    guard (1...3).contains(parts.count), extents.count == parts.count,
      extents.allSatisfy({ $0 > 0 })
    else { return nil }
    self.extents = extents
  }

  var defaultValueDescription: String { NumberText.extents(extents) }
}

/// The size of images, for verbs that have no data to take it from.
struct SizeOptions: ParsableArguments {
  @Option(
    name: [.customLong("input"), .customLong("size")],
    help: ArgumentHelp("Size of the images; else the preset's own.", valueName: "CxHxW"))
  var size: ImageSize?
}

/// A row of the target table, or the widest that this machine can run.
struct TargetChoice: ExpressibleByArgument {
  let name: String
  let target: Target

  static let native = TargetChoice(name: "native", target: .native)

  private init(name: String, target: Target) {
    (self.name, self.target) = (name, target)
  }

  init?(argument: String) {
    if argument == Self.native.name {
      self = .native
    } else if let target = Target.named(argument) {
      self.init(name: argument, target: target)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] { Target.all.map(\.name) + [native.name] }
  var defaultValueDescription: String { name }
}

/// For which processors C is written.
struct TargetOptions: ParsableArguments {
  @Option(help: "Processors that the C is written for.")
  var target = TargetChoice.native

  /// What the C compiler may use. A named row is compiled for that row, not for this machine.
  var architecture: LibraryOptions.Architecture {
    guard target.name != TargetChoice.native.name || target.target.march == nil else {
      return .native
    }
    return target.target.architecture
  }
}

/// Whether a build trains.
enum BuildMode: String, ExpressibleByArgument, CaseIterable {
  case infer, train
}

/// The largest batch.
struct BatchOptions: ParsableArguments {
  @Option(
    help: "Largest batch: any batch up to it can be run. Else 64, or what an ONNX file is made for."
  )
  var batch: Int?

  func validate() throws {
    if let batch, !(1...65_536).contains(batch) {
      throw ValidationError("--batch is \(batch), expected 1...65536")
    }
  }
}
