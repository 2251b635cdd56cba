import ConvcIR
import ConvcReference
import Glibc

/// Takes each value to its hyperbolic tangent, between −1 and 1; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: 1 − y², from the output y alone. It vanishes where the function saturates, beyond |x| = 9.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Source: ONNX `Tanh`, opset 13.
public struct Tanh: Layer {
  public static let kind = "tanh"

  public init() {}

  public var summary: String { "Tanh" }

  public var traits: LayerTraits { .saturating }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "tanh", backwardTemplate: "tanh_backward", hasVectorForm: true, isMonotone: true,
        gradientNeed: .output(.value), keeps: .sign, support: ["tanh_parts", "tanh"]))
  }
}

extension Value {
  /// Applies ``Tanh``.
  public func tanh(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Tanh(), name: name, file: file, line: line)
  }
}

extension Tanh: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Tanh(), inputs: [2, 3, 4, 5])]
}

extension Tanh: ReferenceActivation {
  package func value(_ x: Double) -> Double { tanh(x) }
  package func derivative(_ x: Double) -> Double { 1 - tanh(x) * tanh(x) }
}
