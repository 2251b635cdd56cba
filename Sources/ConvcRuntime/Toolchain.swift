/// A C compiler that works on this machine, and the cache of what it compiled.
public struct Toolchain: Sendable {
  /// Bytes of compiled libraries that the cache keeps.
  public static let cacheLimit = 512 << 20

  public let compiler: Compiler
  /// The folder of compiled libraries: `$CONVC_CACHE`, `$XDG_CACHE_HOME/convc` or `~/.cache/convc`.
  public var cacheFolder: String { cache.folder }
  /// What a user should know, one line each: no OpenMP, or no cache. Usually empty.
  public var notes: [String] { [note, cache.note].compactMap { $0 } }

  /// That code will run on one thread, and what to install against it.
  private let note: String?
  private let cache: BuildCache
  private let processor: HostProcessor

  /// Finds a compiler by trial: it must build a library that this process can open and call.
  ///
  /// A compiler that is named (`named`, else `$CONVC_CC`, else `$CC`) is the only one tried.
  /// Otherwise the first with working OpenMP wins among `clang`, `clang-22` to `clang-14`, the
  /// `clang` beside the `swift` on `PATH`, `gcc` and `cc`; if none has it, the first that works,
  /// and ``notes`` says so. Trials are remembered in the cache folder.
  ///
  /// - Parameters:
  ///   - named: a path or a name on `PATH`, with arguments if wanted (`ccache clang`).
  ///   - switches: the environment.
  ///   - cacheLimit: bytes of compiled libraries to keep.
  /// - Errors: the named compiler is missing or does not work; no compiler works.
  public static func find(
    named: String? = nil, switches: Switches = .current, cacheLimit: Int = Toolchain.cacheLimit
  ) async throws(ToolchainError) -> Toolchain {
    let cache = try BuildCache(switches: switches, limit: cacheLimit)
    let search = CompilerSearch(named: named, switches: switches)
    let probe = CompilerProbe(cache: cache, search: search, libraries: .installed)
    var fallback: Compiler?
    var failures: [String] = []
    for candidate in try search.candidates() {
      do {
        let compiler = try await probe.probe(candidate)
        if compiler.openMP != nil { return Toolchain(compiler, cache: cache) }
        fallback = fallback ?? compiler
      } catch {
        if let origin = candidate.origin {
          throw .compilerDoesNotWork(name: candidate.name, origin: origin, reason: error.reason)
        }
        failures.append("\(candidate.name): \(error.reason)")
      }
    }
    guard let fallback else { throw .noCompiler(tried: failures) }
    return Toolchain(fallback, cache: cache)
  }

  private init(_ compiler: Compiler, cache: BuildCache) {
    self.compiler = compiler
    self.cache = cache
    processor = .current
    note =
      compiler.openMP == nil
      ? "\(compiler.command.joined(separator: " ")) has no OpenMP here, so compiled code runs on "
        + "one thread; install it: \(ToolchainError.installCommand)" : nil
  }

  /// A compiled library in the cache.
  public struct Built: Sendable, Equatable {
    /// The library. With a temporary cache folder it lives as long as the toolchain.
    public let path: String
    /// False when this call compiled it.
    public let fromCache: Bool
    /// The compiler calls that made it, each as one line for a shell; empty when from the cache.
    public let commands: [String]
    let key: String
  }

  /// Compiles sources to a shared library, or finds it compiled.
  ///
  /// Several files are compiled at once, one for each processor. A failure leaves no file behind.
  ///
  /// - Parameters:
  ///   - sources: C files, and headers that they include, by plain file names.
  ///   - options: see ``LibraryOptions``.
  /// - Errors: ``ToolchainError/compilation(_:)`` with the compiler's command, status and output;
  ///   the cache folder cannot be written.
  public func build(
    sources: [CSource], options: LibraryOptions = LibraryOptions()
  ) async throws(ToolchainError) -> Built {
    let key = key(sources, options)
    if let path = cache.library(key) {
      return Built(path: path, fromCache: true, commands: [], key: key)
    }
    let folder = try cache.makeWorkFolder()
    defer { FileSystem.removeTree(folder) }
    let plan = try await compile(sources, [], options, in: folder)
    let path = try cache.publish("\(folder)/\(Plan.output)", key: key)
    let commands = (plan.compile + [plan.link]).map(CompilerError.commandLine)
    return Built(path: path, fromCache: false, commands: commands, key: key)
  }

