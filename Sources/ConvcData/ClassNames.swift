/// Names of classes in a file, one a line.
enum ClassNames {
  /// The lines, without spaces around them; nil: there is no such file.
  ///
  /// - Throws: a file that is no text, without names, or with one that is empty or stands there twice.
  static func listed(in file: String) throws(DataError) -> [String]? {
    guard FileReader.exists(file, folder: false) else { return nil }
    let contents = try FileReader.contents(of: file, limit: 1 << 20)
    guard let text = String(validating: contents, as: UTF8.self) else {
      throw .classNames(path: file, line: 1, reason: "the file is not UTF-8 text")
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map(trimmed)
    while lines.last?.isEmpty == true { lines.removeLast() }
    var firstLine: [String: Int] = [:]
    for (index, line) in lines.enumerated() {
      guard !line.isEmpty else {
        throw .classNames(path: file, line: index + 1, reason: "the name is empty")
      }
      if let first = firstLine.updateValue(index + 1, forKey: line) {
        throw .classNames(
          path: file, line: index + 1, reason: "'\(line)' is already the name of line \(first)")
      }
    }
    guard !lines.isEmpty else {
      throw .classNames(path: file, line: 1, reason: "the file has no names")
    }
    return lines
  }

  private static func trimmed(_ line: Substring) -> String {
    let tail = line.drop(while: \.isWhitespace)
    guard let last = tail.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(tail[...last])
  }
}
