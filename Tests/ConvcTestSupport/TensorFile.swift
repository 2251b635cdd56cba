import Foundation

/// The tensors of a safetensors file, read without any code of the library under test.
public struct TensorFile: Sendable {
  /// A tensor: its shape, and its values as single-precision numbers.
  public struct Tensor: Sendable, Hashable {
    public let shape: [Int]
    public let values: [Float]
  }

  public let tensors: [String: Tensor]

  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  /// - Throws: a file that cannot be read, or that is not a safetensors file of F32, I32 and U8.
  public init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    func invalid() -> any Error { CocoaError(.fileReadCorruptFile, userInfo: ["path": path]) }
    guard bytes.count >= 8 else { throw invalid() }
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - 8 else { throw invalid() }
    let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length]))
    guard var entries = header as? [String: Any] else { throw invalid() }
    entries["__metadata__"] = nil
    let text = try JSONSerialization.data(withJSONObject: entries)
    tensors = try JSONDecoder().decode([String: Entry].self, from: text).mapValues { entry in
      let start = 8 + length
      guard entry.offsets.count == 2, entry.offsets[0] <= entry.offsets[1],
        start + entry.offsets[1] <= bytes.count
      else { throw invalid() }
      let data = bytes[start + entry.offsets[0]..<start + entry.offsets[1]]
      let values: [Float]
      switch entry.dtype {
      case "U8": values = data.map(Float.init)
      case "I32": values = Self.words(data).map { Float(Int32(bitPattern: $0)) }
      case "F32": values = Self.words(data).map(Float.init(bitPattern:))
      default: throw invalid()
      }
      return Tensor(shape: entry.shape, values: values)
    }
  }

  /// - Throws: a name that the file lacks.
  public subscript(name: String) -> Tensor {
    get throws {
      guard let tensor = tensors[name] else { throw MissingTensor(name: name) }
      return tensor
    }
  }

  /// A name that a file lacks.
  public struct MissingTensor: Error, CustomStringConvertible {
    public let name: String
    public var description: String { "\(name): no such tensor in the file" }
  }

  private static func words(_ data: ArraySlice<UInt8>) -> [UInt32] {
    data.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
      }
    }
  }
}
