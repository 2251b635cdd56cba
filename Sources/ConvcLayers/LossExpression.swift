import Glibc

/// A formula of a prediction `p` and a target `t`, of which ``CustomLoss`` makes a loss.
///
/// Written in Swift, `.abs(.p - .t) + 0.5 * .square(.p)`, or as text, `abs(p - t) + 0.5 * p * p`. It is differentiated by its
/// own rules, evaluated in double precision, and emitted as C.
///
/// Where a function has no derivative, one of its sides is taken: `abs` has 0 at 0, `max` and `min` that of the first
/// argument where both are equal, `where` that of the branch that is taken.
public indirect enum LossExpression: Sendable, Hashable {
  /// The prediction and the target.
  case p, t
  case number(Float)
  case sum(LossExpression, LossExpression)
  case difference(LossExpression, LossExpression)
  case product(LossExpression, LossExpression)
  case quotient(LossExpression, LossExpression)
  case call(LossFunction, LossExpression)
  /// A power with a constant exponent. Of bases below 0 only whole exponents from 0 to 4 have one.
  case power(LossExpression, Float)
  case minimum(LossExpression, LossExpression)
  case maximum(LossExpression, LossExpression)
  /// The third where the first is less than the second, else the fourth.
  case choice(LossExpression, LossExpression, LossExpression, LossExpression)
}

/// A function of one value.
public enum LossFunction: String, Sendable, Hashable, CaseIterable {
  case exp, log, sqrt, abs, sigmoid, tanh, softplus

  func value(_ x: Double) -> Double {
    switch self {
    case .exp: Glibc.exp(x)
    case .log: Glibc.log(x)
    case .sqrt: x.squareRoot()
    case .abs: x.magnitude
    case .sigmoid: ConvcLayers.logistic(x)
    case .tanh: Glibc.tanh(x)
    case .softplus: max(x, 0) + log1p(Glibc.exp(-x.magnitude))
    }
  }

  /// The derivative at an expression.
  fileprivate func derivative(at x: LossExpression) -> LossExpression {
    let own = LossExpression.call(self, x)
    switch self {
    case .exp: return own
    case .log: return 1 / x
    case .sqrt: return 0.5 / own
    case .abs: return .choice(0, x, 1, .choice(x, 0, -1, 0))
    case .sigmoid: return own * (1 - own)
    case .tanh: return 1 - own * own
    case .softplus: return .call(.sigmoid, x)
    }
  }

  /// The call in C, and the support templates that it needs.
  func text(_ x: String) -> String {
    switch self {
    case .exp: "exp_float(\(x))"
    case .log: "ln_float(\(x))"
    case .sqrt: "sqrtf(\(x))"
    case .abs: "fabsf(\(x))"
    case .sigmoid: "sigmoid_float(\(x))"
    case .tanh: "tanh_float(\(x))"
    case .softplus: "softplus_float(\(x))"
    }
  }

  var support: [String] {
    switch self {
    case .sqrt, .abs: []
    case .exp: ["support_exp_scalar"]
    case .log: ["support_log_scalar", "support_ln_scalar"]
    case .sigmoid: ["support_exp_scalar", "support_sigmoid_scalar"]
    case .tanh: ["support_tanh_parts_scalar", "support_tanh_scalar"]
    case .softplus: ["support_exp_scalar", "support_softplus_scalar"]
    }
  }
}

/// 1 / (1 + e^−x).
private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension LossExpression: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Float) { self = .number(value) }
  public init(integerLiteral value: Int) { self = .number(Float(value)) }

  public static func + (a: Self, b: Self) -> Self {
    if case .number(let a) = a, case .number(let b) = b { return .number(a + b) }
    return a == 0 ? b : b == 0 ? a : .sum(a, b)
  }
  public static func - (a: Self, b: Self) -> Self {
    if case .number(let a) = a, case .number(let b) = b { return .number(a - b) }
    return b == 0 ? a : a == 0 ? -b : .difference(a, b)
  }
  public static func * (a: Self, b: Self) -> Self {
    if case .number(let a) = a, case .number(let b) = b { return .number(a * b) }
    return a == 0 || b == 0 ? 0 : a == 1 ? b : b == 1 ? a : .product(a, b)
  }
  public static func / (a: Self, b: Self) -> Self {
    a == 0 ? 0 : b == 1 ? a : .quotient(a, b)
  }
  public static prefix func - (a: Self) -> Self {
    if case .number(let value) = a { return .number(-value) }
    return -1 * a
  }

  public static func exp(_ x: Self) -> Self { .call(.exp, x) }
  /// The natural logarithm: below 0 NaN, at 0 minus infinity.
  public static func log(_ x: Self) -> Self { .call(.log, x) }
  public static func sqrt(_ x: Self) -> Self { .call(.sqrt, x) }
  public static func abs(_ x: Self) -> Self { .call(.abs, x) }
  public static func sigmoid(_ x: Self) -> Self { .call(.sigmoid, x) }
  public static func tanh(_ x: Self) -> Self { .call(.tanh, x) }
  /// ln(1 + e^x).
  public static func softplus(_ x: Self) -> Self { .call(.softplus, x) }
  public static func square(_ x: Self) -> Self { .power(x, 2) }
  public static func pow(_ x: Self, _ exponent: Float) -> Self {
    exponent == 0 ? 1 : exponent == 1 ? x : .power(x, exponent)
  }
  public static func min(_ a: Self, _ b: Self) -> Self { .minimum(a, b) }
  public static func max(_ a: Self, _ b: Self) -> Self { .maximum(a, b) }
  /// `then` where `a` is less than `b`, else `other`.
  public static func `where`(_ a: Self, lessThan b: Self, _ then: Self, else other: Self) -> Self {
    .choice(a, b, then, other)
  }
}

