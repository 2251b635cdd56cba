/// A C compiler that has compiled, linked and run a file on this machine.
public struct Compiler: Sendable, Equatable, Codable {
  /// Compilers that take the same flags.
  public enum Family: String, Sendable, Codable {
    case clang, gcc, other
  }

  /// The program by full path, then arguments that are part of its name, as in `ccache clang`.
  public let command: [String]
  /// All that it says to `--version`.
  public let version: String
  /// How it takes OpenMP; nil when it cannot.
  public let openMP: OpenMPFlags?

  public var family: Family {
    if version.contains("clang") { return .clang }
    return version.contains("Free Software Foundation") ? .gcc : .other
  }
}

/// The arguments that bring OpenMP into a library.
public struct OpenMPFlags: Sendable, Equatable, Codable {
  public let compile: [String]
  public let link: [String]
}
