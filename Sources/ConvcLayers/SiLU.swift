import ConvcIR
import ConvcReference

/// Multiplies each value by its sigmoid, x / (1 + e^−x), also called swish; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: s (1 + x (1 − s)) with s the sigmoid of the input x.
/// - Fusion: an epilogue of the layer before in inference; in training it begins a group, for its input has to be stored.
/// - Source: Elfwing, Uchibe and Doya 2018; ONNX `Swish`, opset 24.
public struct SiLU: Layer {
  public static let kind = "silu"

  public init() {}

  public var summary: String { "SiLU" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "silu", backwardTemplate: "silu_backward", hasVectorForm: true,
        gradientNeed: .input, keeps: .sign, support: ["exp"], backwardSupport: ["exp"]))
  }
}

extension Value {
  /// Applies ``SiLU``.
  public func silu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(SiLU(), name: name, file: file, line: line)
  }
}

extension SiLU: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(SiLU(), inputs: [2, 3, 4, 5])]
}

extension SiLU: ReferenceActivation {
  package func value(_ x: Double) -> Double { x * sigmoid(x) }
  package func derivative(_ x: Double) -> Double { sigmoid(x) * (1 + x * sigmoid(-x)) }
}
