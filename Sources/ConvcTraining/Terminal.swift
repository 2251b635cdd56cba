import Glibc

/// What standard error is connected to.
public struct Terminal: Sendable, Hashable {
  /// Whether lines can be drawn over.
  public let isInteractive: Bool
  public let hasColor: Bool
  /// Columns.
  public let width: Int

  public init(isInteractive: Bool, hasColor: Bool, width: Int) {
    self.isInteractive = isInteractive
    self.hasColor = hasColor
    self.width = width
  }

  /// Asks the system about standard error.
  ///
  /// - Parameter environment: of it `TERM` and `NO_COLOR` matter (no-color.org: any text but the
  ///   empty one forbids colour).
  public static func standardError(environment: [String: String]) -> Terminal {
    let term = environment["TERM"] ?? ""
    let isInteractive = isatty(2) == 1 && term != "dumb" && !term.isEmpty
    let forbidsColor = !(environment["NO_COLOR"] ?? "").isEmpty
    return Terminal(
      isInteractive: isInteractive, hasColor: isInteractive && !forbidsColor, width: width())
  }

  /// Columns of the terminal on standard error; 80 where it does not say.
  static func width() -> Int {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes text to standard error, all at once where the system permits.
  public static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      // Nothing can be said where standard error is closed.
      guard count > 0 else { return }
      rest.removeFirst(count)
    }
  }
}
