/// Why data cannot be read or used. The description is one line.
public enum DataError: Error, Sendable, Hashable, CustomStringConvertible {
  case cannotRead(path: String, reason: String)
  /// A file, or what it unpacks to, is larger than `limit` bytes.
  case tooLarge(path: String, limit: Int)
  /// A gzip stream stops early.
  case truncated(path: String, byte: Int)
  /// A gzip stream contradicts itself or its checksum before `byte`.
  case corrupt(path: String, byte: Int, reason: String)
  /// Something follows the gzip stream.
  case trailing(path: String, byte: Int, count: Int)
  case header(path: String, byte: Int, expected: String, found: String)
  case extents(path: String, shape: [Int])
  /// `found` is nil when the rest was not even unpacked.
  case length(path: String, shape: [Int], expected: Int, found: Int?)
  case element(path: String, expected: String, found: IDXFile.Element)
  case rank(path: String, expected: String, shape: [Int])
  case noImages(path: String)
  case missingFile(String, folder: String)
  /// A file of records that is no multiple of one.
  case records(path: String, bytes: Int, record: Int)
  case counts(images: Int, imagesPath: String, labels: Int, labelsPath: String)
  case sizes(train: [Int], test: [Int], dataset: String)
  case label(Int, image: Int, path: String, classes: Int)
  case classNames(path: String, line: Int, reason: String)
  case unknown(name: String, nearest: String?, known: [String])
  case notInstalled(name: String, folder: String, installation: String)
  case channels(preprocessing: Int, images: Int)
  case stack(path: String, images: Int, neighbors: Int, depth: Int)
  /// A number or share of the training images that cannot be kept for validation.
  case validation(kept: String, images: Int)

  public var description: String {
    switch self {
    case .cannotRead(let path, let reason):
      "cannot read \(path): \(reason); check the path and its permissions"
    case .tooLarge(let path, let limit):
      "\(path) holds more than \(limit) bytes, the limit; split it or choose a smaller data set"
    case .truncated(let path, let byte):
      "\(path) ends at byte \(byte) within its gzip data; \(Self.getAgain)"
    case .corrupt(let path, let byte, let reason):
      "\(path) has damaged gzip data before byte \(byte) (\(reason)); \(Self.getAgain)"
    case .trailing(let path, let byte, let count):
      "\(path) has \(Self.bytes(count)) after its gzip data, from byte \(byte) on; \(Self.getAgain)"
    case .header(let path, let byte, let expected, let found):
      "\(path) is no IDX file: expected \(expected) at byte \(byte), found \(found); "
        + "give a file in the format of MNIST"
    case .extents(let path, let shape):
      "\(path) claims extents \(Self.text(shape)), more than memory can hold; \(Self.getAgain)"
    case .length(let path, let shape, let expected, let found):
      "\(path) has \(found.map(Self.bytes) ?? "more bytes"), expected \(expected) for extents \(Self.text(shape)); "
        + Self.getAgain
    case .element(let path, let expected, let found):
      "\(path) holds \(found) values, expected \(expected); convert them or give another file"
    case .rank(let path, let expected, let shape):
      "\(path) has extents \(Self.text(shape)), expected \(expected); give another file"
    default: datasetDescription
    }
  }

  /// The messages that concern more than one file.
  private var datasetDescription: String {
    switch self {
    case .noImages(let path):
      "\(path) has no images; give at least one"
    case .missingFile(let file, let folder):
      "no file \(file) or \(file).gz in \(folder); "
        + "a folder of data holds the four files of MNIST, or those of CIFAR-10's binary version, under their names"
    case .records(let path, let bytes, let record):
      "\(path) has \(Self.bytes(bytes)), expected a multiple of \(record), a label and an image of 3x32x32; "
        + Self.getAgain
    case .counts(let images, let imagesPath, let labels, let labelsPath):
      "\(imagesPath) has \(images) images, \(labelsPath) has \(labels) labels; "
        + "give files that belong together"
    case .sizes(let train, let test, let dataset):
      "data set '\(dataset)' has training images \(Self.text(train)) and test images "
        + "\(Self.text(test)), expected equal sizes; give files that belong together"
    case .label(let label, let image, let path, let classes):
      "label \(label) of image \(image) in \(path) is no class: expected 0...\(classes - 1); "
        + "correct the label or name more classes in classes.txt"
    case .classNames(let path, let line, let reason):
      "\(path), line \(line): \(reason); give one class name a line"
    case .unknown(let name, let nearest, let known):
      "unknown data set '\(name)'" + (nearest.map { ", the nearest is '\($0)'" } ?? "")
        + "; use \(known.joined(separator: ", ")) or the path of a folder with the files of MNIST or CIFAR-10"
    case .notInstalled(let name, let folder, let installation):
      "data set '\(name)' is not installed, no folder \(folder); run: \(installation)"
    case .stack(let path, let images, let neighbors, let depth):
      "\(path): \(images) images cannot be stacked with \(neighbors) neighbors in volumes of \(depth); "
        + "0...64 neighbors and a depth that divides the number of images are expected"
    case .channels(let preprocessing, let images):
      "the preprocessing is for images of \(Self.channels(preprocessing)), these have \(images); "
        + "use data like those that the model was trained on"
    case .validation(let kept, let images):
      "\(kept) of \(images) training images cannot be kept for validation: "
        + "expected 0...\(max(0, images - 1)); give another validation_fraction"
    default: preconditionFailure("internal error: a data error without a message")
    }
  }

  private static let getAgain = "copy or download it again"

  private static func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

  private static func channels(_ count: Int) -> String {
    count == 1 ? "1 channel" : "\(count) channels"
  }

  private static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "of a single value" : shape.map(String.init).joined(separator: "x")
  }
}