extension LossExpression {
  /// What it is made of.
  var parts: [LossExpression] {
    switch self {
    case .p, .t, .number: []
    case .call(_, let x), .power(let x, _): [x]
    case .sum(let a, let b), .difference(let a, let b), .product(let a, let b),
      .quotient(let a, let b), .minimum(let a, let b), .maximum(let a, let b):
      [a, b]
    case .choice(let a, let b, let c, let d): [a, b, c, d]
    }
  }

  /// Whether it reads another one.
  func reads(_ other: LossExpression) -> Bool {
    self == other || parts.contains { $0.reads(other) }
  }

  /// The value in double precision.
  func value(_ p: Double, _ t: Double) -> Double {
    switch self {
    case .p: return p
    case .t: return t
    case .number(let number): return Double(number)
    case .sum(let a, let b): return a.value(p, t) + b.value(p, t)
    case .difference(let a, let b): return a.value(p, t) - b.value(p, t)
    case .product(let a, let b): return a.value(p, t) * b.value(p, t)
    case .quotient(let a, let b): return a.value(p, t) / b.value(p, t)
    case .call(let function, let x): return function.value(x.value(p, t))
    case .power(let x, let exponent): return Glibc.pow(x.value(p, t), Double(exponent))
    case .minimum(let a, let b):
      let (a, b) = (a.value(p, t), b.value(p, t))
      return b < a ? b : a
    case .maximum(let a, let b):
      let (a, b) = (a.value(p, t), b.value(p, t))
      return b > a ? b : a
    case .choice(let a, let b, let c, let d):
      return a.value(p, t) < b.value(p, t) ? c.value(p, t) : d.value(p, t)
    }
  }

  /// The derivative by the prediction.
  var derivative: LossExpression {
    guard reads(.p) else { return 0 }
    switch self {
    case .p: return 1
    case .t, .number: return 0
    case .sum(let a, let b): return a.derivative + b.derivative
    case .difference(let a, let b): return a.derivative - b.derivative
    case .product(let a, let b): return a.derivative * b + a * b.derivative
    case .quotient(let a, let b):
      guard b.reads(.p) else { return a.derivative / b }
      return (a.derivative - self * b.derivative) / b
    case .call(let function, let x): return function.derivative(at: x) * x.derivative
    case .power(let x, let exponent):
      return .number(exponent) * .pow(x, exponent - 1) * x.derivative
    case .minimum(let a, let b): return Self.branch(b, a, b.derivative, a.derivative)
    case .maximum(let a, let b): return Self.branch(a, b, b.derivative, a.derivative)
    case .choice(let a, let b, let c, let d):
      return Self.branch(a, b, c.derivative, d.derivative)
    }
  }

  private static func branch(_ a: Self, _ b: Self, _ then: Self, _ other: Self) -> Self {
    then == other ? then : .choice(a, b, then, other)
  }
}

extension LossExpression: CustomStringConvertible {
  /// The formula as ``init(_:)`` reads it.
  public var description: String { text(above: 0) }

  private func text(above level: Int) -> String {
    func put(_ own: Int, _ text: String) -> String { own < level ? "(\(text))" : text }
    switch self {
    case .p: return "p"
    case .t: return "t"
    case .number(let value): return put(value < 0 ? 0 : 3, "\(value)")
    case .sum(let a, let b): return put(1, "\(a.text(above: 1)) + \(b.text(above: 2))")
    case .difference(let a, let b): return put(1, "\(a.text(above: 1)) - \(b.text(above: 2))")
    case .product(let a, let b): return put(2, "\(a.text(above: 2)) * \(b.text(above: 3))")
    case .quotient(let a, let b): return put(2, "\(a.text(above: 2)) / \(b.text(above: 3))")
    case .call(let function, let x): return "\(function.rawValue)(\(x))"
    case .power(let x, let exponent): return "pow(\(x), \(exponent))"
    case .minimum(let a, let b): return "min(\(a), \(b))"
    case .maximum(let a, let b): return "max(\(a), \(b))"
    case .choice(let a, let b, let c, let d): return "where(\(a) < \(b), \(c), \(d))"
    }
  }
}
