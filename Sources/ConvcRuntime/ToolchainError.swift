/// A C compiler that refused its input, or died.
///
/// ``message`` is one line for users; ``description`` is that line, then the command, then all that
/// the compiler wrote.
public struct CompilerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// How the compiler ended.
  public enum Status: Sendable, Equatable, CustomStringConvertible {
    case exited(Int)
    case signaled(Int)
    /// It did not run at all, or its output could not be read.
    case notRun(String)

    public var description: String {
      switch self {
      case .exited(let code): "exit status \(code)"
      case .signaled(let signal): "signal \(signal)"
      case .notRun(let reason): reason
      }
    }
  }

  /// The program and its arguments, as they ran in the folder of the sources.
  public let command: [String]
  public let status: Status
  /// What the compiler wrote to standard output and standard error.
  public let output: String

  /// The command as one line that a shell understands.
  public var commandLine: String { Self.commandLine(command) }

  /// What failed and the compiler's first complaint, in one line.
  public var message: String {
    let lines = output.split(whereSeparator: \.isNewline).map { String($0).trimmed }
    let complaint = lines.first { $0.contains("error") } ?? lines.first ?? "it wrote nothing"
    return "the C compiler \(command.first ?? "") failed with \(status): \(complaint)"
  }

  public var description: String {
    "\(message)\ncommand: \(commandLine)\nstatus: \(status)\noutput:\n\(output)"
  }

  /// Joins words to a line for a shell, quoting those that need it.
  static func commandLine(_ words: [String]) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%")
    return words.map { word in
      if !word.isEmpty, word.allSatisfy(plain.contains) { return word }
      return "'"
        + word.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
    }.joined(separator: " ")
  }
}

/// Why C could not be compiled. The description is one line.
public enum ToolchainError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No compiler on this machine works: which were tried, each with its failure.
  case noCompiler(tried: [String])
  /// The compiler that the user named is not there.
  case compilerNotFound(name: String, origin: String)
  /// The compiler that the user named does not compile for this machine.
  case compilerDoesNotWork(name: String, origin: String, reason: String)
  /// The compiler failed on the sources; the error has its command and output.
  case compilation(CompilerError)
  /// The compiled library cannot be opened.
  case library(LibraryError)
  /// A file of the cache folder cannot be written.
  case cannotWrite(path: String, reason: String)

  /// What installs a compiler with OpenMP.
  public static let installCommand = "apt-get install clang libomp-dev"

  public var description: String {
    switch self {
    case .noCompiler(let tried) where tried.isEmpty:
      "no C compiler found on PATH (looked for clang, clang-22 to clang-14, gcc, cc); "
        + "install one: \(Self.installCommand)"
    case .noCompiler(let tried):
      "no C compiler works here (\(tried.joined(separator: "; "))); "
        + "install one: \(Self.installCommand)"
    case .compilerNotFound(let name, let origin):
      "the C compiler '\(name)' named by \(origin) is not there; "
        + "name another, or let one be found and install it: \(Self.installCommand)"
    case .compilerDoesNotWork(let name, let origin, let reason):
      "the C compiler '\(name)' named by \(origin) does not work: \(reason); "
        + "name another, or let one be found and install it: \(Self.installCommand)"
    case .compilation(let error):
      error.message
    case .library(let error):
      error.description
    case .cannotWrite(let path, let reason):
      "cannot write \(path): \(reason); make room there, or set CONVC_CACHE to another folder"
    }
  }

  init(_ error: FileError) {
    self = .cannotWrite(path: error.path, reason: error.reason)
  }
}
