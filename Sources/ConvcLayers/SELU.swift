import ConvcIR
import ConvcReference
import Glibc

/// Takes positive values to λ x and negative ones to λ α (e^x − 1), which keeps mean 0 and variance 1; NaN passes through.
///
/// - Input and output: any shape.
/// - λ = 1.0507009873554805, α = 1.6732632423543772.
/// - Gradient: λ above zero, y + λ α at zero and below, from the output y alone.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Source: Klambauer et al. 2017; ONNX `Selu`, opset 6.
public struct SELU: Layer {
  public static let kind = "selu"

  public init() {}

  public var summary: String { "SELU" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "selu", backwardTemplate: "selu_backward", hasVectorForm: true, isMonotone: true,
        gradientNeed: .output(.value), keeps: .sign, support: ["tanh_parts", "expm1"]))
  }
}

extension Value {
  /// Applies ``SELU``.
  public func selu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(SELU(), name: name, file: file, line: line)
  }
}

extension SELU: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(SELU(), inputs: [2, 3, 4, 5])]
}

extension SELU: ReferenceActivation {
  private var scale: Double { 1.0507009873554805 }
  private var alpha: Double { 1.6732632423543772 }
  package var kinks: [Double] { [0] }
  package func value(_ x: Double) -> Double { scale * (x < 0 ? alpha * expm1(x) : x) }
  package func derivative(_ x: Double) -> Double { scale * (x > 0 ? 1 : alpha * exp(x)) }
}
