/// A compiler that may or may not work: its program by full path, then arguments that are part of
/// its name, as in `ccache clang`.
struct CompilerCandidate: Sendable, Equatable {
  /// Who named it: `--cc`, `CONVC_CC`, `CC`; nil when it was found.
  let origin: String?
  /// What was asked for, for messages.
  let name: String
  let words: [String]
}

/// Lists the compilers worth trying, best first.
///
/// A compiler that the user names is the only candidate: to take another in silence would hide a
/// mistake. Otherwise: `clang`, `clang-22` to `clang-14`, the `clang` beside the `swift` on `PATH`,
/// `gcc`, `cc`.
struct CompilerSearch {
  /// What the user named on the command line.
  let named: String?
  let switches: Switches

  static let names = ["clang"] + (14...22).reversed().map { "clang-\($0)" }

  func candidates() throws(ToolchainError) -> [CompilerCandidate] {
    let wishes = [
      ("--cc", named), ("CONVC_CC", switches.compiler), ("CC", switches.systemCompiler),
    ]
    for (origin, wish) in wishes {
      guard let wish, !wish.trimmed.isEmpty else { continue }
      guard let words = words(of: wish.trimmed) else {
        throw .compilerNotFound(name: wish, origin: origin)
      }
      return [CompilerCandidate(origin: origin, name: wish, words: words)]
    }
    var seen: Set<String> = []
    return (Self.names.map(program) + [clangOfSwift] + ["gcc", "cc"].map(program))
      .compactMap { $0 }
      .filter { path in
        // One compiler under several names is tried once. ccache is clang and gcc in one file.
        let family = path.contains("clang") ? "clang" : "gcc"
        return seen.insert("\(family) \(FileSystem.resolved(path) ?? path)").inserted
      }
      .map { CompilerCandidate(origin: nil, name: $0, words: [$0]) }
  }

  /// A path may contain blanks; only if there is no such file are blanks between words.
  private func words(of wish: String) -> [String]? {
    if let path = program(wish) { return [path] }
    let words = wish.split(separator: " ").map(String.init)
    guard words.count > 1, let path = program(words[0]) else { return nil }
    return [path] + words.dropFirst()
  }

  /// The full path of a program named by a path, or by a name on `PATH`.
  func program(_ name: String) -> String? {
    if name.contains("/") {
      return FileSystem.isExecutable(name) ? FileSystem.absolute(name) : nil
    }
    return switches.searchPath.lazy.map { FileSystem.absolute("\($0)/\(name)") }
      .first(where: FileSystem.isExecutable)
  }

  private var clangOfSwift: String? {
    guard let swift = program("swift").flatMap(FileSystem.resolved),
      let slash = swift.lastIndex(of: "/")
    else { return nil }
    return program(swift[..<slash] + "/clang")
  }

  /// What tells a compiler from a later one at the same place: path, size and time of change of
  /// each of its words that is a program.
  func fingerprint(_ words: [String]) -> [String] {
    words.flatMap { word -> [String] in
      guard let path = program(word), let status = FileSystem.status(path) else { return [word] }
      return [path, "\(status.size)", "\(status.seconds).\(status.nanoseconds)"]
    }
  }
}
