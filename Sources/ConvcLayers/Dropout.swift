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

  public var summary: String { "Dropout \(rate)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard rate >= 0, rate < 1 else {
      throw .setting("rate \(rate) is out of range; a probability in 0..<1 is expected")
    }
    return input
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    guard mode == .training, rate > 0 else { return .view }
    // A value is kept where 32 random bits are at or above the threshold.
    let threshold = UInt32((rate * 4_294_967_296).rounded().clamped(to: 0...4_294_967_295))
    return .elementwise(
      Epilogue(
        template: "dropout", backwardTemplate: "dropout", hasVectorForm: false, keeps: .sign,
        constants: ["threshold": "\(threshold)u", "scale": cFloat(Float(1 / (1 - rate)))],
        isRandom: true))
  }
}

extension Double {
  func clamped(to range: ClosedRange<Double>) -> Double {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
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
    LayerResult(output: masked(call.input, call))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [masked(outputGradient, call)])
  }

  private func masked(_ x: DoubleTensor, _ call: LayerCall) -> DoubleTensor {
    guard call.options.mode == .training, rate > 0 else { return x }
    let y = DoubleTensor(shape: x.shape)
    let threshold = UInt32(min((rate * 4_294_967_296).rounded(), 4_294_967_295))
    let scale = Double(Float(1 / (1 - rate)))
    let philox = Philox(seed: call.options.seed, name: call.node.name, step: call.options.step)
    var i = 0
    while i < x.count {
      let words = philox.words(UInt64(i / 4))
      for word in 0..<min(4, x.count - i) where words[word] >= threshold {
        y.address[i + word] = x.address[i + word] * scale
      }
      i &+= 4
    }
    return y
  }
}
