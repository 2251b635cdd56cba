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
  @ArgumentParser.Argument(help: "A preset's name; 'convc models' lists them.")
  var model: String

  @Option(help: "Classes that the network tells apart.")
  var classes: Int?

  @Option(
    name: .customLong("memory-limit"),
    help: ArgumentHelp("Refuse networks that need more memory.", valueName: "MiB"))
  var memoryLimit = 16 << 10

  func validate() throws {
    guard (1...1 << 30).contains(memoryLimit) else {
      throw ValidationError("--memory-limit is \(memoryLimit), expected 1...\(1 << 30) MiB")
    }
    if let classes, classes < 1 {
      throw ValidationError("--classes is \(classes), expected at least 1")
    }
  }

  /// The preset.
  ///
  /// - Throws: a file, which this version does not read, or no preset's name, with the nearest that is.
  func preset() throws(Failure) -> Preset {
    if let preset = Preset.named(model) { return preset }
    let names = Preset.all.map(\.name)
    let kind = model.split(separator: ".").last.map { $0.lowercased() } ?? ""
    if model.contains("."), ["onnx", "yaml", "yml"].contains(kind) {
      throw Failure(
        .input,
        "\(model): this version of convc reads no model files, only presets; give one of "
          + names.joined(separator: ", "))
    }
    let guess = Spelling.nearest(to: model, among: names).map { "did you mean '\($0)'? " } ?? ""
    throw Failure(
      .input, "no preset '\(model)'; \(guess)there are \(names.joined(separator: ", "))")
  }

  /// The network for images `[C, H, W]`; nil: those that the preset is made for.
  func network(input: [Int]?, classes: Int? = nil) throws(Failure) -> Model {
    let preset = try preset()
    return preset.make(input, self.classes ?? classes)
  }

  var limitBytes: Int { memoryLimit << 20 }
}

/// Extents of an image on the command line: `1x28x28`.
struct ImageSize: ExpressibleByArgument {
  let extents: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    let extents = parts.compactMap { Int($0) }
    guard parts.count == 3, extents.count == 3, extents.allSatisfy({ $0 > 0 }) else { return nil }
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
    return target.target.march.map { .row($0) } ?? .baseline
  }
}

/// Whether a build trains.
enum BuildMode: String, ExpressibleByArgument, CaseIterable {
  case infer, train
}

/// The largest batch.
struct BatchOptions: ParsableArguments {
  @Option(help: "Largest batch: any batch up to it can be run.")
  var batch = 64

  func validate() throws {
    guard (1...65_536).contains(batch) else {
      throw ValidationError("--batch is \(batch), expected 1...65536")
    }
  }
}
