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
    if names == nil { names = try ClassNames.listed(in: "\(path)/classes.txt") }
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

  /// Names for as many classes as the labels need, at most 65,536.
  private static func numbers(for parts: [ImageSet]) -> [String] {
    let largest = parts.compactMap { $0.labels.max() }.max() ?? 0
    return (0...Int(min(max(0, largest), 65_535))).map(String.init)
  }
}
