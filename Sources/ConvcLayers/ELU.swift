import ConvcIR
import ConvcReference
import Glibc

/// Takes negative values x to α (e^x − 1); NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: 1 above zero, y + α at zero and below, from the output y alone.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: an α that is not above 0 and finite.
/// - Source: Clevert, Unterthiner and Hochreiter 2016; ONNX `Elu`, opset 6.
public struct ELU: Layer {
  public static let kind = "elu"

  /// The limit of large negative values is −α.
  public let alpha: Float

  public init(alpha: Float = 1) {
    self.alpha = alpha
  }

  public var summary: String { "ELU \(alpha)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard alpha > 0, alpha.isFinite else {
      throw .setting("alpha \(alpha) has to be above 0 and finite, as 1 is")
    }
    return try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "elu", backwardTemplate: "elu_backward", hasVectorForm: true, isMonotone: true,
        gradientNeed: .output(.value), keeps: .sign, constants: ["alpha": cFloat(alpha)],
        support: ["tanh_parts", "expm1"]))
  }
}

extension Value {
  /// Applies ``ELU``.
  public func elu(
    alpha: Float = 1, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(ELU(alpha: alpha), name: name, file: file, line: line)
  }
}

extension ELU: RegisteredLayer {
  public static let settings = [
    SettingSpec("alpha", .number, default: .number(1), "size of the negative values")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(alpha: try settings.float("alpha"))
  }

  public var settingValues: [String: SettingValue] { ["alpha": SettingValue(alpha)] }

  public static let examples = [
    LayerExample(ELU(), inputs: [2, 3, 4, 5]),
    LayerExample(ELU(alpha: 0.8), inputs: [2, 5]),
  ]
}

extension ELU: ReferenceActivation {
  package var kinks: [Double] { [0] }
  package func value(_ x: Double) -> Double { x < 0 ? Double(alpha) * expm1(x) : x }
  package func derivative(_ x: Double) -> Double { x > 0 ? 1 : Double(alpha) * exp(x) }
}
