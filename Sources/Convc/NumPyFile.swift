import ConvcData
import ConvcRuntime
import Foundation

/// Why an array's file cannot be read. The description is one line.
public struct ArrayFileError: Error, Sendable, Hashable, CustomStringConvertible {
  public let path: String
  /// What is wrong, and the way out.
  public let reason: String

  public var description: String { "\(path): \(reason)" }
}

/// An array in NumPy's file format: float32, int32, int64 or bool, row-major, little endian.
///
/// - Source: NumPy Enhancement Proposal 1, versions 1.0 to 3.0 of the format.
public struct NumPyFile: Sendable {
  public let shape: [Int]
  public let values: Program.Values

  public init(shape: [Int], values: Program.Values) {
    self.shape = shape
    self.values = values
  }

  /// Reads a file, plain or packed by gzip.
  ///
  /// - Throws: what is wrong with it, with its path and the way out.
  public init(path: String) throws(ArrayFileError) {
    let bytes: [UInt8]
    do {
      bytes = try FileReader.contents(of: path)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      guard case .cannotRead = error else { throw Self.damaged(path, "\(error)") }
      throw ArrayFileError(
        path: path,
        reason: isThere ? "cannot be read; check its permissions" : "no such file; check the path")
    }
    let (header, start) = try Self.header(bytes, path)
    let (shape, element) = try Self.fields(header, path)
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 40 else {
        throw Self.damaged(path, "shape \(Self.text(shape)) is too large")
      }
      count = product
    }
    let (found, expected) = (bytes.count - start, element.size * count)
    guard found == expected else {
      throw Self.damaged(
        path,
        "\(found) bytes of values, expected \(expected) for shape \(Self.text(shape))")
    }
    self.shape = shape
    values = bytes.withUnsafeBytes { raw in
      Program.Values(element, copying: UnsafeRawBufferPointer(rebasing: raw[start...]))
    }
  }

  private static func damaged(_ path: String, _ reason: String) -> ArrayFileError {
    ArrayFileError(path: path, reason: "\(reason); save it again with numpy.save")
  }

  private static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "x")
  }

  /// The header's text and where the values begin.
  private static func header(
    _ bytes: [UInt8], _ path: String
  ) throws(ArrayFileError) -> (text: String, end: Int) {
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), bytes.count >= 12 else {
      throw damaged(path, "no NumPy file")
    }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw damaged(path, "format version \(version), expected 1 to 3")
    }
    let lengthBytes = version == 1 ? 2 : 4
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = 8 + lengthBytes
    guard length <= bytes.count - start else { throw damaged(path, "truncated in its header") }
    return (String(decoding: bytes[start..<(start + length)], as: UTF8.self), start + length)
  }

  /// Shape and type in a header: `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 28, 28), }`.
  private static func fields(
    _ header: String, _ path: String
  ) throws(ArrayFileError) -> (shape: [Int], element: Program.Element) {
    guard let type = header.firstMatch(of: /'descr'\s*:\s*'([^']*)'/)?.1,
      let order = header.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
      let extents = header.firstMatch(of: /'shape'\s*:\s*\(([0-9,\s]*)\)/)?.1
    else { throw damaged(path, "its header names no type, order or shape") }
    guard order == "False" else {
      throw ArrayFileError(
        path: path,
        reason: "its values are column-major, expected row-major; save numpy.ascontiguousarray(x)")
    }
    guard let element = Self.types.first(where: { $0.value == type })?.key else {
      throw ArrayFileError(
        path: path,
        reason:
          "its values are of type \(type), expected <f4 (float32), <i4 (int32), <i8 (int64) or "
          + "|b1 (bool); save x.astype('float32')")
    }
    let parts = extents.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
    let shape = parts.filter { !$0.isEmpty }.compactMap { Int($0) }
    guard shape.count == parts.filter({ !$0.isEmpty }).count else {
      throw damaged(path, "an extent of its shape is too large")
    }
    return (shape, element)
  }

  /// NumPy's names of the types.
  private static let types: [Program.Element: String] = [
    .float32: "<f4", .int32: "<i4", .int64: "<i8", .bool: "|b1",
  ]

  /// The file's bytes, the values at a multiple of 64.
  public var bytes: Data {
    let type = Self.types[values.element] ?? ""
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: Array(header.utf8))
    values.withBytes { data.append(contentsOf: $0) }
    return data
  }
}
