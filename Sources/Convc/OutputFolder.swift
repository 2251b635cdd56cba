import FoundationEssentials
import Glibc

/// Why an output could not be written.
public struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
  public let path: String
  public let reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String {
    "\(path) cannot be written: \(reason); choose another place or make room"
  }
}

/// A folder that receives a set of files, all of them or none.
public struct OutputFolder {
  public let path: String

  public init(_ path: String) {
    self.path = path
  }

  /// Writes files under temporary names, then renames them.
  ///
  /// - Returns: the paths, in the order given.
  public func write(_ files: [(name: String, text: String)]) throws(OutputError) -> [String] {
    try write(files.map { ($0.name, Data($0.text.utf8)) })
  }

  /// Writes files under temporary names, then renames them.
  public func write(_ files: [(name: String, data: Data)]) throws(OutputError) -> [String] {
    let manager = FileManager.default
    var made: [(temporary: String, final: String)] = []
    do {
      try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
      for file in files {
        let final = path + "/" + file.name
        let temporary = path + "/." + file.name + "." + UUID().uuidString
        made.append((temporary, final))
        try file.data.write(to: URL(filePath: temporary))
      }
      for file in made {
        guard rename(file.temporary, file.final) == 0 else {
          throw OutputError(path: file.final, reason: String(cString: strerror(errno)))
        }
      }
    } catch {
      for file in made { try? manager.removeItem(atPath: file.temporary) }
      if let output = error as? OutputError { throw output }
      throw OutputError(path: path, reason: "\(error.localizedReason)")
    }
    return made.map(\.final)
  }
}

extension Error {
  /// What went wrong, without the type's name.
  fileprivate var localizedReason: String {
    guard let error = self as? CocoaError else { return "\(self)" }
    switch error.code {
    case .fileWriteNoPermission: return "permission denied"
    case .fileWriteOutOfSpace: return "no space left on the device"
    case .fileWriteFileExists: return "a file is in the way"
    default: return error.underlying.map { "\($0)" } ?? "\(error.code)"
    }
  }
}
