import ConvcIR
import ConvcReference
import Glibc

/// Multiplies each value by the normal distribution function at it, x Φ(x); NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: Φ(x) + x φ(x) with the normal density φ; of the approximation its own derivative.
/// - Fusion: an epilogue of the layer before in inference; in training it begins a group, for its input has to be stored.
/// - Source: Hendrycks and Gimpel 2016; ONNX `Gelu`, opset 20.
public struct GELU: Layer {
  public static let kind = "gelu"

  /// How Φ is computed.
  public enum Approximation: String, Sendable, Hashable {
    /// By the error function.
    case none
    /// (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, within 5e-4 of it.
    case tanh
  }

  public let approximation: Approximation

  public init(_ approximation: Approximation = .none) {
    self.approximation = approximation
  }

  public var summary: String { approximation == .none ? "GELU" : "GELU \(approximation.rawValue)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: approximation == .none ? "gelu" : "gelu_tanh",
        backwardTemplate: approximation == .none ? "gelu_backward" : "gelu_tanh_backward",
        hasVectorForm: true, gradientNeed: .input, keeps: .sign,
        support: approximation == .none ? ["erf"] : ["tanh_parts", "tanh"],
        backwardSupport: approximation == .none ? ["erf", "exp"] : ["tanh_parts", "tanh"]))
  }
}

extension Value {
  /// Applies ``GELU``.
  public func gelu(
    _ approximation: GELU.Approximation = .none, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(GELU(approximation), name: name, file: file, line: line)
  }
}

extension GELU: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "approximation", .word(["none", "tanh"]), default: .word("none"),
      "how the distribution function is computed")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(try settings.choice("approximation"))
  }

  public var settingValues: [String: SettingValue] {
    ["approximation": .word(approximation.rawValue)]
  }

  public static let examples = [
    LayerExample(GELU(), inputs: [2, 3, 4, 5]), LayerExample(GELU(.tanh), inputs: [2, 5]),
  ]
}

extension GELU: ReferenceActivation {
  package func value(_ x: Double) -> Double { x * share(x) }

  package func derivative(_ x: Double) -> Double {
    guard approximation == .tanh else {
      return share(x) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    }
    let tangent = 2 * share(x) - 1
    let inner = (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
    return share(x) + x / 2 * (1 - tangent * tangent) * inner
  }

  /// The normal distribution function, or its approximation.
  private func share(_ x: Double) -> Double {
    approximation == .none
      ? erfc(-x / 2.0.squareRoot()) / 2
      : (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
  }
}
