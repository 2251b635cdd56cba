import ConvcIR
import ConvcReference

/// Multiplies negative values by a slope; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: 1 above zero, the slope at zero and below.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: a slope that is not above 0 and finite; a slope of 0 is ``ReLU``.
/// - Source: Maas, Hannun and Ng 2013; ONNX `LeakyRelu`, opset 16, whose slope of 0.01 this is.
public struct LeakyReLU: Layer {
  public static let kind = "leakyrelu"

  /// What negative values are multiplied by.
  public let slope: Float

  public init(slope: Float = 0.01) {
    self.slope = slope
  }

  public var summary: String { "LeakyReLU \(slope)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard slope > 0, slope.isFinite else {
      throw .setting("slope \(slope) has to be above 0 and finite; without a slope use ReLU")
    }
    return try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "leakyrelu", backwardTemplate: "leakyrelu_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .outputOrInput(.sign),
        gradientText: "multiplies gradients by the slope where it is not positive", keeps: .sign,
        constants: ["slope": cFloat(slope)]))
  }
}

extension Value {
  /// Applies ``LeakyReLU``.
  public func leakyReLU(
    slope: Float = 0.01, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(LeakyReLU(slope: slope), name: name, file: file, line: line)
  }
}

extension LeakyReLU: RegisteredLayer {
  public static let settings = [
    SettingSpec("slope", .number, default: .number(0.01), "slope below zero")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(slope: try settings.float("slope"))
  }

  public var settingValues: [String: SettingValue] { ["slope": SettingValue(slope)] }

  public static let examples = [
    LayerExample(LeakyReLU(), inputs: [2, 3, 4, 5]),
    LayerExample(LeakyReLU(slope: 0.2), inputs: [2, 5]),
  ]
}

extension LeakyReLU: ReferenceActivation {
  package var kinks: [Double] { [0] }
  package func value(_ x: Double) -> Double { x < 0 ? Double(slope) * x : x }
  package func derivative(_ x: Double) -> Double { x > 0 ? 1 : Double(slope) }
}
