import ConvcIR
import ConvcReference

/// Takes the larger of zero and each value; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient at zero: 0.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Source: ONNX `Relu`, opset 14.
public struct ReLU: Layer {
  public static let kind = "relu"

  public init() {}

  public var summary: String { "ReLU" }

  public var traits: LayerTraits { .nonNegative }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "relu", backwardTemplate: "relu_backward", hasVectorForm: true, isMonotone: true,
        gradientNeed: .outputOrInput(.sign),
        gradientText: "lets gradients through where it is positive", keeps: .value))
  }
}

extension Value {
  /// Applies ``ReLU``.
  public func relu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(ReLU(), name: name, file: file, line: line)
  }
}

extension ReLU: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(ReLU(), inputs: [2, 3, 4, 5])]
}

extension ReLU: ReferenceActivation {
  package var kinks: [Double] { [0] }
  package func value(_ x: Double) -> Double { x < 0 ? 0 : x }
  package func derivative(_ x: Double) -> Double { x > 0 ? 1 : 0 }
}
