import Glibc

/// A folder with files of CIFAR-10's binary version, plain or compressed.
///
/// A record is a byte with the class and 3,072 with the pixels, red before green before blue, each row by row. Files whose
/// names begin with `train` or `data_batch` hold training images, in the order of the names, those with `test` the test's;
/// all end in `.bin` or `.bin.gz`. `batches.meta.txt` names the classes.
/// - Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and its page on the web.
struct CIFARFolder {
  static let namesFile = "batches.meta.txt"
  private static let shape = [3, 32, 32]
  private static let recordSize = 1 + 3 * 32 * 32

  let path: String

  /// Whether a folder has the form.
  static func isOne(_ path: String) -> Bool {
    FileReader.exists("\(path)/\(namesFile)", folder: false)
  }

  func dataset(name: String) throws(DataError) -> Dataset {
    let names = try ClassNames.listed(in: "\(path)/\(Self.namesFile)") ?? []
    return try Dataset(
      name: name, classNames: names, train: part(["train", "data_batch"]), test: part(["test"]))
  }

  private func part(_ prefixes: [String]) throws(DataError) -> ImageSet {
    let files = try fileNames().filter { file in
      prefixes.contains { file.hasPrefix($0) }
        && [".bin", ".bin.gz"].contains { file.hasSuffix($0) }
    }
    guard let first = files.first else {
      throw .missingFile("\(prefixes[prefixes.count - 1])*.bin", folder: path)
    }
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    for file in files {
      let place = "\(path)/\(file)"
      let bytes = try FileReader.contents(of: place)
      guard bytes.count % Self.recordSize == 0 else {
        throw .records(path: place, bytes: bytes.count, record: Self.recordSize)
      }
      for start in stride(from: 0, to: bytes.count, by: Self.recordSize) {
        labels.append(Int32(bytes[start]))
        pixels += bytes[start + 1..<start + Self.recordSize]
      }
    }
    return try ImageSet(
      name: "\(path)/\(first)", shape: Self.shape, pixels: pixels, labels: labels)
  }

  /// Names of the folder's files, sorted.
  private func fileNames() throws(DataError) -> [String] {
    guard let folder = opendir(path) else {
      throw .cannotRead(path: path, reason: String(cString: strerror(errno)))
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
            String(cString: $0)
          }
        })
    }
    return names.sorted()
  }
}
