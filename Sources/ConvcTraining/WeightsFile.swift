import ConvcData
import FoundationEssentials
import Glibc

/// A safetensors file of float32 tensors.
///
/// - Source: the safetensors format: the header's length in 8 bytes, little endian; a JSON header
///   that gives each tensor's type, shape and place; the data.
struct WeightsFile {
  struct Tensor {
    let name: String
    let shape: [Int]
    let values: ArraySlice<Float>
  }

  private let path: String
  private let header: WeightsHeader
  private let bytes: Data
  private let dataStart: Int

  /// Reads a file and checks that its tensors fill it, one after another.
  init(path: String) throws(CheckpointError) {
    self.path = path
    func damaged(_ reason: String) -> CheckpointError {
      .unreadable(path: path, reason: "\(reason); give a whole safetensors file")
    }
    do {
      bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let isThere = access(path, F_OK) == 0
      throw .unreadable(
        path: path,
        reason: isThere ? "cannot be read; check its permissions" : "no such file; check the path")
    }
    guard bytes.count >= 8 else { throw damaged("no safetensors file: \(bytes.count) bytes") }
    let length = bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    }
    guard length <= 100_000_000 else { throw damaged("no safetensors file: no header") }
    dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else { throw damaged("truncated in its header") }
    let text = Data(bytes[8..<dataStart])
    guard let header = try? JSONDecoder().decode(WeightsHeader.self, from: text) else {
      throw damaged("no safetensors file: its header cannot be read")
    }
    self.header = header
    if let reason = header.fault(dataCount: bytes.count - dataStart)
      ?? WeightsHeader.repeatedName(in: text).map({ "two tensors are named '\($0)'" })
    {
      throw damaged(reason)
    }
  }

  var metadata: [String: String] { header.metadata }

  /// Names of the tensors, sorted.
  var names: [String] { header.entries.keys.sorted() }

  func shape(_ name: String) -> [Int]? { header.entries[name]?.shape }

  /// Copies a tensor's values, and checks that they are finite.
  func copy(
    _ name: String, to block: inout [Float], at offset: Int
  ) throws(CheckpointError) {
    guard let entry = header.entries[name] else {
      throw .missingTensor(name, shape: [], path: path)
    }
    guard entry.dtype == "F32" else { throw .wrongType(name, got: entry.dtype, path: path) }
    let count = entry.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard count >= 0, entry.offsets[1] - entry.offsets[0] == 4 * count,
      offset + count <= block.count
    else {
      throw .unreadable(
        path: path, reason: "tensor '\(name)' has another size than its shape says")
    }
    let start = dataStart + entry.offsets[0]
    let bad = bytes.withUnsafeBytes { source -> Int? in
      block.withUnsafeMutableBufferPointer { block in
        let values = UnsafeMutableBufferPointer(rebasing: block[offset..<(offset + count)])
        let raw = UnsafeMutableRawBufferPointer(values)
        raw.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<(start + 4 * count)]))
        var index = 0
        while index < count {
          if !values[index].isFinite { return index }
          index += 1
        }
        return nil
      }
    }
    if let bad {
      throw .notFinite(name, value: block[offset + bad], position: bad, path: path)
    }
  }

  /// Writes a file, which appears as a whole or not at all.
  ///
  /// The header is filled up with blanks so that the data start at a multiple of 64.
  static func write(
    _ tensors: [Tensor], metadata: [String: String], to path: String
  ) throws(CheckpointError) {
    var parts: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      parts.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + 4 * tensor.values.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      parts.append(
        "\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(parts.joined(separator: ","))}".utf8)
    while (8 + header.count) % 64 != 0 { header.append(UInt8(ascii: " ")) }
    var file: [UInt8] = []
    file.reserveCapacity(8 + header.count + offset)
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: header)
    for tensor in tensors {
      tensor.values.withUnsafeBytes { file.append(contentsOf: $0) }
    }
    do {
      try AtomicFile.write(file, to: path)
    } catch {
      throw .cannotWrite(path: path, reason: error.reason)
    }
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    guard let data = try? encoder.encode(text), let json = String(data: data, encoding: .utf8)
    else { preconditionFailure("internal error: text that is no JSON") }
    return json
  }
}
