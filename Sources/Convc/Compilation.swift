import ConvcEmit
import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcRuntime
import FoundationEssentials

/// What a network is built for, with the defaults of this machine.
public struct BuildOptions: Sendable {
  /// Largest batch: any batch from 1 to this can be run. nil: what the network says, else 64, or the one run of an unbatched network.
  public var batch: Int?
  /// Whether the build can train, beside inferring.
  public var trains: Bool
  /// Row of the target table; nil: the widest this machine can run.
  public var target: Target?
  /// Prefix of all C symbols; nil: the model's name.
  public var name: String?
  /// Families of kernels that may be chosen; nil: all.
  public var families: Set<String>?
  /// Whether layers may be fused.
  public var fuses: Bool
  /// Bytes of arena and parameters above which a network is refused.
  public var memoryLimit: Int
  /// Bytes from which on training saves memory at the cost of a pass over it; tests set it lower.
  package var smallestSaving = 1 << 19
  /// Bytes of arena above which inference takes a batch in slices; tests set it lower.
  package var nearBytes = 64 << 20

  public init(
    batch: Int? = nil, trains: Bool = true, target: Target? = nil, name: String? = nil,
    families: Set<String>? = nil, fuses: Bool = true, memoryLimit: Int = 16 << 30
  ) {
    self.batch = batch
    self.trains = trains
    self.target = target
    self.name = name
    self.families = families
    self.fuses = fuses
    self.memoryLimit = memoryLimit
  }

  /// Whether a name can prefix symbols and files: a C identifier of at most 64 characters, and no header or library of the
  /// system, in whose place it would be found.
  public static func isName(_ name: String) -> Bool {
    name.isCIdentifier && EmitC.prefix(of: name) == name
  }

  func batch(of model: Model) -> Int { batch ?? model.usualBatch ?? (model.isUnbatched ? 1 : 64) }
}

extension Target {
  /// The widest row of the table that this machine can run.
  public static var native: Target { best(for: Set(HostProcessor.current.features)) }

  /// What the C compiler may use where C of this row is to run on any processor of the row.
  public var architecture: LibraryOptions.Architecture { march.map { .row($0) } ?? .baseline }

  /// Whether this machine's own compilers make code for the row, which newer machines of the kind may have to run.
  public var isOfThisMachine: Bool {
    guard march != nil else { return true }
    #if arch(x86_64)
      return name.hasPrefix("x86-64")
    #else
      return name == Target.aarch64.name
    #endif
  }
}

/// What of a network's weights is part of its library.
public typealias EmbeddedWeights = ConvcEmit.EmbeddedWeights

/// A compiled network: its stages, and the C they end in.
public struct Compilation: Sendable {
  public let stages: Stages

  public var graph: Graph { stages.graph }
  /// Prefix of all C symbols.
  public var prefix: String { stages.module.name }
  /// What is allowed but seldom meant, in the order of the layers.
  public var warnings: [Diagnostic] {
    Lint(mode: stages.module.training == nil ? .inference : .training).run(graph)
  }

  /// The C files.
  ///
  /// - Parameter units: how many source files share the kernels; nil: one, or more where it would be unreasonably large.
  /// - Parameter profiles: whether the C takes the time of each kernel, see ``ProfiledProgram``.
  /// - Parameter embedding: what of the weights an assembler file brings into the library; nil: nothing.
  public func files(
    units: Int? = nil, profiles: Bool = false, embedding: EmbeddedWeights? = nil
  ) -> EmittedFiles {
    EmitC(EmitOptions(units: units, profiles: profiles, embedding: embedding)).run(stages.module)
  }

  /// The files by which build systems find the network beside them, see ``PackageFiles``.
  ///
  /// - Parameters:
  ///   - files: what the network was written as.
  ///   - isCompiled: whether there is a library beside them; else CMake compiles the sources.
  public func packageFiles(for files: EmittedFiles, isCompiled: Bool) -> [CSourceFile] {
    let package = PackageFiles(stages.module, files)
    return isCompiled ? package.ofLibrary : [package.ofSources]
  }

