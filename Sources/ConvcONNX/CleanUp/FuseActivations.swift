/// Puts one operator in the place of several that compute an activation.
///
/// | before | after |
/// |---|---|
/// | `x · Sigmoid(x)` | `Swish` |
/// | `Clip(x + 3, 0, 6) / 6` | `HardSigmoid` with slope 1/6 |
/// | `x · Clip(x + 3, 0, 6) / 6`, `x · HardSigmoid(x)` with slope 1/6 | `HardSwish` |
/// | `x · ½ · (1 + Erf(x / √2))` | `Gelu` |
/// | `x · ½ · (1 + Tanh(√(2/π) · (x + 0.044715 · x³)))` | `Gelu`, by tanh |
/// | `Clip(x, 0)` without an upper bound, `Max(x, 0)` | `Relu` |
///
/// Factors stand in any order, and divisors as factors. `Clip` to 0...6 becomes ReLU6 when it is converted.
public struct FuseActivations: GraphPass {
  public static let name = "fuse-activations"

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var editor = GraphEditor(graph)
    for place in editor.places {
      if let fused = try Self.fused(place, editor) { editor.replace(place, by: fused) }
    }
    return editor.finish()
  }

  private static func fused(
    _ place: Int, _ editor: GraphEditor
  ) throws(ONNXError) -> ONNXNode? {
    guard let node = editor[place] else { return nil }
    return try ActivationPattern(node: node, editor: editor).fused
  }
}

/// The last node of what may be an activation.
private struct ActivationPattern {
  let node: ONNXNode
  let editor: GraphEditor

  private static let sixth = 1.0 / 6

  /// The operator that takes the node's place; nil: it is no such activation.
  var fused: ONNXNode? {
    get throws(ONNXError) {
      switch node.title {
      case "Clip": return try rectifier(of: bounds(of: node), input: node.input(0))
      case "Max": return try maximum
      case "Mul", "Div": return try gated
      default: return nil
      }
    }
  }

  // MARK: Rectifiers

  private func rectifier(
    of bounds: ClosedRange<Double>?, input: String?
  ) -> ONNXNode? {
    guard let bounds, let input, bounds.lowerBound == 0,
      bounds.upperBound >= Double(Float.greatestFiniteMagnitude)
    else { return nil }
    return node.replaced(by: "Relu", inputs: [input])
  }

  private var maximum: ONNXNode? {
    get throws(ONNXError) {
      guard node.inputs.count == 2 else { return nil }
      for (x, bound) in [(0, 1), (1, 0)] where try editor.scalar(node.input(bound)) == 0 {
        guard let input = node.input(x), editor.constant(input) == nil else { continue }
        return node.replaced(by: "Relu", inputs: [input])
      }
      return nil
    }
  }

  /// The bounds of a `Clip`; nil: some are computed.
  private func bounds(of clip: ONNXNode) throws(ONNXError) -> ClosedRange<Double>? {
    func bound(_ input: Int, _ name: String, _ standard: Double) throws(ONNXError) -> Double? {
      if clip.input(input) != nil {
        guard let tensor = editor.constant(clip.input(input)), tensor.type == .float else {
          return nil
        }
        return try tensor.scalar()
      }
      return try clip.float(name).map(Double.init) ?? standard
    }
    guard let low = try bound(1, "min", -.infinity), let high = try bound(2, "max", .infinity),
      low <= high
    else { return nil }
    return low...high
  }

  // MARK: Products

  private var gated: ONNXNode? {
    get throws(ONNXError) {
      let product = try factors(of: node)
      let values = product.values
      func isNumber(_ wanted: Double) -> Bool { product.isNumber(wanted) }
      if values.count == 1, isNumber(Self.sixth), let x = try clippedAtSix(values[0]) {
        return node.replaced(
          by: "HardSigmoid", inputs: [x],
          attributes: ["alpha": .float(Float(Self.sixth)), "beta": .float(0.5)])
      }
      guard values.count == 2 else { return nil }
      for (x, gate) in [(values[0], values[1]), (values[1], values[0])] {
        if isNumber(1), editor.node("Sigmoid", of: gate)?.input(0) == x {
          return node.replaced(by: "Swish", inputs: [x])
        }
        if isNumber(1), try isHardSigmoid(gate, of: x) {
          return node.replaced(by: "HardSwish", inputs: [x])
        }
        if isNumber(Self.sixth), try clippedAtSix(gate) == x {
          return node.replaced(by: "HardSwish", inputs: [x])
        }
        if isNumber(0.5), let approximation = try normalGate(gate, of: x) {
          return node.replaced(
            by: "Gelu", inputs: [x], attributes: ["approximate": .string(approximation)])
        }
      }
      return nil
    }
  }

