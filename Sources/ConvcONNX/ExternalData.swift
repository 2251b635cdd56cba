import Glibc

/// Files beside a model that hold weights.
///
/// Only files within the model's folder are opened: a location is a path in it, without `..`, and a
/// link must not lead out of it.
struct ExternalData {
  /// The model's folder; nil for a model in memory.
  private let folder: String?
  private var sources: [String: ByteSource] = [:]
  private var root: String?

  init(folder: String?) {
    self.folder = folder
  }

  /// The piece of a file that the entries `location`, `offset` and `length` name.
  ///
  /// - Parameters:
  ///   - place: the tensor, for messages.
  ///   - expected: bytes that the tensor has, where its type says so.
  mutating func storage(
    _ entries: [(key: String, value: String)], place: String, expected: Int?
  ) throws(ONNXError) -> ONNXTensor.Storage {
    func entry(_ key: String) -> String? { entries.last { $0.key == key }?.value }
    func number(_ key: String) throws(ONNXError) -> Int? {
      guard let text = entry(key) else { return nil }
      guard let value = Int(text), value >= 0 else {
        throw ONNXError(
          place,
          "has external data with \(key) \(ONNXError.quoted(text)), expected a number of "
            + "bytes; \(ONNXError.exportAgain)")
      }
      return value
    }
    guard let location = entry("location") else {
      throw ONNXError(
        place, "has external data without a location; \(ONNXError.exportAgain)")
    }
    let source = try source(of: location, place)
    let offset = try number("offset") ?? 0
    let rest = source.count - offset
    guard let length = try number("length") ?? expected.map({ min($0, rest) }) ?? rest as Int?,
      offset <= source.count, length <= rest
    else {
      throw ONNXError(
        place,
        "lies beyond the \(source.count) bytes of \(source.name); "
          + "copy the file again or export the model again")
    }
    return .pieces(source, [offset..<offset + length])
  }

  private mutating func source(
    of location: String, _ place: String
  ) throws(ONNXError) -> ByteSource {
    if let known = sources[location] { return known }
    let quoted = ONNXError.quoted(location)
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.isEmpty, !location.hasPrefix("/"), !parts.contains(".."),
      !location.utf8.contains(0), !location.utf8.contains(UInt8(ascii: "\\"))
    else {
      throw ONNXError(
        place,
        "has external data at \(quoted), expected a path within the model's folder; "
          + "store the model with its data in one folder")
    }
    guard let folder else {
      throw ONNXError(
        place, "has external data at \(quoted), but the model is no file; read it from its folder")
    }
    guard let root = root ?? Self.resolved(folder) else {
      throw ONNXError(place, "has external data, but the model's folder cannot be read")
    }
    self.root = root
    guard let path = Self.resolved("\(root)/\(location)") else {
      throw ONNXError(
        place,
        "has external data at \(quoted), which cannot be read: "
          + "\(String(cString: strerror(errno))); put the file into the model's folder")
    }
    guard path != root else {
      throw ONNXError(
        place,
        "has external data at \(quoted), which is the model's folder, expected a file in it; "
          + ONNXError.exportAgain)
    }
    guard path.hasPrefix(root == "/" ? "/" : root + "/") else {
      throw ONNXError(
        place,
        "has external data at \(quoted), a link that leaves the model's folder; "
          + "put the file itself there")
    }
    let source: ByteSource
    do throws(ONNXError) {
      source = try ByteSource(path: path, name: "external data \(quoted)", keepsOpen: false)
    } catch {
      throw ONNXError(place, "\(error)")
    }
    sources[location] = source
    return source
  }

  /// A path without links; nil where it leads nowhere.
  private static func resolved(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }
}
