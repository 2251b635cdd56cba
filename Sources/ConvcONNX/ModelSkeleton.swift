/// A model's protobuf bytes without what the importer does not read, and with weights as references.
///
/// Before: the file. After: the same message with documentation and metadata left out, and with
/// the bytes of each tensor replaced by the places where they stand (``WeightPlace``). What is left is
/// small, and all that could make decoding expensive has been counted: depth, nodes, memory.
struct ModelSkeleton {
  /// Parts of the schema, as far as they are read.
  private enum Message {
    case model, graph, node, attribute, tensor, sparse, valueInfo, type, tensorType, shape, leaf
    case function
  }

  /// What to do with a field.
  private enum Treatment {
    case keep
    /// Numbers of up to `size` bytes in memory, which may stand as one byte each in the file.
    case numbers(size: Int)
    case message(Message)
    /// Kept as an empty message: that it is there says enough.
    case empty
    case weights(WeightPlace.Kind)
    case drop
  }

  private var reader: WireReader
  private let limits: ONNXLimits
  private var bytes = 0
  private var nodes = 0

  /// - Throws: bytes that are no protobuf message, and models beyond the limits.
  static func bytes(of source: ByteSource, limits: ONNXLimits) throws(ONNXError) -> [UInt8] {
    guard source.count <= limits.fileBytes else {
      throw ONNXError(
        source.name,
        "has \(source.count) bytes, more than \(limits.fileBytes); "
          + "store the weights as external data")
    }
    var skeleton = ModelSkeleton(reader: WireReader(source), limits: limits)
    return try skeleton.message(.model, end: source.count, depth: 0)
  }

  private init(reader: WireReader, limits: ONNXLimits) {
    self.reader = reader
    self.limits = limits
  }

  private mutating func message(
    _ message: Message, end: Int, depth: Int
  ) throws(ONNXError) -> [UInt8] {
    guard depth <= limits.depth else {
      throw ONNXError(
        reader.source.name,
        "is nested more than \(limits.depth) levels deep at byte \(reader.offset); "
          + "\(ONNXError.exportAgain) without nested subgraphs")
    }
    if message == .node { try countNode() }
    try charge(512)
    var result: [UInt8] = []
    var weights: [WeightPlace] = []
    while reader.offset < end {
      let tag = try reader.tag(end: end)
      let treatment = Self.treatment(of: tag.field, in: message)
      if tag.type == .delimited {
        let length = try reader.length(end: end)
        try delimited(tag, length, treatment, depth, &weights, &result)
      } else {
        try scalar(tag, treatment, end, &result)
      }
    }
    if !weights.isEmpty {
      Self.append(tag: 9, length: weights.count * WeightPlace.size, to: &result)
      for place in weights { place.append(to: &result) }
    }
    return result
  }

  private mutating func delimited(
    _ tag: WireReader.Tag, _ length: Int, _ treatment: Treatment, _ depth: Int,
    _ weights: inout [WeightPlace], _ result: inout [UInt8]
  ) throws(ONNXError) {
    let end = reader.offset + length
    switch treatment {
    case .drop: try reader.skip(length, end: end)
    case .empty:
      try charge(64)
      try reader.skip(length, end: end)
      Self.append(tag: tag.field, length: 0, to: &result)
    case .weights(let kind):
      // As in protobuf, raw bytes that stand twice count once, and lists of numbers go on.
      if kind == .raw { weights.removeAll { $0.kind == .raw } }
      try charge(WeightPlace.size)
      weights.append(WeightPlace(kind: kind, offset: reader.offset, count: length))
      try reader.skip(length, end: end)
    case .message(let message):
      let inner = try self.message(message, end: end, depth: depth + 1)
      Self.append(tag: tag.field, length: inner.count, to: &result)
      result += inner
    case .keep, .numbers:
      if case .numbers(let size) = treatment { try charge(length, times: size) }
      try charge(length, times: 2)
      try charge(32)
      Self.append(tag: tag.field, length: length, to: &result)
      try reader.copy(length, end: end, to: &result)
    }
  }

  /// A field that is a number on its own.
  private mutating func scalar(
    _ tag: WireReader.Tag, _ treatment: Treatment, _ end: Int, _ result: inout [UInt8]
  ) throws(ONNXError) {
    var number: [UInt8] = []
    switch tag.type {
    case .varint: Self.append(try reader.varint(end: end), to: &number)
    case .fourBytes: try reader.copy(4, end: end, to: &number)
    case .eightBytes: try reader.copy(8, end: end, to: &number)
    case .delimited: return
    }
    switch treatment {
    case .keep, .numbers, .weights:
      try charge(24)
      Self.append(UInt64(tag.field) << 3 | tag.type.rawValue, to: &result)
      result += number
    case .message, .empty, .drop: break
    }
  }

