import CZlib
import ConvcData
import Foundation

/// A folder that is removed at the end; messages name it `FOLDER`.
final class Folder {
  let path = FileManager.default.temporaryDirectory.path + "/convc-data-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  /// The four files of a data set: single-channel images of 2x2 pixels.
  func writeDataset(
    train: [UInt8] = [0, 1, 2, 1], test: [UInt8] = [2, 0], testShape: [Int] = [2, 2]
  ) throws {
    for (prefix, labels, size) in [("train", train, [2, 2]), ("t10k", test, testShape)] {
      let pixels = (0..<(labels.count * size.reduce(1, *))).map { UInt8($0) }
      try write(
        idx(shape: [labels.count] + size, pixels), to: "\(prefix)-images-idx3-ubyte")
      try write(gzip(idx(shape: [labels.count], labels)), to: "\(prefix)-labels-idx1-ubyte.gz")
    }
  }

  /// The message of what `body` throws.
  func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)".replacing(path, with: "FOLDER")
    }
  }
}

/// An IDX file of elements that are given as bytes.
func idx(type: UInt8 = 0x08, shape: [Int], _ elements: [UInt8]) -> [UInt8] {
  let extents = shape.flatMap { extent in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) }
  }
  return [0, 0, type, UInt8(shape.count)] + extents + elements
}

/// Packs bytes as a gzip stream.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  stream.initialize(to: z_stream())
  defer { stream.deallocate() }
  deflateInit2_(
    stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
    Int32(MemoryLayout<z_stream>.size))
  defer { deflateEnd(stream) }
  var source = bytes
  return source.withUnsafeMutableBufferPointer { source in
    stream.pointee.next_in = source.baseAddress
    stream.pointee.avail_in = UInt32(source.count)
    let room = Int(deflateBound(stream, UInt(source.count)))
    return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      stream.pointee.next_out = buffer.baseAddress
      stream.pointee.avail_out = UInt32(room)
      deflate(stream, Z_FINISH)
      count = room - Int(stream.pointee.avail_out)
    }
  }
}
