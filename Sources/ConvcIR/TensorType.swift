/// Type of one element of a tensor.
public enum ElementType: String, Sendable, Hashable {
  case float32, int32, int64, uint8, uint16
  /// A byte, 0 or 1.
  case bool

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .int64: 8
    case .float32, .int32: 4
    case .uint16: 2
    case .uint8, .bool: 1
    }
  }

  /// The type's name in C.
  public var cName: String {
    switch self {
    case .float32: "float"
    case .int32: "int32_t"
    case .int64: "int64_t"
    case .uint16: "uint16_t"
    case .uint8, .bool: "uint8_t"
    }
  }
}

/// Shape and element type of a tensor; a batch stands in axis 0.
public struct TensorType: Sendable, Hashable, CustomStringConvertible {
  /// Extents, the batch first: `[N, C, H, W]` for maps, `[N, F]` for features.
  public let shape: [Int]
  public let element: ElementType

  public init(shape: [Int], element: ElementType = .float32) {
    self.shape = shape
    self.element = element
  }

  /// Number of elements. Shape inference has already refused products that overflow.
  public var count: Int { shape.reduce(1, *) }

  /// Bytes of the dense tensor.
  public var bytes: Int { count * element.size }

  /// The same type with another shape.
  public func with(shape: [Int]) -> TensorType { TensorType(shape: shape, element: element) }

  /// Extents as maps: features are maps of one pixel, sequences `[N, C, L]` maps of one row. Of more than two axes in space
  /// all but the last count as rows.
  public var maps: MapShape {
    MapShape(
      n: shape[0], c: shape.count > 1 ? shape[1] : 1,
      h: shape.count > 3 ? shape[2..<(shape.count - 1)].reduce(1, *) : 1,
      w: shape.count > 2 ? shape[shape.count - 1] : 1)
  }

  public var description: String {
    let extents = shape.map(String.init).joined(separator: "x")
    return element == .float32 ? extents : "\(extents) \(element.rawValue)"
  }
}

/// Extents of a batch of maps.
public struct MapShape: Sendable, Hashable {
  public let n: Int
  public let c: Int
  public let h: Int
  public let w: Int

  public init(n: Int, c: Int, h: Int, w: Int) {
    self.n = n
    self.c = c
    self.h = h
    self.w = w
  }

  /// Pixels of one map.
  public var pixels: Int { h * w }
}
