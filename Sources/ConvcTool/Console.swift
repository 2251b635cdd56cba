import Convc
import Glibc

/// Standard output for results, standard error for everything else.
enum Console {
  /// Whoever read standard output has had enough.
  struct Closed: Error {}

  /// Writes a result and a line end to standard output.
  ///
  /// - Throws: a failure with status 73 where it cannot be written, ``Closed`` where nobody reads on.
  static func print(_ text: String) throws {
    let text = text.hasSuffix("\n") ? text : text + "\n"
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        if errno == EPIPE { throw Closed() }
        let reason = String(cString: strerror(errno))
        throw Failure(
          .output, "standard output cannot be written: \(reason); send it to another place")
      }
      rest.removeFirst(count)
    }
  }

  /// Writes a line to standard error.
  static func note(_ text: String) {
    Terminal.write(line(text) + "\n")
  }

  /// Writes the line of a refusal, and for a bug what helps to find it.
  static func refuse(_ failure: Failure) {
    let details = failure.details.isEmpty ? "" : failure.details + "\n"
    Terminal.write("error: \(line(failure.message))\n\(details)")
  }

  /// A text in one line, without characters that a terminal would obey.
  static func line(_ text: String) -> String {
    let words = text.split(whereSeparator: \.isNewline).map { part in
      String(
        String.UnicodeScalarView(
          part.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }
    return words.joined(separator: " ")
  }
}
