import ConvcIR

/// How far gradients are from what the reference says, for each parameter.
///
/// Differences are taken relative to the largest gradient of the tensor. Where a whole tensor has (nearly) no gradient, as
/// a bias before a batch norm, they are relative to a thousandth of the network's largest gradient instead.
public struct GradientReport: Sendable, CustomStringConvertible {
  /// One element of a parameter.
  public struct Element: Sendable, Hashable, CustomStringConvertible {
    /// Its place in the tensor.
    public let index: [Int]
    public let gradient: Double
    public let expected: Double

    public var description: String {
      "[\(index.map(String.init).joined(separator: ", "))] is \(shortText(gradient)), expected "
        + shortText(expected)
    }
  }

  /// One parameter.
  public struct Entry: Sendable {
    public let name: String
    public let shape: [Int]
    /// What differences are relative to.
    public let scale: Double
    public private(set) var checked = 0
    /// Elements at which every step crosses a kink.
    public private(set) var skipped = 0
    /// The largest difference, as a share of ``scale``; infinite where a gradient is not a number.
    public private(set) var difference = 0.0
    /// The element with the largest difference.
    public private(set) var worst: Element?
    /// How much the exact gradients change, as a share of ``scale``, where all values of a pass change by their last bit.
    public internal(set) var rounding = 0.0

    /// The difference that is allowed: the tolerance; without one 1e-4, and where a network makes more of rounding errors,
    /// sixteen times what a last bit does, at most 1 %.
    public func limit(_ tolerance: Double?) -> Double {
      tolerance ?? max(1e-4, min(16 * rounding, 1e-2))
    }

    init(_ parameter: Parameter, _ gradients: some Collection<Float>, floor: Double) {
      name = parameter.name
      shape = parameter.spec.shape
      scale = max(floor, gradients.reduce(0) { max($0, Double($1.magnitude)) })
    }

    mutating func add(_ element: Int, gradient: Double, expected: Double?) {
      guard let expected else {
        skipped += 1
        return
      }
      checked += 1
      let share = relative(gradient - expected, to: scale)
      guard worst == nil || share > difference else { return }
      difference = share
      var rest = element
      let index = shape.reversed().map { extent in
        defer { rest /= extent }
        return rest % extent
      }
      worst = Element(index: index.reversed(), gradient: gradient, expected: expected)
    }
  }

  /// The slope along a random direction over all trainable parameters.
  public struct Direction: Sendable, Hashable {
    public let gradient: Double
    public let expected: Double
    /// What the difference is relative to: the size that a random direction's slope usually has.
    public let scale: Double

    /// The difference as a share of ``scale``.
    public var difference: Double { relative(gradient - expected, to: scale) }
  }

  public let tensors: [Entry]
  /// nil: every direction that was tried crosses a kink, or none was tried.
  public let direction: Direction?
  /// All elements of each parameter, compared with the reference's reverse pass; empty: they were not.
  public let everyElement: [Entry]
  /// How the differences of single elements were taken.
  public let method: GradientCheck.Method

  init(
    tensors: [Entry], direction: Direction?, everyElement: [Entry] = [],
    method: GradientCheck.Method = .wholeNetwork
  ) {
    self.tensors = tensors
    self.direction = direction
    self.everyElement = everyElement
    self.method = method
  }

  /// The parameter with the largest difference.
  public var worst: Entry? {
    (tensors + everyElement).max { $0.difference < $1.difference }
  }

  /// What the slope along a direction may differ by.
  public func directionLimit(_ tolerance: Double?) -> Double {
    tensors.map { $0.limit(tolerance) }.max() ?? 0
  }

  /// The parameter that is furthest above what it is allowed.
  public func worst(above tolerance: Double?) -> Entry? {
    (tensors + everyElement).filter { $0.difference > $0.limit(tolerance) }
      .max { $0.difference / $0.limit(tolerance) < $1.difference / $1.limit(tolerance) }
  }

  /// Whether something was checked and no difference is larger than ``Entry/limit(_:)``.
  public func agrees(within tolerance: Double? = nil) -> Bool {
    tensors.contains { $0.checked > 0 }
      && (tensors + everyElement).allSatisfy { $0.difference <= $0.limit(tolerance) }
      && (direction.map { $0.difference <= directionLimit(tolerance) } ?? true)
  }

  /// Compares every element of a gradient block with the reference's own reverse pass.
  public static func comparing(_ gradients: [Float], with expected: [Double], of graph: Graph)
    -> GradientReport
  {
    let floor = floor(gradients)
    let entries = graph.parameters.filter { $0.kind == .trainable }.map { parameter in
      let range = parameter.offset..<parameter.offset + parameter.spec.count
      var entry = Entry(parameter, gradients[range], floor: floor)
      for index in range {
        entry.add(
          index - parameter.offset, gradient: Double(gradients[index]), expected: expected[index])
      }
      return entry
    }
    return GradientReport(tensors: entries, direction: nil)
  }

  static func floor(_ gradients: [Float]) -> Double {
    let largest = gradients.reduce(0) { max($0, $1.isFinite ? Double($1.magnitude) : 0) }
    return max(1e-3 * largest, Double(Float.leastNormalMagnitude))
  }

  public var description: String {
    let width = tensors.map(\.name.count).max() ?? 0
    var lines = tensors.map { entry in
      let name = entry.name + String(repeating: " ", count: width - entry.name.count)
      let skipped = entry.skipped == 0 ? "" : ", \(entry.skipped) skipped at kinks"
      let worst = entry.worst.map { "; worst \($0)" } ?? ""
      return "\(name)  \(shortText(entry.difference)) of \(shortText(entry.scale)) in "
        + "\(entry.checked) of \(entry.shape.reduce(1, *))\(skipped)\(worst)"
    }
    if let direction {
      lines.append(
        "random direction: \(shortText(direction.difference)); slope \(shortText(direction.gradient)), "
          + "expected \(shortText(direction.expected))")
    }
    return lines.joined(separator: "\n")
  }
}

private func relative(_ difference: Double, to scale: Double) -> Double {
  difference.isFinite ? difference.magnitude / scale : .infinity
}

/// A number with four digits.
private func shortText(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  var exponent = 0
  var mantissa = value
  while mantissa.magnitude >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
  while mantissa.magnitude < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
  let rounded = (mantissa * 1000).rounded() / 1000
  return exponent == 0 ? "\(rounded)" : "\(rounded)e\(exponent)"
}
