import ConvcIR
import ConvcReference

/// Takes each value to 1 / (1 + e^−x), between 0 and 1; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: y · (1 − y), from the output y alone. It vanishes where the function saturates, beyond |x| = 16.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Source: ONNX `Sigmoid`, opset 13.
public struct Sigmoid: Layer {
  public static let kind = "sigmoid"

  public init() {}

  public var summary: String { "Sigmoid" }

  public var traits: LayerTraits { [.saturating, .logistic] }

  public var outputKind: OutputKind { .shares }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "sigmoid", backwardTemplate: "sigmoid_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .output(.value), support: ["exp"]))
  }
}

extension Value {
  /// Applies ``Sigmoid``.
  public func sigmoid(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Sigmoid(), name: name, file: file, line: line)
  }
}

extension Sigmoid: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Sigmoid(), inputs: [2, 3, 4, 5])]
}

extension Sigmoid: ReferenceActivation {
  package func value(_ x: Double) -> Double { sigmoid(x) }
  package func derivative(_ x: Double) -> Double { sigmoid(x) * sigmoid(-x) }
}