  /// Compiles sources to a shared library that holds other bytes as well, for as long as `body` runs: such a library,
  /// which may be large, is not kept in the cache.
  ///
  /// - Parameter body: gets the library's path.
  /// - Errors: as ``build(sources:options:)``; what `body` throws.
  public func withLibrary<R>(
    sources: [CSource], attaching attached: [AttachedBytes],
    options: LibraryOptions = LibraryOptions(), _ body: (String) throws -> R
  ) async throws -> R {
    let folder = try cache.makeWorkFolder()
    defer { FileSystem.removeTree(folder) }
    _ = try await compile(sources, attached, options, in: folder)
    return try body("\(folder)/\(Plan.output)")
  }

  private func compile(
    _ sources: [CSource], _ attached: [AttachedBytes], _ options: LibraryOptions, in folder: String
  ) async throws(ToolchainError) -> Plan {
    for name in sources.map(\.name) + attached.map(\.name) where name.contains("/") {
      preconditionFailure("internal error: source \(name) is not a plain file name")
    }
    do {
      for source in sources {
        try FileSystem.write(source.text, to: "\(folder)/\(source.name)")
      }
      for file in attached { try FileSystem.write(file.bytes, to: "\(folder)/\(file.name)") }
    } catch {
      throw ToolchainError(error)
    }
    let plan = plan(sources, options)
    do {
      try await Self.run(plan.compile, in: folder)
      _ = try await CompilerProcess.run(plan.link, in: folder)
    } catch {
      throw .compilation(error)
    }
    return plan
  }

  /// Compiles sources and opens the library. One from the cache that cannot be opened is built
  /// again.
  ///
  /// - Errors: as ``build(sources:options:)``; the library cannot be opened.
  public func load(
    sources: [CSource], options: LibraryOptions = LibraryOptions()
  ) async throws(ToolchainError) -> LoadedLibrary {
    let built = try await build(sources: sources, options: options)
    do {
      return try LoadedLibrary(path: built.path)
    } catch {
      guard built.fromCache else { throw .library(error) }
    }
    cache.removeLibrary(built.key)
    let path = try await build(sources: sources, options: options).path
    do {
      return try LoadedLibrary(path: path)
    } catch {
      throw .library(error)
    }
  }

  // MARK: Commands

  /// The compiler calls of a build: some at once, then one.
  private struct Plan {
    static let output = "library.so"
    let compile: [[String]]
    let link: [String]
  }

  private func plan(_ sources: [CSource], _ options: LibraryOptions) -> Plan {
    let openMP = options.openMP ? compiler.openMP : nil
    let flags =
      options.compileFlags(compiler.family, processor: processor) + (openMP?.compile ?? [])
    let files = sources.map(\.name).filter { $0.hasSuffix(".c") || $0.hasSuffix(".S") }
    let objects = files.map { String($0.dropLast(2)) + ".o" }
    let compile = zip(files, objects).map { file, object -> [String] in
      let own = file.hasSuffix(".c") ? flags : options.extraFlags
      return compiler.command + own + ["-c", "-o", object, file]
    }
    var link = compiler.command + ["-shared", "-fPIC", "-o", Plan.output]
    link += options.soname.map { ["-Wl,-soname,\($0)"] } ?? []
    link += objects + options.extraFlags
    link += (openMP?.link ?? []) + ["-lm"]
    return Plan(compile: compile, link: link)
  }

  /// Runs commands, as many at once as there are processors; the first failure ends the others.
  private static func run(_ commands: [[String]], in folder: String) async throws(CompilerError) {
    let result = await withTaskGroup(of: CompilerError?.self) { group -> CompilerError? in
      var waiting = commands[...]
      func startNext() {
        guard let command = waiting.popFirst() else { return }
        group.addTask {
          do throws(CompilerError) {
            _ = try await CompilerProcess.run(command, in: folder)
            return nil
          } catch {
            return error
          }
        }
      }
      for _ in 0..<HostProcessor.count { startNext() }
      while let failure = await group.next() {
        if let failure {
          group.cancelAll()
          return failure
        }
        startNext()
      }
      return nil
    }
    if let result { throw result }
  }

  /// The hash of all that a library depends on.
  private func key(_ sources: [CSource], _ options: LibraryOptions) -> String {
    var hash = SHA256()
    let plan = plan(sources, options)
    var groups = [["library 1", compiler.version], options.processorKey(processor)]
    groups += plan.compile + [plan.link]
    groups += sources.map { [$0.name, $0.text] }
    for group in groups {
      hash.update(field: "\(group.count)")
      for field in group { hash.update(field: field) }
    }
    return hash.finish()
  }
}
