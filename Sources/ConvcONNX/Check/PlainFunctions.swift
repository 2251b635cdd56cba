import Glibc

/// Functions of one or two values, as the ONNX standard defines them.
enum PlainFunctions {
  static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
  static func exponential(_ x: Double) -> Double { exp(x) }
  static func logarithm(_ x: Double) -> Double { log(x) }

  static let binary: [String: @Sendable (Double, Double) -> Double] = [
    "Add": { $0 + $1 }, "Sum": { $0 + $1 }, "Sub": { $0 - $1 }, "Mul": { $0 * $1 },
    "Div": { $0 / $1 }, "Max": { max($0, $1) }, "Min": { min($0, $1) }, "Pow": { pow($0, $1) },
  ]

  /// - Returns: nil: the operator is no function of one value.
  static func unary(_ node: PlainNode) -> ((Double) -> Double)? {
    if let plain = unaries[node.op] { return plain }
    let alpha = { (standard: Float) in node.float("alpha", standard) }
    switch node.op {
    case "LeakyRelu":
      let slope = alpha(0.01)
      return { $0 < 0 ? slope * $0 : $0 }
    case "Elu":
      let scale = alpha(1)
      return { $0 < 0 ? scale * (exp($0) - 1) : $0 }
    case "HardSigmoid":
      let (slope, offset) = (alpha(0.2), node.float("beta", 0.5))
      return { max(0, min(1, slope * $0 + offset)) }
    case "Gelu":
      let isTanh = node.text("approximate", "none") == "tanh"
      return isTanh
        ? { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044_715 * $0 * $0 * $0))) }
        : { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
    default: return nil
    }
  }

  private static let unaries: [String: @Sendable (Double) -> Double] = [
    "Relu": { max(0, $0) },
    "Selu": {
      let (alpha, gamma) = (1.673_263_192_176_818_8, 1.050_700_902_938_842_8)
      return $0 <= 0 ? gamma * alpha * (exp($0) - 1) : gamma * $0
    },
    "Sigmoid": { 1 / (1 + exp(-$0)) }, "Tanh": { tanh($0) }, "Softplus": { log(1 + exp($0)) },
    "Softsign": { $0 / (1 + $0.magnitude) }, "HardSwish": { $0 * max(0, min(1, $0 / 6 + 0.5)) },
    "Mish": { $0 * tanh(log(1 + exp($0))) },
    "Exp": { exp($0) }, "Log": { log($0) }, "Sqrt": { $0.squareRoot() },
    "Abs": { $0.magnitude }, "Neg": { -$0 }, "Reciprocal": { 1 / $0 }, "Sin": { sin($0) },
    "Cos": { cos($0) }, "Erf": { erf($0) },
  ]
}
