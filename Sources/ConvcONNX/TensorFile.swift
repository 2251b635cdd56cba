/// Reads tensors that stand in files of their own, as the test data beside a model does.
public enum TensorFile {
  /// The tensor in a file of the format (`TensorProto`).
  ///
  /// - Throws: a file that cannot be read or holds something else.
  public static func read(_ path: String) throws(ONNXError) -> ONNXTensor {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let source = try ByteSource(path: path, name: path, keepsOpen: false)
    let bytes = try source.bytes(at: 0, count: source.count)
    // As the initializer of a model without nodes it goes through all checks of the reader.
    let key = "tensor"
    let initializer = bytes + field(8, Array(key.utf8))
    let graph = field(5, initializer) + field(12, field(1, Array(key.utf8)))
    let version: [UInt8] = [0x08, 8]
    let operators = field(8, [0x10, 13])
    let model = try ONNXFile.read(bytes: version + operators + field(7, graph), name: path)
    guard let tensor = model.initializers[key] else {
      throw ONNXError(path, "holds no tensor; give a file with a TensorProto")
    }
    return tensor.named(name)
  }

  /// A field of bytes as protobuf has it: number and kind, length, contents.
  private static func field(_ number: UInt8, _ contents: [UInt8]) -> [UInt8] {
    var result = [number << 3 | 2]
    var length = contents.count
    while length >= 128 {
      result.append(UInt8(length & 127) | 128)
      length >>= 7
    }
    return result + [UInt8(length)] + contents
  }
}
