import Glibc

/// Writes files that appear as a whole or not at all.
///
/// The bytes go to a temporary file in the same folder, to the disk, and under their name by
/// rename. On failure, also of a full disk, an older file is as it was and nothing else is left.
public enum AtomicFile {
  /// Why a file could not be written. The description is one line.
  public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String {
      "\(path) cannot be written: \(reason); choose another place or make room"
    }
  }

  /// Writes a part of the bytes as `write(2)` does; tests put a failing disk in its place.
  typealias Write = (Int32, UnsafeRawPointer?, Int) -> Int

  /// Writes a file.
  ///
  /// A link stays and the file it leads to is replaced, with its permissions. Devices and pipes
  /// are written to directly, for a rename would replace them.
  public static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try write([UnsafeRawBufferPointer(buffer)], to: path)
    }
  }

  /// Writes a file from several pieces of memory, one after another.
  public static func write(
    _ pieces: [UnsafeRawBufferPointer], to path: String
  ) throws(Failure) {
    try write(pieces, to: path, through: Glibc.write)
  }

  static func write(
    _ pieces: [UnsafeRawBufferPointer], to path: String, through write: Write
  ) throws(Failure) {
    var status = stat()
    let exists = stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    if exists && kind == S_IFDIR { throw Failure(path: path, code: EISDIR) }
    if exists && kind != S_IFREG {
      let file = open(path, O_WRONLY | O_CLOEXEC)
      guard file >= 0 else { throw Failure(path: path, code: errno) }
      defer { close(file) }
      let code = copy(pieces, to: file, through: write)
      guard code == 0 else { throw Failure(path: path, code: code) }
      return
    }
    let target = exists ? resolved(path) : path
    let temporary = temporaryPath(for: target)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Failure(path: path, code: errno) }
    var code = copy(pieces, to: file, through: write)
    if code == 0, exists, fchmod(file, status.st_mode & 0o777) != 0 { code = errno }
    if code == 0, fsync(file) != 0 { code = errno }
    if close(file) != 0, code == 0 { code = errno }
    if code == 0, rename(temporary, target) != 0 { code = errno }
    guard code == 0 else {
      unlink(temporary)
      throw Failure(path: path, code: code)
    }
    synchronize(folderOf: target)
  }

  /// Writes all bytes; returns 0 or the number of the error.
  private static func copy(
    _ pieces: [UnsafeRawBufferPointer], to file: Int32, through write: Write
  ) -> Int32 {
    for piece in pieces {
      var start = 0
      while start < piece.count {
        let count = write(file, piece.baseAddress.map { $0 + start }, piece.count - start)
        if count > 0 {
          start += count
        } else if count == 0 || errno != EINTR {
          return count == 0 ? ENOSPC : errno
        }
      }
    }
    return 0
  }

  /// The path without links.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// A hidden name in the same folder, so that the rename stays within one file system.
  ///
  /// Random besides the process number: several threads may write one file.
  private static func temporaryPath(for path: String) -> String {
    let nameStart = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
    // A name may have 255 bytes: the start of a long one has to do.
    let name = String(decoding: path[nameStart...].utf8.prefix(200), as: UTF8.self)
    let random = String(UInt32.random(in: .min ... .max), radix: 36)
    return "\(path[..<nameStart]).\(name).\(getpid())-\(random).part"
  }

  /// Brings the rename to the disk; where that is impossible, the file is whole all the same.
  private static func synchronize(folderOf path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

extension AtomicFile.Failure {
  init(path: String, code: Int32) {
    self.init(path: path, reason: String(cString: strerror(code)))
  }
}
