import SwiftProtobuf

/// Reads ONNX files.
public enum ONNXFile {
  /// Versions of the standard's operator set that are read; those before 6 as far as an operator did not
  /// change with it.
  public static let opsets = 1...28
  /// The first version of the file format that is read.
  public static let firstIRVersion = 3

  /// The model of a file.
  ///
  /// Weights stay in the file, which must not change while the graph is in use.
  ///
  /// - Throws: a file that cannot be read, is none of the format, is beyond `limits`, or
  ///   contradicts itself.
  public static func read(
    _ path: String, limits: ONNXLimits = ONNXLimits()
  ) throws(ONNXError) -> ONNXGraph {
    let cut = path.lastIndex(of: "/")
    let folder = cut.map { String(path[...$0]) } ?? "."
    let name = cut.map { String(path[path.index(after: $0)...]) } ?? path
    let source = try ByteSource(path: path, name: name, keepsOpen: true)
    return try read(source, folder: folder, limits: limits)
  }

  /// The model that bytes hold.
  ///
  /// - Parameters:
  ///   - name: what messages call the model.
  ///   - folder: where external data may stand; nil refuses models that have some.
  public static func read(
    bytes: [UInt8], name: String = "model", folder: String? = nil,
    limits: ONNXLimits = ONNXLimits()
  ) throws(ONNXError) -> ONNXGraph {
    try read(ByteSource(bytes, name: name), folder: folder, limits: limits)
  }

  private static func read(
    _ source: ByteSource, folder: String?, limits: ONNXLimits
  ) throws(ONNXError) -> ONNXGraph {
    let skeleton = try ModelSkeleton.bytes(of: source, limits: limits)
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = limits.depth + 8
    options.discardUnknownFields = true
    let model: Onnx_ModelProto
    do {
      model = try Onnx_ModelProto(serializedBytes: skeleton, partial: true, options: options)
    } catch {
      let reason =
        if case BinaryDecodingError.invalidUTF8 = error { "a name is no UTF-8 text" } else {
          "its fields do not fit the format"
        }
      throw ONNXError(
        source.name, "is no ONNX file or damaged: \(reason); copy or export it again")
    }
    var reader = ModelReader(source, folder: folder, limits: limits)
    return try reader.graph(model)
  }
}
