import FoundationEssentials
import Glibc

/// A file operation that failed: what was tried, where, and the system's reason.
struct FileError: Error {
  let path: String
  let reason: String

  /// Takes the reason from `errno`.
  init(_ path: String) {
    self.path = path
    reason = String(cString: strerror(errno))
  }

  init(_ path: String, reason: String) {
    self.path = path
    self.reason = reason
  }
}

/// The few file operations that building and caching need.
enum FileSystem {
  /// Size in bytes and time of last change of a file.
  struct Status: Equatable {
    let size: Int
    let seconds: Int
    let nanoseconds: Int
    let isFolder: Bool
  }

  /// The status of what `path` names, through links; nil when there is nothing.
  static func status(_ path: String) -> Status? {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    return Status(
      size: Int(info.st_size), seconds: info.st_mtim.tv_sec, nanoseconds: info.st_mtim.tv_nsec,
      isFolder: info.st_mode & S_IFMT == S_IFDIR)
  }

  /// Whether `path` is a file that this user may execute.
  static func isExecutable(_ path: String) -> Bool {
    guard let status = status(path), !status.isFolder else { return false }
    return access(path, X_OK) == 0
  }

  /// The path without links, `.` and `..`; nil when there is nothing.
  static func resolved(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
  }

  /// `path` itself when absolute, else below the current folder.
  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
  }

  /// The names in a folder, sorted; none when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a folder for this user alone, and the folders above it.
  static func makeFolder(_ path: String) throws(FileError) {
    if mkdir(path, 0o700) == 0 { return }
    let failure = errno
    if failure == EEXIST, status(path)?.isFolder == true { return }
    guard failure == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      errno = failure == EEXIST ? ENOTDIR : failure
      throw FileError(path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError(path) }
  }

  /// Makes a new folder, for this user alone, whose path is `prefix` and six characters.
  static func makeUniqueFolder(_ prefix: String) throws(FileError) -> String {
    var template = Array((prefix + "XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError(prefix) }
    return template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? prefix
    }
  }

  /// Reads a whole file.
  static func read(_ path: String) throws(FileError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw FileError(path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: max(4096, status(path)?.size ?? 0) + 1)
    while true {
      let count = Glibc.read(file, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError(path) }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// Writes a new file, or replaces the contents of an old one.
  static func write(_ text: String, to path: String) throws(FileError) {
    try write(Data(text.utf8), to: path)
  }

  static func write(_ bytes: Data, to path: String) throws(FileError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileError(path) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = FileError(path)
        close(file)
        throw error
      }
      rest.removeFirst(count)
    }
    guard close(file) == 0 else { throw FileError(path) }
  }

  /// Gives a file another name, at once and in place of what had it.
  static func rename(_ old: String, to new: String) throws(FileError) {
    guard Glibc.rename(old, new) == 0 else { throw FileError(new) }
  }

  /// Removes a file, if it is there.
  static func removeFile(_ path: String) {
    unlink(path)
  }

  /// Removes a folder and all in it; what cannot be removed stays.
  static func removeTree(_ path: String) {
    var info = stat()
    guard lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFDIR else {
      unlink(path)
      return
    }
    for name in names(in: path) { removeTree(path + "/" + name) }
    rmdir(path)
  }

  /// Marks a file as used now.
  static func touch(_ path: String) {
    utimensat(AT_FDCWD, path, nil, 0)
  }
}
