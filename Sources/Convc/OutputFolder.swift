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

/// A folder that receives a set of files, see ``OutputFiles``.
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
    let files = files.map { (path: path + "/" + $0.name, data: $0.data) }
    try OutputFiles.write(files)
    return files.map(\.path)
  }
}

/// Writes a set of files, none of them by half.
public enum OutputFiles {
  /// Writes files under temporary names, then renames them.
  ///
  /// Missing folders are made. What is there and is neither a file nor a folder, as a terminal, is written to directly.
  ///
  /// - Throws: ``OutputError``. What cannot be made or has no room is found before any file gets its
  ///   name: then old files are as they were, and no new file or folder is left. Should a rename
  ///   itself fail after others, the error names the files that are there already.
  public static func write(_ files: [(path: String, data: Data)]) throws(OutputError) {
    var stage = Stage()
    do {
      for file in files { try stage.add(file.path, file.data) }
      try stage.publish()
    } catch {
      stage.discard()
      throw error
    }
  }

  private struct Stage {
    private var waiting: [(temporary: String, final: String)] = []
    private var direct: [(path: String, data: Data)] = []
    private var folders: [String] = []

    mutating func add(_ path: String, _ data: Data) throws(OutputError) {
      var path = path
      var info = stat()
      if stat(path, &info) == 0 {
        switch info.st_mode & S_IFMT {
        case S_IFDIR: throw OutputError(path: path, reason: "a folder of that name is there")
        case S_IFREG: path = resolved(path)
        default:
          direct.append((path, data))
          return
        }
      }
      let split = path.lastIndex(of: "/")
      let folder = split.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      let name = split.map { String(path[path.index(after: $0)...]) } ?? path
      guard !name.isEmpty else { throw OutputError(path: path, reason: "it names no file") }
      try make(folder)
      let temporary = "\(folder)/.\(name).\(getpid()).part"
      waiting.append((temporary, path))
      try OutputFiles.write(data, to: temporary, named: path)
    }

    /// The file behind links, so that a link stays one.
    private func resolved(_ path: String) -> String {
      guard let text = realpath(path, nil) else { return path }
      defer { free(text) }
      return String(cString: text)
    }

    private mutating func make(_ folder: String) throws(OutputError) {
      var missing: [String] = []
      var path = folder
      while !path.isEmpty, path != ".", access(path, F_OK) != 0, errno == ENOENT {
        missing.append(path)
        guard let slash = path.lastIndex(of: "/") else { break }
        path = String(path[..<slash])
      }
      for path in missing.reversed() {
        if mkdir(path, 0o777) == 0 {
          folders.append(path)
        } else if errno != EEXIST {
          throw OutputError(path: path, reason: String(cString: strerror(errno)))
        }
      }
    }

    mutating func publish() throws(OutputError) {
      for file in direct { try OutputFiles.write(file.data, to: file.path, named: file.path) }
      for (index, file) in waiting.enumerated() {
        guard rename(file.temporary, file.final) == 0 else {
          var reason = String(cString: strerror(errno))
          if index > 0 {
            let names = waiting[..<index].map(\.final).joined(separator: ", ")
            reason += " (already written: \(names))"
          }
          throw OutputError(path: file.final, reason: reason)
        }
      }
    }

    func discard() {
      for file in waiting { unlink(file.temporary) }
      for folder in folders.reversed() { rmdir(folder) }
    }
  }

  private static func write(
    _ data: Data, to path: String, named name: String
  ) throws(OutputError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw OutputError(path: name, reason: String(cString: strerror(errno))) }
    var reason: String?
    data.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count, reason == nil {
        let count = Glibc.write(file, bytes.baseAddress.map { $0 + start }, bytes.count - start)
        if count > 0 {
          start += count
        } else if errno != EINTR {
          reason = String(cString: strerror(errno))
        }
      }
    }
    if close(file) != 0, reason == nil { reason = String(cString: strerror(errno)) }
    if let reason { throw OutputError(path: name, reason: reason) }
  }
}
