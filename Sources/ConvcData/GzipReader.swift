import CZlib

/// Unpacks gzip data in memory.
///
/// zlib's own file functions ignore what follows a stream; here every byte counts.
/// - Source: RFC 1952; a file may hold several streams one after another.
public enum GzipReader {
  /// The first bytes of a gzip stream.
  static let magic: [UInt8] = [0x1f, 0x8b]
  private static let chunkSize = 1 << 18

  /// What gzip data unpack to.
  ///
  /// - Parameters:
  ///   - source: the data, at most 2 GiB.
  ///   - name: the file's name, for errors.
  ///   - limit: bytes that the result may have.
  ///   - check: looks at what is unpacked so far, after every 256 KiB at most, and may refuse it.
  /// - Throws: what `check` refuses; data that are truncated, damaged (also by their checksum), too large, or followed
  ///   by something else.
  public static func unpacked(
    _ source: UnsafeBufferPointer<UInt8>, name: String, limit: Int = FileReader.defaultLimit,
    check: ([UInt8]) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> [UInt8] {
    precondition(source.count <= 1 << 31, "internal error: zlib counts bytes in 32 bits")
    // zlib compares the stream's address from call to call.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
    stream.pointee.avail_in = UInt32(source.count)
    // 16 more than the largest window: a gzip header and no other.
    let status = inflateInit2_(
      stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "internal error: zlib cannot start: \(status)")
    defer { inflateEnd(stream) }

    var result: [UInt8] = []
    while true {
      let (chunk, status) = inflated(stream)
      let byte = source.count - Int(stream.pointee.avail_in)
      guard result.count + chunk.count <= limit else { throw .tooLarge(path: name, limit: limit) }
      result.append(contentsOf: chunk)
      try check(result)
      switch status {
      case Z_OK: continue
      case Z_STREAM_END where byte == source.count: return result
      case Z_STREAM_END where source[byte...].starts(with: magic): inflateReset(stream)
      case Z_STREAM_END: throw .trailing(path: name, byte: byte, count: source.count - byte)
      case Z_BUF_ERROR: throw .truncated(path: name, byte: byte)
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)"
        throw .corrupt(path: name, byte: byte, reason: reason)
      }
    }
  }

  /// Unpacks as much as a chunk holds.
  private static func inflated(
    _ stream: UnsafeMutablePointer<z_stream>
  ) -> (chunk: [UInt8], status: Int32) {
    var status = Z_OK
    let chunk = [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, count in
      stream.pointee.next_out = buffer.baseAddress
      stream.pointee.avail_out = UInt32(chunkSize)
      status = inflate(stream, Z_NO_FLUSH)
      count = chunkSize - Int(stream.pointee.avail_out)
    }
    return (chunk, status)
  }
}
