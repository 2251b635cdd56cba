import FoundationEssentials

/// The environment variables that this module obeys, read here and nowhere else.
///
/// An empty variable counts as unset. Tests pass a dictionary of their own.
public struct Switches: Sendable, Equatable {
  /// `CONVC_CC`: the C compiler, a path or a name on `PATH`, with arguments if wanted.
  public let compiler: String?
  /// `CC`: the same, for all programs that compile C.
  public let systemCompiler: String?
  /// `CONVC_CACHE`: the folder of compiled libraries.
  public let cacheFolder: String?
  /// `XDG_CACHE_HOME`: the folder of the user's caches. A relative path is ignored, as its standard
  /// asks.
  public let userCacheFolder: String?
  /// `HOME`: the user's folder.
  public let home: String?
  /// `PATH`: folders of programs, in order.
  public let searchPath: [String]
  /// `TMPDIR`, or `/tmp`: where a cache goes that has no folder.
  public let temporaryFolder: String
  /// `OMP_THREAD_LIMIT` and `OMP_DYNAMIC`, as `NAME=value`: both can make OpenMP look absent.
  public let openMPLimits: [String]

  /// Reads the switches from `environment`.
  public init(environment: [String: String]) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    compiler = value("CONVC_CC")
    systemCompiler = value("CC")
    cacheFolder = value("CONVC_CACHE")
    userCacheFolder = value("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
    home = value("HOME")
    searchPath = (value("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
      .split(separator: ":").map(String.init)
    temporaryFolder = value("TMPDIR") ?? "/tmp"
    openMPLimits = ["OMP_THREAD_LIMIT", "OMP_DYNAMIC"].compactMap { name in
      value(name).map { "\(name)=\($0)" }
    }
  }

  /// The switches of this process.
  public static var current: Switches {
    Switches(environment: ProcessInfo.processInfo.environment)
  }
}
