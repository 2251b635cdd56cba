import ConvcEmit
import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcRuntime

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

  func batch(of model: Model) -> Int { batch ?? model.usualBatch ?? (model.isUnbatched ? 1 : 64) }
}

extension Target {
  /// The widest row of the table that this machine can run.
  public static var native: Target { best(for: Set(HostProcessor.current.features)) }
}

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
  public func files(units: Int? = nil, profiles: Bool = false) -> EmittedFiles {
    EmitC(EmitOptions(units: units, profiles: profiles)).run(stages.module)
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
  public func sources(profiles: Bool = false) -> [CSource] {
    let functions = stages.module.functions.count
    let units = functions > 60 ? HostProcessor.count : 1
    return files(units: units > 1 ? units : nil, profiles: profiles).all.map {
      CSource(name: $0.name, text: $0.text)
    }
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
