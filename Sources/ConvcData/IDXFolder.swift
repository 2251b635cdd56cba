/// A folder with the four files of MNIST, plain or compressed, and perhaps the classes' names.
struct IDXFolder {
  let path: String

  /// - Parameters:
  ///   - name: the data set's name.
  ///   - classNames: nil: from `classes.txt`, or else the numbers up to the largest label.
  func dataset(
    name: String, attribution: String = "", classNames: [String]? = nil
  ) throws(DataError) -> Dataset {
    let train = try part("train")
    let test = try part("t10k")
    var names = classNames
    if names == nil { names = try listedNames() }
    return try Dataset(
      name: name, attribution: attribution,
      classNames: names ?? Self.numbers(for: [train, test]), train: train, test: test)
  }

  private func part(_ prefix: String) throws(DataError) -> ImageSet {
    try ImageSet(
      images: file("\(prefix)-images-idx3-ubyte"), labels: file("\(prefix)-labels-idx1-ubyte"))
  }

  private func file(_ name: String) throws(DataError) -> String {
    for candidate in ["\(path)/\(name)", "\(path)/\(name).gz"]
    where FileReader.exists(candidate, folder: false) {
      return candidate
    }
    throw .missingFile(name, folder: path)
  }

  /// The lines of `classes.txt`, without spaces around them; nil: there is no such file.
  private func listedNames() throws(DataError) -> [String]? {
    let file = "\(path)/classes.txt"
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

  private func trimmed(_ line: Substring) -> String {
    let tail = line.drop(while: \.isWhitespace)
    guard let last = tail.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(tail[...last])
  }

  /// Names for as many classes as the labels need, at most 65,536.
  private static func numbers(for parts: [ImageSet]) -> [String] {
    let largest = parts.compactMap { $0.labels.max() }.max() ?? 0
    return (0...Int(min(max(0, largest), 65_535))).map(String.init)
  }
}
