import ConvcIR

/// Numbers of a tensor in row-major order, at an address that holds as long as the object lives.
///
/// Only its maker writes to it. Loops go through the address: in a debug build that is fifteen times as fast as an array.
public final class DoubleTensor {
  public let shape: [Int]
  public let count: Int
  public let address: UnsafeMutablePointer<Double>

  /// Zeros.
  public init(shape: [Int]) {
    self.shape = shape
    count = shape.reduce(1, *)
    address = .allocate(capacity: max(1, count))
    address.initialize(repeating: 0, count: max(1, count))
  }

  /// A copy of numbers, as many as the shape has places.
  public convenience init(shape: [Int], _ values: some Collection<Double>) {
    self.init(shape: shape)
    precondition(values.count == count, "internal error: \(values.count) values for \(shape)")
    var next = address
    for value in values {
      next.pointee = value
      next += 1
    }
  }

  /// A copy of single-precision numbers, as many as the shape has places.
  public convenience init(shape: [Int], _ values: some Collection<Float>) {
    self.init(shape: shape)
    precondition(values.count == count, "internal error: \(values.count) values for \(shape)")
    var next = address
    for value in values {
      next.pointee = Double(value)
      next += 1
    }
  }

  deinit { address.deallocate() }

  /// Extents as maps: features are maps of one pixel.
  public var maps: MapShape { TensorType(shape: shape).maps }

  /// A copy of the numbers.
  public var values: [Double] { Array(UnsafeBufferPointer(start: address, count: count)) }

  /// A copy with another shape of the same count.
  package func reshaped(_ shape: [Int]) -> DoubleTensor {
    let result = DoubleTensor(shape: shape)
    result.address.update(from: address, count: count)
    return result
  }

  /// Adds another tensor of the same shape.
  package func add(_ other: DoubleTensor) {
    addScaled(
      1, Patch(other.address, rows: 1, columns: count), to: Patch(address, rows: 1, columns: count))
  }
}
