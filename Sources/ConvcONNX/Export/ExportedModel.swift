import SwiftProtobuf

/// An ONNX model as the bytes of its file. Weights stay in the network's parameter block and are not copied.
public struct ExportedModel: Sendable {
  /// The most bytes that a file of the format has: those that protobuf can count.
  public static let largestFile = Int(Int32.max)

  private enum Piece: Sendable {
    /// Bytes of `frame`.
    case frame(Range<Int>)
    /// Floats of the parameter block.
    case parameters(Range<Int>)
  }

  /// Bytes of the file.
  public let byteCount: Int
  /// All that is no part of the parameter block.
  private let frame: [UInt8]
  private let parameters: [Float]
  private let pieces: [Piece]

  /// - Parameters:
  ///   - model: all but the initializers.
  ///   - tensors: the initializers.
  ///   - parameters: the block that initializers may be parts of.
  init(
    _ model: Onnx_ModelProto, tensors: [ExportedTensor], parameters: [Float]
  ) throws(ONNXError) {
    let name = model.graph.name
    var outer = model
    outer.clearGraph()
    let graph = try Self.bytes(of: model.graph)
    var heads: [[UInt8]] = []
    var size = graph.count
    for tensor in tensors {
      let head =
        try Self.bytes(of: tensor.head) + Self.field(Self.rawDataField, tensor.byteCount)
      heads.append(Self.field(Self.initializerField, head.count + tensor.byteCount) + head)
      size += heads[heads.count - 1].count + tensor.byteCount
    }
    var frame = try Self.bytes(of: outer) + Self.field(Self.graphField, size) + graph
    var pieces: [Piece] = []
    var start = 0
    byteCount = frame.count - graph.count + size
    guard byteCount <= Self.largestFile else {
      throw ONNXError(
        name,
        "takes \(byteCount >> 20) MiB, an ONNX file holds up to \(Self.largestFile >> 20); "
          + "export a smaller network, or keep its weights as safetensors")
    }
    for (tensor, head) in zip(tensors, heads) {
      frame += head
      switch tensor.values {
      case .floats(let values): values.withUnsafeBytes { frame += $0 }
      case .integers(let values): values.withUnsafeBytes { frame += $0 }
      case .parameters(let range):
        pieces += [.frame(start..<frame.count), .parameters(range)]
        start = frame.count
      }
    }
    self.frame = frame
    self.parameters = parameters
    self.pieces = pieces + [.frame(start..<frame.count)]
  }

  /// The file as one array.
  public var bytes: [UInt8] {
    withPieces { pieces in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(byteCount)
      for piece in pieces { bytes += piece }
      return bytes
    }
  }

  /// Calls a function with the file's bytes, which stand in several places of memory one after another.
  public func withPieces<Result>(
    _ body: ([UnsafeRawBufferPointer]) throws -> Result
  ) rethrows -> Result {
    try frame.withUnsafeBytes { frame in
      try parameters.withUnsafeBytes { parameters in
        try body(
          pieces.map { piece in
            switch piece {
            case .frame(let range): UnsafeRawBufferPointer(rebasing: frame[range])
            case .parameters(let range):
              UnsafeRawBufferPointer(
                rebasing: parameters[4 * range.lowerBound..<4 * range.upperBound])
            }
          })
      }
    }
  }

  // Numbers of fields in the schema.
  private static let graphField: UInt8 = 7
  private static let initializerField: UInt8 = 5
  private static let rawDataField: UInt8 = 9

  /// A field's number and length, as protobuf has them before its bytes.
  private static func field(_ number: UInt8, _ length: Int) -> [UInt8] {
    var result = [number << 3 | 2]
    var rest = length
    while rest > 127 {
      result.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return result + [UInt8(rest)]
  }

  private static func bytes(of message: some Message) throws(ONNXError) -> [UInt8] {
    do { return try message.serializedBytes(partial: true) } catch {
      throw ONNXError("ONNX model", "cannot be written: \(error)")
    }
  }
}

/// An initializer of a model that is written.
struct ExportedTensor {
  enum Values {
    /// A part of the network's parameter block.
    case parameters(Range<Int>)
    case floats([Float])
    case integers([Int64])
  }

  let name: String
  let dims: [Int]
  let values: Values

  var byteCount: Int {
    switch values {
    case .parameters(let range): 4 * range.count
    case .floats(let values): 4 * values.count
    case .integers(let values): 8 * values.count
    }
  }

  /// All but the elements.
  var head: Onnx_TensorProto {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = dims.map(Int64.init)
    let type: ONNXElementType = if case .integers = values { .int64 } else { .float }
    tensor.dataType = Int32(type.rawValue)
    return tensor
  }
}
