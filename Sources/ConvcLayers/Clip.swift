import ConvcIR
import ConvcReference

/// Brings each value into a range: below it to the lower bound, above it to the upper one; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient at the bounds and outside: 0.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: bounds that are not finite, or not in order.
/// - Source: ONNX `Clip`, opset 13, whose default bounds these are.
public struct Clip: Layer {
  public static let kind = "clip"

  public let minimum: Float
  public let maximum: Float

  public init(
    minimum: Float = -.greatestFiniteMagnitude, maximum: Float = .greatestFiniteMagnitude
  ) {
    self.minimum = minimum
    self.maximum = maximum
  }

  public var summary: String { "Clip \(minimum)...\(maximum)" }

  public var traits: LayerTraits { minimum >= 0 ? .nonNegative : [] }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard minimum.isFinite, maximum.isFinite, minimum < maximum else {
      throw .setting(
        "bounds \(minimum) and \(maximum) make no range; the lower one has to be below the upper, "
          + "both finite: leave out the one that is not wanted")
    }
    return input
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "clip", backwardTemplate: "clip_backward", hasVectorForm: true, isMonotone: true,
        gradientNeed: .output(.value),
        gradientText: "lets gradients through where it lies between its bounds", keeps: .value,
        constants: ["minimum": cFloat(minimum), "maximum": cFloat(maximum)]))
  }
}

/// ``Clip`` to 0...6.
///
/// - Source: Sandler et al. 2018; PyTorch `ReLU6`.
public struct ReLU6: Layer {
  public static let kind = Clip.kind

  /// The layer that this one is another name of.
  public let clip = Clip(minimum: 0, maximum: 6)

  public init() {}

  public var summary: String { "ReLU6" }

  public var traits: LayerTraits { .nonNegative }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try clip.output(for: inputs)
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    clip.role(in: mode, frozen: frozen)
  }
}

extension Value {
  /// Applies ``Clip``.
  public func clip(
    minimum: Float = -.greatestFiniteMagnitude, maximum: Float = .greatestFiniteMagnitude,
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Clip(minimum: minimum, maximum: maximum), name: name, file: file, line: line)
  }
}

extension Clip: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "minimum", .number, default: SettingValue(-Float.greatestFiniteMagnitude), "lower bound"),
    SettingSpec(
      "maximum", .number, default: SettingValue(Float.greatestFiniteMagnitude), "upper bound"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(minimum: try settings.float("minimum"), maximum: try settings.float("maximum"))
  }

  public var settingValues: [String: SettingValue] {
    ["minimum": SettingValue(minimum), "maximum": SettingValue(maximum)]
  }

  public static let examples = [
    LayerExample(Clip(minimum: -0.5, maximum: 0.75), inputs: [2, 3, 4, 5]),
    LayerExample(Clip(minimum: 0.25), inputs: [2, 5]),
    LayerExample(Clip(maximum: 1.5), inputs: [2, 5]),
  ]
}

extension Clip: ReferenceActivation {
  package var kinks: [Double] { [Double(minimum), Double(maximum)] }
  package func value(_ x: Double) -> Double {
    x < Double(minimum) ? Double(minimum) : x > Double(maximum) ? Double(maximum) : x
  }
  package func derivative(_ x: Double) -> Double {
    x > Double(minimum) && x < Double(maximum) ? 1 : 0
  }
}

extension Value {
  /// Applies ``ReLU6``.
  public func relu6(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(ReLU6(), name: name, file: file, line: line)
  }
}

extension ReLU6: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(ReLU6(), inputs: [2, 3, 4, 5])]
}

extension ReLU6: ReferenceActivation {
  package var kinks: [Double] { clip.kinks }
  package func value(_ x: Double) -> Double { clip.value(x) }
  package func derivative(_ x: Double) -> Double { clip.derivative(x) }
}
