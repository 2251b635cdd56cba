import ConvcIR

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
        support: approximation == .none ? ["erf"] : ["tanh"],
        backwardSupport: approximation == .none ? ["erf", "exp"] : ["tanh"]))
  }
}
