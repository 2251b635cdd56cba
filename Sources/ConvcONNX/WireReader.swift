/// Reads the protobuf wire format from a source, without holding more of it than a window.
struct WireReader {
  /// How a field's value is written.
  enum WireType: UInt64 {
    case varint = 0
    case eightBytes = 1
    case delimited = 2
    case fourBytes = 5
  }

  /// Number and form of a field, and where it begins.
  struct Tag {
    let field: Int
    let type: WireType
    let start: Int
  }

  private static let windowSize = 1 << 16

  let source: ByteSource
  private var window: [UInt8] = []
  private var windowStart = 0
  /// The next byte to read.
  private(set) var offset = 0

  init(_ source: ByteSource) {
    self.source = source
  }

  /// The tag of the next field of a message that ends at `end`.
  mutating func tag(end: Int) throws(ONNXError) -> Tag {
    let start = offset
    let value = try varint(end: end)
    guard let type = WireType(rawValue: value & 7), value >> 3 >= 1, value >> 3 < 1 << 29 else {
      throw damaged(at: start, "no field of a message")
    }
    return Tag(field: Int(value >> 3), type: type, start: start)
  }

  /// A number of up to ten bytes.
  mutating func varint(end: Int) throws(ONNXError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard offset < end else { throw truncated(at: start, end: end) }
      let byte = try byte()
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw damaged(at: start, "a number of more than ten bytes")
  }

  /// The length of what follows, which lies before `end`.
  mutating func length(end: Int) throws(ONNXError) -> Int {
    let start = offset
    let value = try varint(end: end)
    guard let length = Int(exactly: value), length <= end - offset else {
      throw truncated(at: start, end: end)
    }
    return length
  }

  /// Appends the next bytes to `target`.
  mutating func copy(_ count: Int, end: Int, to target: inout [UInt8]) throws(ONNXError) {
    guard count <= end - offset else { throw truncated(at: offset, end: end) }
    var left = count
    while left > 0 {
      try fill()
      let start = offset - windowStart
      let piece = min(left, window.count - start)
      target.append(contentsOf: window[start..<start + piece])
      offset += piece
      left -= piece
    }
  }

  mutating func skip(_ count: Int, end: Int) throws(ONNXError) {
    guard count <= end - offset else { throw truncated(at: offset, end: end) }
    offset += count
  }

  private mutating func byte() throws(ONNXError) -> UInt8 {
    try fill()
    let byte = window[offset - windowStart]
    offset += 1
    return byte
  }

  /// Makes sure that the window holds the next byte, which the caller knows to exist.
  private mutating func fill() throws(ONNXError) {
    guard offset < windowStart || offset >= windowStart + window.count else { return }
    let count = min(Self.windowSize, source.count - offset)
    window = try source.bytes(at: offset, count: max(0, count))
    windowStart = offset
  }

  private func truncated(at start: Int, end: Int) -> ONNXError {
    end == source.count
      ? ONNXError(source.name, "ends within the field at byte \(start); copy or download it again")
      : damaged(at: start, "a field that goes beyond byte \(end), where its message ends")
  }

  private func damaged(at start: Int, _ found: String) -> ONNXError {
    ONNXError(
      source.name, "is no ONNX file or damaged: \(found) at byte \(start); copy or export it again")
  }
}
