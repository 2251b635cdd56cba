import FoundationEssentials
import Glibc

/// Writes files that appear as a whole or not at all.
enum AtomicWrite {
  struct Failure: Error {
    let reason: String
  }

  /// Writes beside the file, brings it to the disk, and renames it; on failure nothing is left.
  static func write(_ data: Data, to path: String) throws(Failure) {
    let temporary = "\(path).\(getpid()).part"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
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
    if reason == nil, fsync(file) != 0 { reason = String(cString: strerror(errno)) }
    if close(file) != 0, reason == nil { reason = String(cString: strerror(errno)) }
    if reason == nil, rename(temporary, path) != 0 { reason = String(cString: strerror(errno)) }
    if let reason {
      unlink(temporary)
      throw Failure(reason: reason)
    }
  }
}
