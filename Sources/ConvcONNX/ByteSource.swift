import Glibc

/// Bytes that are read where they stand: an open file, a file under a path, or memory.
///
/// Weights stay in the file until somebody asks for them, so that reading a model takes memory for
/// its structure alone. Files are read, not mapped: one that shrinks meanwhile is an error and no
/// signal.
final class ByteSource: Sendable {
  private enum Place: Sendable {
    case descriptor(Int32)
    case path(String)
    case memory([UInt8])
  }

  /// What messages call it.
  let name: String
  /// Bytes there are.
  let count: Int
  private let place: Place

  init(_ bytes: [UInt8], name: String) {
    self.name = name
    count = bytes.count
    place = .memory(bytes)
  }

  /// - Parameter keepsOpen: false opens the file again for each read, for models that spread over
  ///   more files than a process may have open.
  init(path: String, name: String, keepsOpen: Bool) throws(ONNXError) {
    let file = try Self.opened(path, name)
    var status = stat()
    guard fstat(file, &status) == 0 else {
      let error = Self.failure(name)
      close(file)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw ONNXError(name, "is no file; give the path of an ONNX file")
    }
    self.name = name
    count = Int(status.st_size)
    if keepsOpen {
      place = .descriptor(file)
    } else {
      close(file)
      place = .path(path)
    }
  }

  deinit {
    if case .descriptor(let file) = place { close(file) }
  }

  /// The bytes from `offset` on.
  ///
  /// - Throws: as ``read(at:into:)``.
  func bytes(at offset: Int, count: Int) throws(ONNXError) -> [UInt8] {
    try UninitializedArray.filled(count: count) { (target) throws(ONNXError) in
      try read(at: offset, into: target)
    }
  }

  /// Fills `target` with the bytes from `offset` on.
  ///
  /// - Throws: fewer bytes are there, or they cannot be read.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(ONNXError) {
    guard offset >= 0, offset <= count, target.count <= count - offset else {
      throw ONNXError(
        name,
        "has \(count) bytes, but \(target.count) bytes from byte \(offset) on are asked for; "
          + "copy or export it again")
    }
    switch place {
    case .memory(let bytes):
      bytes.withUnsafeBytes { source in
        target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[offset...].prefix(target.count)))
      }
    case .descriptor(let file): try read(file, at: offset, into: target)
    case .path(let path):
      let file = try Self.opened(path, name)
      defer { close(file) }
      try read(file, at: offset, into: target)
    }
  }

  private func read(
    _ file: Int32, at offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(ONNXError) {
    var done = 0
    while done < target.count {
      let room = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let count = pread(file, room.baseAddress, room.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(name) }
      guard count > 0 else {
        throw ONNXError(name, "became shorter while it was read; try again")
      }
      done += count
    }
  }

  /// Opens for reading, without waiting for the other end of a pipe.
  private static func opened(_ path: String, _ name: String) throws(ONNXError) -> Int32 {
    guard !path.utf8.contains(0) else {
      throw ONNXError(name, "cannot be read: its path has a zero byte; correct the path")
    }
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure(name) }
    return file
  }

  private static func failure(_ name: String) -> ONNXError {
    ONNXError(
      name,
      "cannot be read: \(String(cString: strerror(errno))); check the path and its permissions")
  }
}

/// Arrays that are made without being cleared first.
enum UninitializedArray {
  /// - Parameter fill: writes all elements, or throws.
  static func filled<T: BitwiseCopyable>(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(ONNXError) -> Void
  ) throws(ONNXError) -> [T] {
    var failure: ONNXError?
    let result = [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(ONNXError) {
        try fill(
          UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }
}
