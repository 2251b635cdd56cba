import Glibc

/// Reads whole files, plain or compressed with gzip.
///
/// What a file is follows from its first two bytes, not from its name.
public enum FileReader {
  /// Bytes that a file, or what it unpacks to, may have where nothing else is said: 2 GiB.
  public static let defaultLimit = 1 << 31

  /// The contents of a file, unpacked if compressed.
  ///
  /// - Parameter check: looks at what is unpacked so far and may refuse it, before the rest takes
  ///   memory.
  /// - Throws: a file that cannot be read, that is too large, or whose gzip data are truncated,
  ///   damaged, or followed by something else.
  public static func contents(
    of path: String, limit: Int = defaultLimit,
    check: ([UInt8]) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> [UInt8] {
    let stored = try bytes(of: path, limit: limit)
    guard stored.starts(with: GzipReader.magic) else { return stored }
    return try stored.withUnsafeBufferPointer { (source) throws(DataError) in
      try GzipReader.unpacked(source, name: path, limit: limit, check: check)
    }
  }

  /// The bytes of a file as they are.
  static func bytes(of path: String, limit: Int) throws(DataError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(path) }
    var size = Int(status.st_size)
    guard size <= limit else { throw .tooLarge(path: path, limit: limit) }
    // A file under /proc has no size, and any may grow: read until nothing comes.
    var bytes: [UInt8] = []
    repeat {
      let count = try append(to: &bytes, from: file, room: max(size - bytes.count, 1 << 12), path)
      guard bytes.count <= limit else { throw .tooLarge(path: path, limit: limit) }
      size = max(size, bytes.count)
      if count == 0 { return bytes }
    } while true
  }

  /// Reads once, up to `room` bytes; returns how many came, 0 at the end.
  private static func append(
    to bytes: inout [UInt8], from file: Int32, room: Int, _ path: String
  ) throws(DataError) -> Int {
    var count = -1
    let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
      repeat { count = read(file, buffer.baseAddress, room) } while count < 0 && errno == EINTR
      initialized = max(0, count)
    }
    guard count >= 0 else { throw failure(path) }
    if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
    return count
  }

  private static func failure(_ path: String) -> DataError {
    .cannotRead(path: path, reason: String(cString: strerror(errno)))
  }

  /// Whether a file or folder is there, through links.
  static func exists(_ path: String, folder: Bool) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return (status.st_mode & S_IFMT == S_IFDIR) == folder
  }
}
