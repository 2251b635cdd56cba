import Convc
import Foundation

/// An array in NumPy's file format: float32, int32, int64 or bool, row-major, little endian.
///
/// - Source: NumPy Enhancement Proposal 1, versions 1.0 to 3.0 of the format.
struct NumPyFile {
  let shape: [Int]
  let values: Program.Values

  init(shape: [Int], values: Program.Values) {
    self.shape = shape
    self.values = values
  }

  /// Reads a file.
  ///
  /// - Throws: what is wrong with it, with its path and the way out.
  init(path: String) throws(Failure) {
    let bytes: [UInt8]
    do {
      bytes = try FileReader.contents(of: path)
    } catch DataError.cannotRead {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw Failure(
        .input,
        "\(path): \(isThere ? "cannot be read; check its permissions" : "no such file; check the path")"
      )
    } catch {
      throw Failure(.input, "\(error)")
    }
    let (header, start) = try Self.header(bytes, path)
    let (shape, element) = try Self.fields(header, path)
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 40 else {
        throw Self.damaged(path, "shape \(NumberText.extents(shape)) is too large")
      }
      count = product
    }
    let (found, expected) = (bytes.count - start, element.size * count)
    guard found == expected else {
      throw Self.damaged(
        path,
        "\(found) bytes of values, expected \(expected) for shape \(NumberText.extents(shape))")
    }
    self.shape = shape
    values = bytes.withUnsafeBytes { raw in
      Program.Values(element, copying: UnsafeRawBufferPointer(rebasing: raw[start...]))
    }
  }

  private static func damaged(_ path: String, _ reason: String) -> Failure {
    Failure(.input, "\(path): \(reason); save it again with numpy.save")
  }

  /// The header's text and where the values begin.
  private static func header(
    _ bytes: [UInt8], _ path: String
  ) throws(Failure) -> (text: String, end: Int) {
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
  ) throws(Failure) -> (shape: [Int], element: Program.Element) {
    guard let type = header.firstMatch(of: /'descr'\s*:\s*'([^']*)'/)?.1,
      let order = header.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
      let extents = header.firstMatch(of: /'shape'\s*:\s*\(([0-9,\s]*)\)/)?.1
    else { throw damaged(path, "its header names no type, order or shape") }
    guard order == "False" else {
      throw Failure(
        .input,
        "\(path): its values are column-major, expected row-major; save numpy.ascontiguousarray(x)")
    }
    guard let element = Self.types.first(where: { $0.value == type })?.key else {
      throw Failure(
        .input,
        "\(path): its values are of type \(type), expected <f4 (float32), <i4 (int32), <i8 (int64) or "
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
  var bytes: Data {
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
