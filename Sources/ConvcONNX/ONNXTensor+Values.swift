extension ONNXTensor {
  /// A tensor of numbers of an integer type, or of booleans (0 and 1).
  ///
  /// Numbers that the type cannot hold wrap around.
  public init(
    _ values: [Int64], type: ONNXElementType = .int64, dims: [Int], place: String
  ) throws(ONNXError) {
    try self.init(
      place: place, type: type, dims: dims, storage: .bytes(Self.bytes(values, type)))
    try checkBytes()
  }

  /// A tensor of numbers of a floating type, rounded to it.
  public init(
    _ values: [Double], type: ONNXElementType = .float, dims: [Int], place: String
  ) throws(ONNXError) {
    try self.init(
      place: place, type: type, dims: dims, storage: .bytes(Self.bytes(values, type)))
    try checkBytes()
  }

  /// All elements of an integer tensor or of booleans, as 64-bit numbers.
  ///
  /// - Throws: a floating type, a number of `uint64` beyond 2⁶³, and what ``bytes()`` throws.
  public func integers() throws(ONNXError) -> [Int64] {
    guard type.kind == .integer || type.kind == .boolean else {
      throw ONNXError(
        place, "has elements of type \(type.name), expected integers; \(ONNXError.exportAgain)")
    }
    try checkRoom(elementSize: 8)
    if case .repeated(let element) = storage {
      return [Int64](repeating: Self.integer(element, type), count: count)
    }
    let bytes = try bytes()
    let result = bytes.withUnsafeBytes { Self.integers($0, type, count: count) }
    if type == .uint64, result.contains(where: { $0 < 0 }) {
      throw ONNXError(place, "has a number beyond 2⁶³ - 1; use int64")
    }
    return result
  }

  /// All elements of a tensor of numbers, in double precision.
  public func doubles() throws(ONNXError) -> [Double] {
    guard type.kind == .floating else { return try integers().map(Double.init) }
    try checkRoom(elementSize: 8)
    if case .repeated(let element) = storage {
      let one = element.withUnsafeBytes { Self.doubles($0, type, count: 1) }
      return [Double](repeating: one.first ?? 0, count: count)
    }
    return try bytes().withUnsafeBytes { Self.doubles($0, type, count: count) }
  }

  /// All elements of a tensor of numbers, rounded to single precision.
  public func floats() throws(ONNXError) -> [Float] {
    guard type == .float else { return try doubles().map { Float($0) } }
    try checkBytes()
    return try UninitializedArray.filled(count: count) { (target) throws(ONNXError) in
      try read(into: target)
    }
  }

  /// The dimensions that a tensor of integers lists.
  ///
  /// - Throws: numbers that are no integers, and far more of them than a list of axes has.
  public func ints() throws(ONNXError) -> [Int] {
    guard count <= 1 << 20 else {
      throw ONNXError(
        place,
        "has \(ONNXError.text(dims)) elements, expected a list of numbers; "
          + ONNXError.exportAgain)
    }
    return try integers().map { Int($0) }
  }

  /// The only element of a tensor of numbers; nil where there are none or several.
  public func scalar() throws(ONNXError) -> Double? {
    guard count == 1 else { return nil }
    return try doubles().first
  }
}

extension ONNXTensor {
  static func integers(
    _ bytes: UnsafeRawBufferPointer, _ type: ONNXElementType, count: Int
  ) -> [Int64] {
    func all<T: BinaryInteger & BitwiseCopyable>(_: T.Type) -> [Int64] {
      (0..<count).map {
        Int64(
          truncatingIfNeeded: bytes.loadUnaligned(
            fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
      }
    }
    return switch type {
    case .bool: all(UInt8.self).map { $0 == 0 ? 0 : 1 }
    case .uint8: all(UInt8.self)
    case .int8: all(Int8.self)
    case .uint16: all(UInt16.self)
    case .int16: all(Int16.self)
    case .int32: all(Int32.self)
    case .uint32: all(UInt32.self)
    case .int64: all(Int64.self)
    case .uint64: all(UInt64.self)
    default: preconditionFailure("internal error: integers of type \(type.name)")
    }
  }

  private static func integer(_ element: [UInt8], _ type: ONNXElementType) -> Int64 {
    element.withUnsafeBytes { integers($0, type, count: 1)[0] }
  }

  static func doubles(
    _ bytes: UnsafeRawBufferPointer, _ type: ONNXElementType, count: Int
  ) -> [Double] {
    func load<T: BitwiseCopyable>(_ index: Int, _: T.Type) -> T {
      bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
    }
    return switch type {
    case .float: (0..<count).map { Double(load($0, Float.self)) }
    case .double: (0..<count).map { load($0, Double.self) }
    case .float16: (0..<count).map { Double(HalfPrecision.float(load($0, UInt16.self))) }
    case .bfloat16:
      (0..<count).map { Double(Float(bitPattern: UInt32(load($0, UInt16.self)) << 16)) }
    default: preconditionFailure("internal error: floating numbers of type \(type.name)")
    }
  }

  /// The bytes of integers in a type, which they wrap around.
  static func bytes(_ values: [Int64], _ type: ONNXElementType) -> [UInt8] {
    if type == .bool { return values.map { $0 == 0 ? 0 : 1 } }
    let size = type.size ?? 0
    var result: [UInt8] = []
    result.reserveCapacity(values.count * size)
    for value in values {
      for byte in 0..<size { result.append(UInt8(truncatingIfNeeded: value >> (8 * Int64(byte)))) }
    }
    return result
  }

  /// The bytes of floating numbers in a type, to which they are rounded.
  static func bytes(_ values: [Double], _ type: ONNXElementType) -> [UInt8] {
    switch type {
    case .double: values.withUnsafeBytes { [UInt8]($0) }
    case .float16:
      values.map { HalfPrecision.bits($0) }.withUnsafeBytes { [UInt8]($0) }
    case .bfloat16:
      values.map { HalfPrecision.brainBits($0) }.withUnsafeBytes { [UInt8]($0) }
    default: values.map { Float($0) }.withUnsafeBytes { [UInt8]($0) }
    }
  }
}

/// Numbers of 16 bits.
enum HalfPrecision {
  /// The value of IEEE half precision bits.
  static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits) & 0x3ff
    switch exponent {
    case 0:
      let value = Float(fraction) * 0x1p-24
      return sign == 0 ? value : -value
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// IEEE half precision bits of a number, rounded to nearest, ties to even.
  static func bits(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let size = value.magnitude
    if value.isNaN { return sign | 0x7e00 }
    if size >= 65520 { return sign | 0x7c00 }
    if size < 0x1p-14 { return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven)) }
    let exponent = Int(size.exponent)
    let fraction = (size.significand * 1024).rounded(.toNearestOrEven)
    // A fraction that rounds up to 2048 carries into the exponent by itself.
    return sign | (UInt16(exponent + 14) << 10 + UInt16(fraction))
  }

  /// Brain float bits of a number, rounded to nearest, ties to even.
  static func brainBits(_ value: Double) -> UInt16 {
    let bits = Float(value).bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    let rounded = UInt64(bits) + 0x7fff + UInt64((bits >> 16) & 1)
    return UInt16(truncatingIfNeeded: rounded >> 16)
  }
}
