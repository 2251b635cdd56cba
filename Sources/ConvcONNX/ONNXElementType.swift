import ConvcIR

/// Type of one element of a tensor, under its number in the ONNX standard.
public enum ONNXElementType: Int, Sendable, Hashable, CaseIterable {
  case float = 1
  case uint8, int8, uint16, int16, int32, int64, string, bool, float16, double, uint32, uint64
  case complex64, complex128, bfloat16, float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz
  case uint4, int4, float4e2m1, float8e8m0, uint2, int2, float6e2m3, float6e3m2

  /// What the numbers of a type are, where they can be computed with.
  public enum Kind: Sendable, Hashable {
    case integer, floating, boolean
  }

  /// The type's name in the standard.
  public var name: String { "\(self)" }

  /// Bytes of one element; nil for text and for types that share bytes.
  public var size: Int? {
    switch self {
    case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
      .float8e8m0:
      1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float, .int32, .uint32: 4
    case .double, .int64, .uint64, .complex64: 8
    case .complex128: 16
    case .string, .uint4, .int4, .float4e2m1, .uint2, .int2, .float6e2m3, .float6e3m2: nil
    }
  }

  /// Nil for types that convc does not compute with.
  public var kind: Kind? {
    switch self {
    case .float, .double, .float16, .bfloat16: .floating
    case .uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64: .integer
    case .bool: .boolean
    default: nil
    }
  }

  /// The type that a network has for it; nil: none.
  public var tensorElement: ElementType? {
    switch self {
    case .float: .float32
    case .int64: .int64
    case .int32: .int32
    case .bool: .bool
    default: nil
    }
  }

  /// The numbers that an integer type holds, as far as 64-bit signed numbers can say them.
  var integerRange: ClosedRange<Int64> {
    switch self {
    case .uint8: 0...0xff
    case .int8: -0x80...0x7f
    case .uint16: 0...0xffff
    case .int16: -0x8000...0x7fff
    case .int32: -0x8000_0000...0x7fff_ffff
    case .uint32: 0...0xffff_ffff
    case .uint64: 0...Int64.max
    case .bool: 0...1
    default: Int64.min...Int64.max
    }
  }
}
