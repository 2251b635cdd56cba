import ConvcIR
import ConvcReference

/// Multiplies each value by min(max(x / 6 + 1/2, 0), 1); NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: 0 up to −3, 1 from 3 on, x / 3 + 1/2 between.
/// - Fusion: an epilogue of the layer before in inference; in training it begins a group, for its input has to be stored.
/// - Source: Howard et al. 2019; ONNX `HardSwish`, opset 14.
public struct HardSwish: Layer {
  public static let kind = "hardswish"

  public init() {}

  public var summary: String { "HardSwish" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "hardswish", backwardTemplate: "hardswish_backward", hasVectorForm: true,
        gradientNeed: .input, keeps: .sign))
  }
}

extension Value {
  /// Applies ``HardSwish``.
  public func hardSwish(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(HardSwish(), name: name, file: file, line: line)
  }
}

extension HardSwish: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(HardSwish(), inputs: [2, 3, 4, 5])]
}

extension HardSwish: ReferenceActivation {
  package var kinks: [Double] { [-3, 3] }
  package func value(_ x: Double) -> Double { x * min(max(x / 6 + 0.5, 0), 1) }
  package func derivative(_ x: Double) -> Double { x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5 }
}