  /// A product's factors: one number, and values of run time.
  private struct Factors {
    var number = 1.0
    var values: [String] = []

    /// Whether the number is this one but for rounding.
    func isNumber(_ wanted: Double) -> Bool { abs(number - wanted) <= 1e-5 * wanted }
  }

  /// The factors of a product. Factors that nothing else reads are taken apart; no activation has many.
  private func factors(of product: ONNXNode) throws(ONNXError) -> Factors {
    var factors = Factors()
    try collect(product, depth: 0, &factors)
    return factors
  }

  private func collect(
    _ node: ONNXNode, depth: Int, _ factors: inout Factors
  ) throws(ONNXError) {
    guard node.inputs.count == 2, depth < 4 else { return factors.values.append("") }
    for (index, name) in node.inputs.enumerated() {
      let isDivisor = node.op == "Div" && index == 1
      if let scalar = try editor.scalar(name) {
        // A number that is divided is no factor.
        if node.op == "Div", index == 0 { factors.values.append("") }
        factors.number *= isDivisor ? 1 / scalar : scalar
      } else if isDivisor {
        factors.values.append("")
      } else if editor.isReadOnce(name), let inner = self.product(name) {
        try collect(inner, depth: depth + 1, &factors)
      } else {
        factors.values.append(name)
      }
    }
  }

  /// The product or quotient that computes a value.
  private func product(_ value: String) -> ONNXNode? {
    editor.node("Mul", of: value) ?? editor.node("Div", of: value)
  }

  /// The value that `Clip(x + 3, 0, 6)` is computed from.
  private func clippedAtSix(_ value: String) throws(ONNXError) -> String? {
    guard let clip = editor.node("Clip", of: value), try bounds(of: clip) == 0...6,
      let sum = clip.input(0)
    else { return nil }
    return try summand(of: sum, beside: 3)
  }

  /// The value that a number is added to.
  private func summand(of sum: String, beside number: Double) throws(ONNXError) -> String? {
    guard let add = editor.node("Add", of: sum), add.inputs.count == 2 else { return nil }
    for (x, other) in [(0, 1), (1, 0)] where try editor.isScalar(add.input(other), number) {
      return add.input(x)
    }
    return nil
  }

  private func isHardSigmoid(_ gate: String, of x: String) throws(ONNXError) -> Bool {
    guard let node = editor.node("HardSigmoid", of: gate), node.input(0) == x else { return false }
    let (slope, offset) = (
      try node.float("alpha", default: 0.2), try node.float("beta", default: 0.5)
    )
    return abs(slope - Float(Self.sixth)) < 1e-6 && offset == 0.5
  }

  /// How the normal distribution function of x is computed, doubled; nil: it is not.
  private func normalGate(_ gate: String, of x: String) throws(ONNXError) -> [UInt8]? {
    guard let inner = try summand(of: gate, beside: 1) else { return nil }
    if let erf = editor.node("Erf", of: inner)?.input(0) {
      return try isMultiple(erf, of: x, 0.5.squareRoot()) ? Array("none".utf8) : nil
    }
    guard let tanh = editor.node("Tanh", of: inner)?.input(0), let outer = product(tanh)
    else { return nil }
    let argument = try factors(of: outer)
    guard argument.isNumber((2 / Double.pi).squareRoot()), argument.values.count == 1,
      let sum = editor.node("Add", of: argument.values[0]), sum.inputs.count == 2
    else { return nil }
    for (first, cube) in [(0, 1), (1, 0)] where sum.inputs[first] == x {
      if try isCube(sum.inputs[cube], of: x) { return Array("tanh".utf8) }
    }
    return nil
  }

  /// Whether a value is `0.044715 · x³`.
  private func isCube(_ value: String, of x: String) throws(ONNXError) -> Bool {
    guard let product = product(value) else { return false }
    let factors = try factors(of: product)
    guard factors.isNumber(0.044715) else { return false }
    if factors.values == [x, x, x] { return true }
    guard factors.values.count == 1, let power = editor.node("Pow", of: factors.values[0]) else {
      return false
    }
    guard power.input(0) == x else { return false }
    return try editor.isScalar(power.input(1), 3)
  }

  /// Whether a value is another one times a number.
  private func isMultiple(
    _ value: String, of x: String, _ number: Double
  ) throws(ONNXError) -> Bool {
    guard let product = product(value) else { return false }
    let factors = try factors(of: product)
    return factors.values == [x] && factors.isNumber(number)
  }
}
