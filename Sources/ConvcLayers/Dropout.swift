import ConvcIR
import ConvcReference

/// Sets each value to zero with a probability while training, and scales the others by 1/(1 − rate).
///
/// - Input and output: any shape. At inference: nothing happens.
/// - Gradient: the output's through the same mask.
/// - Masks: Philox 4x32-10, keyed by the step's seed and the layer's name, counted by the step's number and the value's
///   NCHW index: layout, fusion and threads do not change them. Backward draws them again; none is saved.
/// - Errors: a rate outside `0..<1`.
/// - Source: Srivastava et al. 2014 (inverted scaling); Salmon et al. 2011 (Philox).
public struct Dropout: Layer {
  public static let kind = "dropout"

  /// Probability of a zero.
  public let rate: Double

  public init(rate: Double) {
    self.rate = rate
  }

  private var mask: RandomMask { RandomMask(rate: rate) }

  public var summary: String { "Dropout \(rate)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    try mask.check("rate")
    return input
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    guard mode == .training, rate > 0 else { return .view }
    return .elementwise(
      Epilogue(
        template: "dropout", backwardTemplate: "dropout", hasVectorForm: false, keeps: .sign,
        constants: mask.constants, isRandom: true))
  }
}

extension Value {
  /// Applies ``Dropout``.
  public func dropout(
    _ rate: Double, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Dropout(rate: rate), name: name, file: file, line: line)
  }
}

extension Dropout: RegisteredLayer {
  public static let settings = [
    SettingSpec("rate", .number, default: .number(0.5), "probability of a zero")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(rate: try settings.number("rate"))
  }

  public var settingValues: [String: SettingValue] { ["rate": .number(rate)] }

  public static let examples = [
    LayerExample(Dropout(rate: 0.5), inputs: [2, 3, 4, 5]),
    LayerExample(Dropout(rate: 0.1), inputs: [2, 5]),
  ]
}

extension Dropout: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: mask.applied(to: call.input, call))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [mask.applied(to: outputGradient, call)])
  }
}
