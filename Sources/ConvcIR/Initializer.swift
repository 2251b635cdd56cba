/// What the initial values of a parameter are drawn from.
///
/// `fan-in` is the number of inputs of one unit, `fan-out` the number of outputs that one input reaches, taps of a kernel
/// included. Every parameter draws from a stream of its own, so a choice changes no other parameter. The generator and
/// what it promises stand at `Initialization`.
public enum Initializer: Sendable, Hashable {
  /// Every value is the same. Weights that all start equal stay equal: `convc` warns of them.
  case constant(Float)
  /// Uniform in −bound...bound; deviation bound / √3.
  case uniform(bound: Float)
  /// Normal with mean 0 and this deviation, not cut off.
  case normal(deviation: Float)
  /// N(0, 1) / √fan-in, not cut off (LeCun et al. 1998): keeps the variance of linear layers.
  case lecunNormal
  /// Normal, standard deviation √(2 / (fan-in + fan-out)) (Glorot and Bengio 2010), truncated at two deviations of the
  /// normal that is cut, and scaled so that the deviation is exact after the cut.
  case glorotNormal
  /// Uniform in ±√(6 / (fan-in + fan-out)) (Glorot and Bengio 2010): the same deviation.
  case glorotUniform
  /// Normal, standard deviation √(2 / fan-in) (He et al. 2015), truncated and scaled as ``glorotNormal``: for ReLU.
  case heNormal
  /// Uniform in ±√(6 / fan-in) (He et al. 2015): the same deviation.
  case heUniform

  /// Every value is 0.
  public static var zero: Initializer { .constant(0) }
  /// N(0, 1).
  public static var standardNormal: Initializer { .normal(deviation: 1) }

  /// Whether all values are equal.
  public var isConstant: Bool {
    if case .constant = self { true } else { false }
  }

  /// The standard deviation of the values; 0 for constants.
  public func deviation(fanIn: Int, fanOut: Int) -> Double {
    let (fanIn, fanOut) = (Double(max(1, fanIn)), Double(max(1, fanOut)))
    switch self {
    case .constant: return 0
    case .uniform(let bound): return Double(bound) / 3.0.squareRoot()
    case .normal(let deviation): return Double(deviation)
    case .lecunNormal: return (1 / fanIn).squareRoot()
    case .glorotNormal, .glorotUniform: return (2 / (fanIn + fanOut)).squareRoot()
    case .heNormal, .heUniform: return (2 / fanIn).squareRoot()
    }
  }

  /// What is wrong with the setting; nil: nothing.
  public var problem: String? {
    switch self {
    case .constant(let value) where !value.isFinite:
      "initial value \(value) is not finite; choose a number"
    case .uniform(let bound) where !(bound > 0 && bound.isFinite):
      "bound \(bound) of uniform initial values is out of range; a finite one above 0 is expected, "
        + "or .constant(0)"
    case .normal(let deviation) where !(deviation > 0 && deviation.isFinite):
      "deviation \(deviation) of normal initial values is out of range; a finite one above 0 is "
        + "expected, or .constant(0)"
    case .constant, .uniform, .normal, .lecunNormal, .glorotNormal, .glorotUniform, .heNormal,
      .heUniform:
      nil
    }
  }
}

extension Initializer {
  private static let named: [(text: String, initializer: Initializer)] = [
    ("zero", .zero), ("standard_normal", .standardNormal), ("lecun_normal", .lecunNormal),
    ("glorot_normal", .glorotNormal), ("glorot_uniform", .glorotUniform),
    ("he_normal", .heNormal), ("he_uniform", .heUniform),
  ]

  /// What ``init(text:)`` reads, in words.
  public static let texts =
    named.map(\.text).joined(separator: ", ")
    + ", constant VALUE, normal DEVIATION or uniform BOUND"

  /// As model files have it: `he_normal`, `uniform 0.05`.
  public var text: String {
    if let known = Self.named.first(where: { $0.initializer == self }) { return known.text }
    switch self {
    case .constant(let value): return "constant \(value)"
    case .uniform(let bound): return "uniform \(bound)"
    case .normal(let deviation): return "normal \(deviation)"
    case .lecunNormal, .glorotNormal, .glorotUniform, .heNormal, .heUniform:
      preconditionFailure("internal error: \(self) has no text")
    }
  }

  /// Reads what ``text`` wrote; nil: it is no initializer.
  public init?(text: String) {
    if let known = Self.named.first(where: { $0.text == text }) {
      self = known.initializer
      return
    }
    let words = text.split(separator: " ")
    guard words.count == 2, let value = Float(words[1]) else { return nil }
    switch words[0] {
    case "constant": self = .constant(value)
    case "uniform": self = .uniform(bound: value)
    case "normal": self = .normal(deviation: value)
    default: return nil
    }
  }
}

extension Initializer: CustomStringConvertible {
  public var description: String {
    switch self {
    case .constant(let value): "constant \(value)"
    case .uniform(let bound): "uniform ±\(bound)"
    case .normal(let deviation): "normal, deviation \(deviation)"
    case .lecunNormal: "LeCun normal"
    case .glorotNormal: "Glorot normal"
    case .glorotUniform: "Glorot uniform"
    case .heNormal: "He normal"
    case .heUniform: "He uniform"
    }
  }
}
