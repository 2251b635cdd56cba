import FoundationEssentials

/// The processor that `-march=native` means on this machine.
public struct HostProcessor: Sendable, Equatable {
  /// The model's name, as `/proc/cpuinfo` has it.
  public let model: String
  /// What the processor can do, by the names of `/proc/cpuinfo` (`avx2`, `avx512f`, `asimd`),
  /// sorted.
  public let features: [String]

  /// Reads the first processor in a text in the form of `/proc/cpuinfo`.
  ///
  /// A text without these lines gives empty values.
  public init(cpuinfo: String) {
    var lines: [String: String] = [:]
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = String(line[..<colon]).trimmed
      if lines[name] == nil { lines[name] = String(line[line.index(after: colon)...]).trimmed }
    }
    // ARM has no model name but numbers, and calls its flags features.
    model =
      lines["model name"]
      ?? [lines["CPU implementer"], lines["CPU part"]]
      .compactMap { $0 }.joined(separator: " ")
    features = (lines["flags"] ?? lines["Features"] ?? "")
      .split(separator: " ").map(String.init).sorted()
  }

  /// The processor of this machine.
  public static var current: HostProcessor {
    let text = (try? FileSystem.read("/proc/cpuinfo")) ?? []
    return HostProcessor(cpuinfo: String(decoding: text, as: UTF8.self))
  }

  /// How many processors this process may use.
  public static var count: Int {
    max(1, ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Whether the processor has all of x86-64-v4, whose vectors are 512 bits wide.
  public var hasX86V4: Bool {
    let needed = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
    return needed.allSatisfy(features.contains)
  }
}

extension String {
  /// The text without blanks, tabs and line ends at both ends.
  var trimmed: String {
    var rest = Substring(self)
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest.drop(while: \.isWhitespace))
  }

  /// The text up to the first line end, without blanks at its ends.
  var firstLine: String {
    String(trimmed.prefix { !$0.isNewline }).trimmed
  }
}
