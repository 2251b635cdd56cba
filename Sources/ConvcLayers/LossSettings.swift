import ConvcIR

/// Factors of the losses that the caller passes with the targets.
public enum LossWeights: String, Sendable, Hashable, CaseIterable {
  case none
  /// One factor an image, `[N]`, as the target `NAME_weights`.
  case samples
  /// One factor a pixel, `[N, H, W]`, as the target `NAME_weights`; it holds for all channels of the pixel.
  case pixels

  func targets(for prediction: TensorType) throws(LayerError) -> [LossTarget] {
    let extents = Array(prediction.shape.dropFirst(2))
    switch self {
    case .none: return []
    case .samples:
      return [
        LossTarget("weights", type: prediction.with(shape: [prediction.shape[0]]), values: .weights)
      ]
    case .pixels:
      guard !extents.isEmpty else {
        throw .setting(
          "weights of pixels need maps, got \(prediction); take weights of samples for features")
      }
      return [
        LossTarget(
          "weights", type: prediction.with(shape: [prediction.shape[0]] + extents),
          values: .weights)
      ]
    }
  }

  /// Position of a place's factor.
  func position(image: Int, pixel: Int, pixels: Int) -> Int {
    self == .samples ? image : image &* pixels &+ pixel
  }
}

/// How the losses of an image's values become the image's loss. The mean over the images follows in any case.
public enum LossReduction: String, Sendable, Hashable, CaseIterable {
  /// The mean over all values.
  case mean
  /// The sum over all values: its gradient is that of the mean times the number of an image's values.
  case sum
  /// The sum over the channels, the mean over the pixels.
  case channelSum

  /// What the sum over an image's values is divided by.
  func divisor(_ extents: some Collection<Int>) -> Int {
    switch self {
    case .mean: extents.reduce(1, *)
    case .sum: 1
    case .channelSum: extents.dropFirst().reduce(1, *)
    }
  }
}

/// What a loss takes its prediction for.
public enum PredictionForm: String, Sendable, Hashable, CaseIterable {
  /// Scores of any size, before a sigmoid or softmax, which the loss takes itself: stable for scores of any size.
  case logits
  case probabilities
  case logProbabilities

  /// In words.
  var text: String { self == .logProbabilities ? "log-probabilities" : rawValue }
}

/// Where probabilities are cut off before a logarithm is taken, or 1 less it: 2⁻²³, about 1.2e-7. Beyond, values stay and
/// gradients are 0.
let smallestProbability: Float = 0x1p-23

extension SettingSpec {
  static let weights = SettingSpec(
    "weights", .word(LossWeights.allCases.map(\.rawValue)), default: .word("none"),
    "factors that the caller passes: none, one a sample, or one a pixel")
  static let reduction = SettingSpec(
    "reduction", .word(LossReduction.allCases.map(\.rawValue)), default: .word("mean"),
    "what becomes of the losses of an image's values")
  static let margin = SettingSpec(
    "margin", .number, default: .number(1), "distance that scores have to keep")
  static let positiveWeight = SettingSpec(
    "positiveWeight", .number, default: .number(1), "factor of the class 1")

  /// What predictions are, the usual form first.
  static func form(_ forms: [PredictionForm]) -> SettingSpec {
    SettingSpec(
      "form", .word(forms.map(\.rawValue)), default: .word(forms[0].rawValue),
      "what the predictions are")
  }

  static let classWeights = SettingSpec(
    "classWeights", .numbers, default: .list([]), "a factor for each class; none: all 1")
  static let ignoredLabel = SettingSpec(
    "ignoredLabel", .text, default: .word("none"), "the label of places that are left out")
  static let labelSmoothing = SettingSpec(
    "labelSmoothing", .number, default: .number(0),
    "share of the target that all classes get in equal parts")
}

extension Settings {
  func classWeights() throws(SettingError) -> [Float] {
    try numbers("classWeights").map { Float($0) }
  }

  /// A number, or none.
  func ignoredLabel() throws(SettingError) -> Int32? {
    let text = try word("ignoredLabel")
    if text == "none" { return nil }
    guard let label = Int32(text) else {
      throw .invalid("has ignoredLabel: \(text); none or a whole number of 32 bits is expected")
    }
    return label
  }
}

extension SettingValue {
  static func floats(_ values: [Float]) -> SettingValue { .list(values.map { SettingValue($0) }) }
  static func label(_ label: Int32?) -> SettingValue {
    .word(label.map(String.init) ?? "none")
  }
}

/// Refuses a number that is not finite and above a bound.
func expectNumber(
  _ value: Float, _ name: String, above bound: Float, orEqual: Bool = false, usual: String
) throws(LayerError) {
  guard value.isFinite, value > bound || orEqual && value == bound else {
    let what = orEqual ? "at least \(bound)" : "above \(bound)"
    throw .setting("\(name) \(value) has to be \(what) and finite, as \(usual) is")
  }
}

/// Refuses class weights of another number than there are classes, and such that are no factors.
func expectClassWeights(_ weights: [Float], classes: Int) throws(LayerError) {
  guard weights.isEmpty || weights.count == classes else {
    throw .setting(
      "\(weights.count) class weights do not fit \(classes) classes; give one for each class")
  }
  for weight in weights {
    try expectNumber(weight, "class weight", above: 0, orEqual: true, usual: "1")
  }
}

/// Refuses smoothing that is no share.
func expectSmoothing(_ smoothing: Float) throws(LayerError) {
  guard smoothing >= 0, smoothing < 1 else {
    throw .setting(
      "labelSmoothing \(smoothing) is out of range; a share in 0..<1 is expected, as 0.1 is")
  }
}

/// Refuses predictions without an axis of classes, or with too few on it.
func expectClasses(_ prediction: TensorType, atLeast least: Int, why: String) throws(LayerError) {
  guard prediction.shape.count >= 2 else {
    throw .rank(
      expected: 2, got: prediction.shape,
      wayOut: "judge scores [N, K], or of pixels [N, K, H, W]; end the network with Dense")
  }
  guard prediction.shape[1] >= least else { throw .setting(why) }
}

/// The type of one label for each image, or for each pixel.
func labelType(for prediction: TensorType) -> TensorType {
  TensorType(
    shape: [prediction.shape[0]] + prediction.shape.dropFirst(2), element: .int32)
}
