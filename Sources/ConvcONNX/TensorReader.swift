/// Makes tensors of decoded ones, which refer to their bytes in the file.
struct TensorReader {
  private let source: ByteSource
  private let limits: ONNXLimits
  private var external: ExternalData
  private var bytes = 0

  init(_ source: ByteSource, folder: String?, limits: ONNXLimits) {
    self.source = source
    self.limits = limits
    external = ExternalData(folder: folder)
  }

  /// - Parameter place: what messages call the tensor.
  /// - Throws: an unknown type, impossible dimensions, too few or too many bytes, external data outside of the
  ///   model's folder.
  mutating func tensor(
    _ proto: Onnx_TensorProto, place: String
  ) throws(ONNXError) -> ONNXTensor {
    guard let type = ONNXElementType(rawValue: Int(proto.dataType)) else {
      throw ONNXError(
        place,
        "has element type number \(proto.dataType), which ONNX does not know; "
          + ONNXError.exportAgain)
    }
    guard !proto.hasSegment else {
      throw ONNXError(
        place, "is stored in segments, which convc does not read; \(ONNXError.exportAgain)")
    }
    let dims = proto.dims.map { Int($0) }
    let count = try ONNXTensor.count(of: dims, place: place)
    guard let size = type.size else {
      return try ONNXTensor(place: place, type: type, dims: dims, storage: .unreadable)
    }
    bytes += count * size
    guard bytes <= limits.tensorBytes else {
      throw ONNXError(
        place,
        "brings the model's weights to more than \(limits.tensorBytes >> 20) MB; "
          + "\(ONNXError.exportAgain) in parts")
    }
    let storage: ONNXTensor.Storage
    if proto.dataLocation == .external {
      let entries = proto.externalData.map { (key: $0.key, value: $0.value) }
      storage = try external.storage(entries, place: place, expected: count * size)
    } else {
      storage = try self.storage(proto, type, place)
    }
    let tensor = try ONNXTensor(place: place, type: type, dims: dims, storage: storage)
    try tensor.checkBytes()
    return tensor
  }

  /// Raw bytes, or the list of numbers that belongs to the type.
  private func storage(
    _ proto: Onnx_TensorProto, _ type: ONNXElementType, _ place: String
  ) throws(ONNXError) -> ONNXTensor.Storage {
    let places = WeightPlace.places(in: proto.rawData)
    func pieces(_ kind: WeightPlace.Kind) -> [Range<Int>] {
      places.filter { $0.kind == kind && $0.count > 0 }.map { $0.offset..<$0.offset + $0.count }
    }
    let raw = pieces(.raw)
    if !raw.isEmpty { return .pieces(source, raw) }
    switch type {
    case .float, .complex64:
      return try list(pieces(.floats), proto.floatData.withUnsafeBytes { [UInt8]($0) }, place)
    case .double, .complex128:
      return try list(pieces(.doubles), proto.doubleData.withUnsafeBytes { [UInt8]($0) }, place)
    case .int64: return .bytes(ONNXTensor.bytes(proto.int64Data, type))
    case .uint64, .uint32:
      return .bytes(ONNXTensor.bytes(proto.uint64Data.map { Int64(bitPattern: $0) }, type))
    case .float16, .bfloat16:
      // Bits, not numbers.
      return .bytes(ONNXTensor.bytes(proto.int32Data.map { Int64($0) }, .uint16))
    default:
      return .bytes(ONNXTensor.bytes(proto.int32Data.map { Int64($0) }, type))
    }
  }

  /// Numbers that stand in the file as they are in memory, or one field each.
  private func list(
    _ pieces: [Range<Int>], _ single: [UInt8], _ place: String
  ) throws(ONNXError) -> ONNXTensor.Storage {
    guard pieces.isEmpty || single.isEmpty else {
      throw ONNXError(
        place, "lists its numbers in two ways; \(ONNXError.exportAgain)")
    }
    return pieces.isEmpty ? .bytes(single) : .pieces(source, pieces)
  }
}
