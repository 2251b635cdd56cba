import ConvcIR
import ConvcReference

/// Takes each value to slope · x + offset, cut off at 0 and 1; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: the slope where the output lies between 0 and 1, else 0.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: a slope that is not above 0 and finite, or an offset that is not finite.
/// - Source: Courbariaux et al. 2015; ONNX `HardSigmoid`, opset 6. The defaults are those of PyTorch and MobileNetV3.
public struct HardSigmoid: Layer {
  public static let kind = "hardsigmoid"

  public let slope: Float
  public let offset: Float

  public init(slope: Float = 1 / 6, offset: Float = 0.5) {
    self.slope = slope
    self.offset = offset
  }

  public var summary: String { "HardSigmoid \(slope) \(offset)" }

  public var traits: LayerTraits { [.saturating, .logistic] }

  public var outputKind: OutputKind { .shares }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard slope > 0, slope.isFinite, offset.isFinite else {
      throw .setting(
        "slope \(slope) and offset \(offset) have to be finite and the slope above 0, as 1/6 and 0.5"
      )
    }
    return try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "hardsigmoid", backwardTemplate: "hardsigmoid_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .output(.value),
        constants: ["slope": cFloat(slope), "offset": cFloat(offset)],
        backwardConstants: ["slope": cFloat(slope)]))
  }
}

extension Value {
  /// Applies ``HardSigmoid``.
  public func hardSigmoid(
    slope: Float = 1 / 6, offset: Float = 0.5, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(HardSigmoid(slope: slope, offset: offset), name: name, file: file, line: line)
  }
}

extension HardSigmoid: RegisteredLayer {
  public static let settings = [
    SettingSpec("slope", .number, default: SettingValue(1 / 6), "slope between the ends"),
    SettingSpec("offset", .number, default: .number(0.5), "value at zero"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(slope: try settings.float("slope"), offset: try settings.float("offset"))
  }

  public var settingValues: [String: SettingValue] {
    ["slope": SettingValue(slope), "offset": SettingValue(offset)]
  }

  public static let examples = [
    LayerExample(HardSigmoid(), inputs: [2, 3, 4, 5]),
    LayerExample(HardSigmoid(slope: 0.2, offset: 0.4), inputs: [2, 5]),
  ]
}

extension HardSigmoid: ReferenceActivation {
  package var kinks: [Double] {
    let (slope, offset) = (Double(slope), Double(offset))
    return [-offset / slope, (1 - offset) / slope]
  }
  package func value(_ x: Double) -> Double { min(max(Double(slope) * x + Double(offset), 0), 1) }
  package func derivative(_ x: Double) -> Double {
    value(x) > 0 && value(x) < 1 ? Double(slope) : 0
  }
}
