/// How far values are from reference values: what a test expects to be small, and shows when it is not.
public struct Comparison: Sendable, CustomStringConvertible {
  /// The largest difference, as a share of the largest reference value; infinite where one side alone is not a number.
  public let difference: Double
  public let largest: Double
  public let description: String

  public init<V: BinaryFloatingPoint, R: BinaryFloatingPoint>(
    _ values: [V], _ reference: [R], atLeast floor: Double = 0
  ) {
    guard values.count == reference.count else {
      (difference, largest) = (.infinity, 0)
      description = "\(values.count) values, \(reference.count) reference values"
      return
    }
    var scale = floor
    var worst = (difference: 0.0, index: 0)
    for (index, (value, expected)) in zip(values, reference).enumerated() {
      let (value, expected) = (Double(value), Double(expected))
      if expected.isFinite { scale = max(scale, expected.magnitude) }
      let isSame = value == expected || value.isNaN && expected.isNaN
      let gap = isSame ? 0 : (value - expected).magnitude
      if !(gap <= worst.difference) { worst = (gap.isNaN ? .infinity : gap, index) }
    }
    largest = scale
    difference = worst.difference == 0 ? 0 : worst.difference / scale
    description =
      values.isEmpty
      ? "no values"
      : "\(difference) of the largest, \(scale); worst at \(worst.index): "
        + "\(values[worst.index]), expected \(reference[worst.index])"
  }

  /// Whether all values are as close as `tolerance` times the largest reference value.
  public func isWithin(_ tolerance: Double) -> Bool { difference <= tolerance }
}
