/// An array of numbers in the format of MNIST's files.
///
/// Two zero bytes, the element type, the rank, each extent in 32 bits, then the elements row-major;
/// every number has its highest byte first.
/// - Source: "The IDX file format" in LeCun, Cortes and Burges, "The MNIST database".
public struct IDXFile: Sendable {
  /// Element types; the raw value is the third byte of a file.
  public enum Element: UInt8, Sendable, CaseIterable {
    case uint8 = 0x08
    case int8 = 0x09
    case int16 = 0x0B
    case int32 = 0x0C
    case float32 = 0x0D
    case float64 = 0x0E

    /// Bytes of an element.
    public var size: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16: 2
      case .int32, .float32: 4
      case .float64: 8
      }
    }
  }

  /// The file's name, for errors.
  public let name: String
  public let element: Element
  /// The extents; empty: a single value.
  public let shape: [Int]
  private let contents: [UInt8]
  private let headerSize: Int

  /// Number of elements.
  public var count: Int { (contents.count - headerSize) / element.size }

  /// Reads a file, plain or compressed with gzip.
  ///
  /// - Throws: a file that cannot be read, or is no IDX file of exactly the size that it claims.
  public init(path: String, limit: Int = FileReader.defaultLimit) throws(DataError) {
    // A few bytes of gzip may hold gigabytes: stop where the header says that the file ends.
    let contents = try FileReader.contents(of: path, limit: limit) { start throws(DataError) in
      guard start.count >= Self.longestHeader else { return }
      let header = try Self.header(start, name: path)
      guard start.count <= header.fileSize else {
        throw .length(path: path, shape: header.shape, expected: header.fileSize, found: nil)
      }
    }
    try self.init(contents, name: path)
  }

  /// Takes a file's contents.
  ///
  /// - Parameter name: the file's name, for errors.
  public init(_ contents: [UInt8], name: String) throws(DataError) {
    self.name = name
    self.contents = contents
    let header = try Self.header(contents, name: name)
    (element, shape, headerSize) = (header.element, header.shape, header.size)
    guard contents.count == header.fileSize else {
      throw .length(path: name, shape: shape, expected: header.fileSize, found: contents.count)
    }
  }

  private struct Header {
    let element: Element
    let shape: [Int]
    /// Bytes of the header.
    let size: Int
    /// Bytes of the whole file.
    let fileSize: Int
  }

  /// Bytes of a header of 255 extents, the most that there can be.
  private static let longestHeader = 4 + 4 * 255

  private static func header(
    _ contents: [UInt8], name: String
  ) throws(DataError) -> Header {
    /// An error about the bytes from `byte` on, of which it shows `count`.
    func wrong(_ expected: String, at byte: Int, showing count: Int) -> DataError {
      let found = contents.dropFirst(byte).prefix(count).map(hexadecimal).joined(separator: " ")
      return .header(
        path: name, byte: byte, expected: expected, found: found.isEmpty ? "the end" : found)
    }
    guard contents.starts(with: [0, 0]) else { throw wrong("00 00", at: 0, showing: 2) }
    guard contents.count > 2, let element = Element(rawValue: contents[2]) else {
      let known = Element.allCases.map { hexadecimal($0.rawValue) }.joined(separator: ", ")
      throw wrong("an element type (\(known))", at: 2, showing: 1)
    }
    guard contents.count > 3 else { throw wrong("the number of extents", at: 3, showing: 0) }
    let rank = Int(contents[3])
    var shape: [Int] = []
    for axis in 0..<rank {
      let byte = 4 + 4 * axis
      guard contents.count >= byte + 4 else {
        throw wrong("extent \(axis + 1) of \(rank)", at: byte, showing: 0)
      }
      shape.append(contents[byte..<(byte + 4)].reduce(0) { $0 << 8 | Int($1) })
    }
    return Header(
      element: element, shape: shape, size: 4 + 4 * rank,
      fileSize: try fileSize(element, shape, headerSize: 4 + 4 * rank, name: name))
  }

  private static func fileSize(
    _ element: Element, _ shape: [Int], headerSize: Int, name: String
  ) throws(DataError) -> Int {
    var size = element.size
    for extent in shape {
      let (product, overflows) = size.multipliedReportingOverflow(by: extent)
      guard !overflows else { throw .extents(path: name, shape: shape) }
      size = product
    }
    let (total, overflows) = size.addingReportingOverflow(headerSize)
    guard !overflows else { throw .extents(path: name, shape: shape) }
    return total
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }
}

extension IDXFile {
  /// The elements, which must be `uint8`.
  public func bytes() throws(DataError) -> [UInt8] {
    guard element == .uint8 else {
      throw .element(path: name, expected: "uint8", found: element)
    }
    return Array(contents[headerSize...])
  }

  /// The elements, which must be integers of any type.
  public func integers() throws(DataError) -> [Int32] {
    switch element {
    case .uint8: values(of: UInt8.self) { Int32($0) }
    case .int8: values(of: Int8.self) { Int32($0) }
    case .int16: values(of: Int16.self) { Int32(Int16(bigEndian: $0)) }
    case .int32: values(of: Int32.self) { Int32(bigEndian: $0) }
    case .float32, .float64: throw .element(path: name, expected: "integers", found: element)
    }
  }

  /// The elements, of whatever type; each is exact.
  public func doubles() -> [Double] {
    switch element {
    case .uint8: values(of: UInt8.self) { Double($0) }
    case .int8: values(of: Int8.self) { Double($0) }
    case .int16: values(of: Int16.self) { Double(Int16(bigEndian: $0)) }
    case .int32: values(of: Int32.self) { Double(Int32(bigEndian: $0)) }
    case .float32:
      values(of: UInt32.self) { Double(Float(bitPattern: UInt32(bigEndian: $0))) }
    case .float64: values(of: UInt64.self) { Double(bitPattern: UInt64(bigEndian: $0)) }
    }
  }

  private func values<Stored: BitwiseCopyable, Value>(
    of type: Stored.Type, _ value: (Stored) -> Value
  ) -> [Value] {
    contents.withUnsafeBytes { bytes in
      [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
          let offset = headerSize + index * MemoryLayout<Stored>.size
          let stored = bytes.loadUnaligned(fromByteOffset: offset, as: type)
          buffer.initializeElement(at: index, to: value(stored))
        }
        initialized = count
      }
    }
  }
}
