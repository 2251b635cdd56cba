/// A constant of a model: an initializer, an attribute, or what was computed from those.
///
/// The bytes of a file's weights stay in the file until they are asked for. Elements stand in row-major
/// order and are little-endian.
public struct ONNXTensor: Sendable {
  enum Storage: Sendable {
    /// All elements.
    case bytes([UInt8])
    /// Pieces of a file, one after the other.
    case pieces(ByteSource, [Range<Int>])
    /// One element that stands for all.
    case repeated([UInt8])
    /// Elements that convc does not read, such as text.
    case unreadable
  }

  /// What messages call the tensor: `initializer 'w'`.
  public let place: String
  public let type: ONNXElementType
  /// None is negative, and their product does not overflow.
  public let dims: [Int]
  let storage: Storage

  /// - Throws: dimensions that are negative or too many, and products that overflow.
  init(
    place: String, type: ONNXElementType, dims: [Int], storage: Storage
  ) throws(ONNXError) {
    _ = try Self.count(of: dims, place: place)
    self.place = place
    self.type = type
    self.dims = dims
    self.storage = storage
  }

  /// The same elements under other dimensions of the same product.
  init(_ tensor: ONNXTensor, dims: [Int]) {
    place = tensor.place
    type = tensor.type
    self.dims = dims
    storage = tensor.storage
  }

  /// The same tensor under another name for messages.
  func named(_ place: String) -> ONNXTensor {
    ONNXTensor(self, place: place)
  }

  private init(_ tensor: ONNXTensor, place: String) {
    self.place = place
    type = tensor.type
    dims = tensor.dims
    storage = tensor.storage
  }

  /// Number of elements.
  public var count: Int { dims.reduce(1, &*) }

  /// Bytes of all elements; 0 for types without a size.
  public var byteCount: Int { count &* (type.size ?? 0) }

  /// Whether one element stands for all, so that no memory is taken.
  public var isRepeated: Bool {
    if case .repeated = storage { true } else { false }
  }

  /// The product of dimensions.
  ///
  /// - Throws: a negative dimension, a product whose bytes overflow, more than 32 axes.
  static func count(of dims: [Int], place: String) throws(ONNXError) -> Int {
    guard dims.count <= ONNXLimits().rank else {
      throw ONNXError(
        place,
        "has \(dims.count) axes, expected up to \(ONNXLimits().rank); "
          + ONNXError.exportAgain)
    }
    var count = 1
    for dim in dims {
      guard dim >= 0 else {
        throw ONNXError(
          place, "has the negative dimension \(dim); \(ONNXError.exportAgain)")
      }
      // A zero anywhere makes the product zero, but it must not hide dimensions of any size.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, dim))
      guard !overflow, product <= Int.max / 64 else {
        throw ONNXError(
          place,
          "has dimensions \(ONNXError.text(dims)), more than memory can hold; "
            + ONNXError.exportAgain)
      }
      count = product
    }
    return dims.contains(0) ? 0 : count
  }

  /// Copies all elements to `target`, which has ``byteCount`` bytes.
  ///
  /// - Throws: a type without a size of its own, too few or too many bytes in the file, a file that cannot be
  ///   read.
  public func read(into target: UnsafeMutableRawBufferPointer) throws(ONNXError) {
    precondition(target.count == byteCount, "internal error: a buffer of another size")
    switch storage {
    case .bytes(let bytes):
      try check(bytes: bytes.count)
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
    case .repeated(let element):
      try check(bytes: byteCount)
      guard !element.isEmpty else { return }
      for start in stride(from: 0, to: target.count, by: element.count) {
        for (index, byte) in element.enumerated() { target[start + index] = byte }
      }
    case .pieces(let source, let pieces):
      try check(bytes: pieces.reduce(0) { $0 &+ $1.count })
      var start = 0
      for piece in pieces {
        let end = start + piece.count
        do {
          try source.read(
            at: piece.lowerBound,
            into: UnsafeMutableRawBufferPointer(rebasing: target[start..<end]))
        } catch {
          throw ONNXError(place, error.description)
        }
        start = end
      }
    case .unreadable: throw unreadable()
    }
  }

  /// All elements as bytes.
  public func bytes() throws(ONNXError) -> [UInt8] {
    if case .bytes(let bytes) = storage, bytes.count == byteCount { return bytes }
    try checkBytes()
    return try UninitializedArray.filled(count: byteCount) { (target) throws(ONNXError) in
      try read(into: target)
    }
  }

  /// Finds out, without reading them, whether the bytes are as many as the dimensions say.
  func checkBytes() throws(ONNXError) {
    switch storage {
    case .bytes(let bytes): try check(bytes: bytes.count)
    case .pieces(_, let pieces): try check(bytes: pieces.reduce(0) { $0 &+ $1.count })
    case .repeated: try checkRoom(elementSize: type.size ?? 0)
    case .unreadable: throw unreadable()
    }
  }

  /// A filled tensor takes no memory until its elements are asked for.
  func checkRoom(elementSize: Int) throws(ONNXError) {
    guard isRepeated, count > Self.largestFilled / max(1, elementSize) else { return }
    throw ONNXError(
      place,
      "is filled with \(ONNXError.text(dims)) equal elements, more than memory should hold; "
        + ONNXError.exportAgain)
  }

  private static let largestFilled = 1 << 30

  private func check(bytes found: Int) throws(ONNXError) {
    guard type.size != nil else { throw unreadable() }
    guard found == byteCount else {
      throw ONNXError(
        place,
        "has \(found) bytes, expected \(byteCount) for \(ONNXError.text(dims)) of "
          + "\(type.name); \(ONNXError.exportAgain)")
    }
  }

  private func unreadable() -> ONNXError {
    ONNXError(
      place,
      "has elements of type \(type.name), which convc does not read; "
        + "convert the model to float")
  }
}
