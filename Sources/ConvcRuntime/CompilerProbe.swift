/// Tries a compiler: can it build a library that runs here, and with how many threads?
struct CompilerProbe {
  /// Where OpenMP libraries may lie that a compiler does not find by itself.
  struct OpenMPLibraries: Sendable, Equatable {
    /// Folders to offer with `-L`, newest first.
    let folders: [String]
    /// Runtime files to link to directly.
    let files: [String]

    /// What is installed on this machine, in Debian's and other usual places.
    static var installed: OpenMPLibraries {
      let llvm = FileSystem.names(in: "/usr/lib")
        .compactMap { $0.hasPrefix("llvm-") ? Int($0.dropFirst(5)) : nil }
        .sorted(by: >).map { "/usr/lib/llvm-\($0)/lib" }
      #if arch(arm64)
        let triple = "aarch64-linux-gnu"
      #else
        let triple = "x86_64-linux-gnu"
      #endif
      let places = ["/usr/lib/\(triple)", "/usr/lib64", "/usr/lib", "/usr/local/lib"] + llvm
      return OpenMPLibraries(
        folders: llvm.filter { FileSystem.status("\($0)/libomp.so") != nil },
        files: places.map { "\($0)/libomp.so.5" }.filter { FileSystem.status($0) != nil })
    }
  }

  /// A compiler that cannot build a running library, in words for the middle of a sentence.
  struct Failure: Error {
    let reason: String
  }

  let cache: BuildCache
  let search: CompilerSearch
  let libraries: OpenMPLibraries

  /// Tries `candidate`, or remembers how the trial went the last time.
  ///
  /// A result is kept for a compiler's path, size and time of change, and for the OpenMP libraries
  /// that were there: installing one tries again. Failures are not kept.
  func probe(_ candidate: CompilerCandidate) async throws(Failure) -> Compiler {
    var hash = SHA256()
    let key =
      ["probe 1", "\(HostProcessor.count > 1)"] + search.fingerprint(candidate.words)
      + libraries.folders + libraries.files + search.switches.openMPLimits
    for field in key { hash.update(field: field) }
    let digest = hash.finish()
    if let known = cache.probe(digest), known.command == candidate.words { return known }
    let compiler = try await measure(candidate)
    cache.store(compiler, probe: digest)
    return compiler
  }

  private func measure(_ candidate: CompilerCandidate) async throws(Failure) -> Compiler {
    let command = candidate.words
    let folder: String
    let version: String
    do {
      folder = try cache.makeWorkFolder()
    } catch {
      throw Failure(reason: "\(error)")
    }
    defer { FileSystem.removeTree(folder) }
    do {
      version = try await CompilerProcess.run(command + ["--version"], in: folder)
    } catch {
      throw Failure(reason: Self.reason(error))
    }
    let plain = OpenMPFlags(compile: ["-fopenmp"], link: ["-fopenmp"])
    let others =
      libraries.folders.map {
        OpenMPFlags(compile: ["-fopenmp"], link: ["-fopenmp", "-L\($0)"])
      } + libraries.files.map { OpenMPFlags(compile: ["-fopenmp"], link: [$0]) }
    if await threads(command, plain, in: folder) {
      return Compiler(command: command, version: version, openMP: plain)
    }
    // Only a compiler that works at all is worth the other trials.
    _ = try await run(command, OpenMPFlags(compile: [], link: []), in: folder)
    for flags in others where await threads(command, flags, in: folder) {
      return Compiler(command: command, version: version, openMP: flags)
    }
    return Compiler(command: command, version: version, openMP: nil)
  }

  /// Whether a parallel region has several threads. One processor may have one thread.
  private func threads(
    _ command: [String], _ flags: OpenMPFlags, in folder: String
  ) async -> Bool {
    guard let count = try? await run(command, flags, in: folder) else { return false }
    return count > 1 || HostProcessor.count == 1
  }

  /// Builds the probe with `flags`, opens it and returns its number of threads.
  private func run(
    _ command: [String], _ flags: OpenMPFlags, in folder: String
  ) async throws(Failure) -> Int {
    do {
      let source = flags.compile.isEmpty ? Self.source : "#define EXPECT_OPENMP\n" + Self.source
      try FileSystem.write(source, to: folder + "/probe.c")
      _ = try await CompilerProcess.run(
        command + ["-std=c99", "-O2", "-fPIC", "-c", "-o", "probe.o"] + flags.compile
          + ["probe.c"], in: folder)
      // The dynamic linker knows a file by its inode, so each trial has a file of its own.
      let name = "probe\(flags.link.joined().filter(\.isLetter)).so"
      _ = try await CompilerProcess.run(
        command + ["-shared", "-fPIC", "-o", name, "probe.o"] + flags.link + ["-lm"], in: folder)
      let library = try LoadedLibrary(path: folder + "/" + name)
      typealias Probe = @convention(c) (Double) -> Int32
      let function = unsafeBitCast(try library.symbol("convc_probe"), to: Probe.self)
      return withExtendedLifetime(library) { Int(function(4)) }
    } catch let error as CompilerError {
      throw Failure(reason: Self.reason(error))
    } catch let error as FileError {
      throw Failure(reason: "\(error.path): \(error.reason)")
    } catch {
      throw Failure(reason: "what it compiles does not run here: \("\(error)".firstLine)")
    }
  }

  private static func reason(_ error: CompilerError) -> String {
    let complaint = error.output.firstLine
    return complaint.isEmpty ? "\(error.status)" : "\(error.status): \(complaint)"
  }

  /// Uses a header, the mathematics library and, if asked for, OpenMP.
  private static let source = """
    #include <math.h>
    #include <stdint.h>
    #if defined EXPECT_OPENMP && !defined _OPENMP
    #error OpenMP is off
    #endif
    int convc_probe(double x);
    int convc_probe(double x) {
        int32_t threads = 0;
    #ifdef EXPECT_OPENMP
    #pragma omp parallel num_threads(2) reduction(+:threads)
    #endif
        threads += cos(x) < 2;
        return threads;
    }

    """
}