  private mutating func charge(_ count: Int, times factor: Int = 1) throws(ONNXError) {
    let (product, overflow) = count.multipliedReportingOverflow(by: factor)
    bytes += overflow ? limits.structureBytes : min(product, limits.structureBytes)
    guard !overflow, bytes <= limits.structureBytes else {
      throw ONNXError(
        reader.source.name,
        "takes more than \(limits.structureBytes >> 20) MB without its weights; "
          + "store weights as raw_data or as external data")
    }
  }

  private mutating func countNode() throws(ONNXError) {
    nodes += 1
    guard nodes <= limits.nodes else {
      throw ONNXError(
        reader.source.name, "has more than \(limits.nodes) nodes; \(ONNXError.exportAgain) in parts"
      )
    }
  }

  private static func append(tag: Int, length: Int, to bytes: inout [UInt8]) {
    append(UInt64(tag) << 3 | WireReader.WireType.delimited.rawValue, to: &bytes)
    append(UInt64(length), to: &bytes)
  }

  private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
}

extension ModelSkeleton {
  /// What to do with a field, by the numbers of the schema.
  private static func treatment(of field: Int, in message: Message) -> Treatment {
    switch (message, field) {
    case (.model, 1), (.model, 2), (.model, 3): .keep
    case (.model, 7): .message(.graph)
    case (.model, 8), (.function, 9): .message(.leaf)
    case (.model, 25): .message(.function)

    case (.graph, 1), (.function, 7): .message(.node)
    case (.graph, 2): .keep
    case (.graph, 5): .message(.tensor)
    case (.graph, 11), (.graph, 12), (.graph, 13): .message(.valueInfo)
    case (.graph, 15): .message(.sparse)

    case (.function, 1), (.function, 4), (.function, 5), (.function, 6), (.function, 10),
      (.function, 13):
      .keep
    case (.function, 11), (.node, 5): .message(.attribute)

    case (.node, 1), (.node, 2), (.node, 3), (.node, 4), (.node, 7), (.node, 8): .keep

    case (.attribute, 8): .numbers(size: 8)
    case (.attribute, 5), (.attribute, 10): .message(.tensor)
    case (.attribute, 6), (.attribute, 11): .message(.graph)
    case (.attribute, 14), (.attribute, 15): .message(.type)
    case (.attribute, 22), (.attribute, 23): .empty
    case (.attribute, 1), (.attribute, 2), (.attribute, 3), (.attribute, 4), (.attribute, 7),
      (.attribute, 9), (.attribute, 20), (.attribute, 21):
      .keep

    case (.tensor, 1), (.tensor, 7), (.tensor, 11): .numbers(size: 8)
    case (.tensor, 5): .numbers(size: 4)
    case (.tensor, 4): .weights(.floats)
    case (.tensor, 9): .weights(.raw)
    case (.tensor, 10): .weights(.doubles)
    case (.tensor, 13): .message(.leaf)
    case (.tensor, 3): .empty
    case (.tensor, 2), (.tensor, 8), (.tensor, 14): .keep

    case (.sparse, 1): .message(.tensor)

    case (.valueInfo, 1): .keep
    case (.valueInfo, 2): .message(.type)
    case (.type, 1): .message(.tensorType)
    case (.type, 4), (.type, 5), (.type, 7), (.type, 8), (.type, 9): .empty
    case (.tensorType, 1): .keep
    case (.tensorType, 2): .message(.shape)
    case (.shape, 1): .message(.leaf)
    case (.leaf, 1), (.leaf, 2): .keep
    default: .drop
    }
  }
}

/// Where bytes of a tensor stand in the file.
struct WeightPlace {
  /// How the bytes stand there; all three are little-endian elements one after the other.
  enum Kind: UInt8 {
    case raw, floats, doubles
  }

  /// Bytes of one place in a skeleton.
  static let size = 17

  let kind: Kind
  let offset: Int
  let count: Int

  /// Reads places as ``append(to:)`` wrote them.
  static func places(in bytes: some Collection<UInt8>) -> [WeightPlace] {
    let bytes = Array(bytes)
    return stride(from: 0, to: bytes.count - size + 1, by: size).compactMap { start in
      func number(_ from: Int) -> Int {
        Int(
          truncatingIfNeeded: bytes[from..<from + 8].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
          })
      }
      return Kind(rawValue: bytes[start]).map {
        WeightPlace(kind: $0, offset: number(start + 1), count: number(start + 9))
      }
    }
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(kind.rawValue)
    for number in [offset, count] {
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
    }
  }
}