  /// Name of the file that holds the bytes of embedded weights.
  public var weightsFile: String { "\(prefix)_weights.bin" }

  /// The packed form of weights: what `NAME_prepare` makes of them, compiled by itself with the same flags.
  ///
  /// Where this machine cannot run what the options compile for, a build for any processor packs, whose last bits may differ.
  ///
  /// - Throws: ``ToolchainError``, ``ProgramError``.
  public func packed(
    _ parameters: [Float], toolchain: Toolchain, options: LibraryOptions
  ) async throws -> Data {
    var options = options
    if !stages.module.target.runs(on: Set(HostProcessor.current.features)) {
      options.architecture = .baseline
    }
    let files = EmitC().preparation(stages.module)
    let library = try await toolchain.load(
      sources: files.all.map { CSource(name: $0.name, text: $0.text) }, options: options)
    return try WeightsPacker(
      library: library, prefix: prefix, parameters: graph.parameterCount,
      packedBytes: stages.module.packedBytes
    ).pack(parameters)
  }

  /// Writes `PREFIX.h` and `PREFIX.c` (more `.c` files for large models) to a folder.
  ///
  /// - Returns: the paths, the header's first.
  /// - Throws: ``OutputError``; nothing is left half written.
  public func emit(to folder: String) throws(OutputError) -> [String] {
    try OutputFolder(folder).write(files().all.map { ($0.name, $0.text) })
  }

  /// Compiles the C into the cache and opens it.
  ///
  /// - Throws: ``ToolchainError`` where no compiler works or one fails.
  public func load(
    toolchain: Toolchain? = nil, options: LibraryOptions? = nil
  ) async throws -> Program {
    let tools: Toolchain
    if let toolchain { tools = toolchain } else { tools = try await Toolchain.find() }
    let library = try await tools.load(
      sources: sources(), options: options ?? libraryOptions)
    return try Program(library: library, prefix: prefix)
  }

  /// Flags that suit the target.
  public var libraryOptions: LibraryOptions {
    var options = LibraryOptions()
    options.architecture = stages.module.target.march == nil ? .baseline : .native
    return options
  }

  /// The files as the toolchain takes them, split so that all cores compile.
  public func sources(
    profiles: Bool = false, embedding: EmbeddedWeights? = nil
  ) -> [CSource] {
    let functions = stages.module.functions.count
    let units = functions > 60 ? HostProcessor.count : 1
    let files = files(
      units: units > 1 ? units : nil, profiles: profiles, embedding: embedding)
    return files.all.map { CSource(name: $0.name, text: $0.text) }
  }
}

extension Model {
  /// Compiles the network to C.
  ///
  /// - Throws: ``CompileError`` with every mistake that was found, each with layer and source line.
  public func compile(_ options: BuildOptions = BuildOptions()) throws(CompileError) -> Compilation
  {
    let pipeline = Pipeline(
      options: CompileOptions(
        batch: options.batch(of: self), target: options.target ?? .native,
        families: options.families,
        fuses: options.fuses, memoryLimit: options.memoryLimit,
        smallestSaving: options.smallestSaving, nearBytes: options.nearBytes),
      trains: options.trains, library: CommonKernels(),
      prefix: options.name.map(EmitC.prefix) ?? cPrefix)
    return Compilation(stages: try pipeline.run(self))
  }

  /// Finds what is allowed but seldom meant: two linear layers in a row, weights that all start equal, strides that skip
  /// pixels, and the like. Each finding names the layer and the way out.
  ///
  /// - Parameter options: what it is going to be built for; what matters in training alone is told for such builds.
  /// - Throws: ``CompileError`` where the network has no shapes.
  public func lint(
    _ options: BuildOptions = BuildOptions()
  ) throws(CompileError) -> [Diagnostic] {
    let graph = try InferShapes(batch: options.batch(of: self), memoryLimit: options.memoryLimit)
      .run(self)
    return Lint(mode: options.trains && !losses.isEmpty ? .training : .inference).run(graph)
  }

  /// Prefix of all C symbols: the model's name with `_` for what an identifier cannot have.
  public var cPrefix: String { EmitC.prefix(of: name) }
}
