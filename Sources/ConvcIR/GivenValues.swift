/// The values that a parameter starts from where a model brings them, as an imported network brings its weights.
///
/// They are written where they are wanted, so that large weights are never held twice.
public struct GivenValues: Sendable {
  public let count: Int
  private let write: @Sendable (UnsafeMutableBufferPointer<Float>) throws -> Void

  /// - Parameter write: fills as many floats as `count` says, in the order of the parameter's shape.
  public init(
    count: Int, write: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) {
    self.count = count
    self.write = write
  }

  /// Values that are there already.
  public init(_ values: [Float]) {
    self.init(count: values.count) { target in
      for (index, value) in values.enumerated() { target[index] = value }
    }
  }

  /// Writes the values.
  ///
  /// - Throws: what keeps them from being read, as a file that was changed meanwhile.
  public func fill(_ target: UnsafeMutableBufferPointer<Float>) throws {
    precondition(target.count == count, "internal error: \(count) values for \(target.count)")
    try write(target)
  }
}
