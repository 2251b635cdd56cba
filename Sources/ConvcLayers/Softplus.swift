import ConvcIR
import ConvcReference
import Glibc

/// Takes each value to ln(1 + e^x), a smooth ReLU; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: the sigmoid of the input, 1 − e^−y, from the output y alone.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Source: Dugas et al. 2001; ONNX `Softplus`, opset 1.
public struct Softplus: Layer {
  public static let kind = "softplus"

  public init() {}

  public var summary: String { "Softplus" }

  public var traits: LayerTraits { .nonNegative }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "softplus", backwardTemplate: "softplus_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .output(.value), support: ["exp", "softplus"],
        backwardSupport: ["tanh_parts", "expm1"]))
  }
}

extension Value {
  /// Applies ``Softplus``.
  public func softplus(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Softplus(), name: name, file: file, line: line)
  }
}

extension Softplus: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Softplus(), inputs: [2, 3, 4, 5])]
}

extension Softplus: ReferenceActivation {
  package func value(_ x: Double) -> Double { max(x, 0) + log1p(exp(-x.magnitude)) }
  package func derivative(_ x: Double) -> Double { sigmoid(x) }
}
