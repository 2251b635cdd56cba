import ConvcIR
import ConvcReference

/// Squared differences between prediction and target: `l = (p − t)²`, gradient `2 (p − t)`.
///
/// - Prediction and target: one shape `[N, ...]`.
/// - Value: the mean over an image's values (`reduction: .mean`, no factor ½), their sum (`.sum`: ‖p − t‖²), or the sum over
///   the channels and the mean over the pixels (`.channelSum`); then the mean over the batch.
/// - Missing targets: with `masksMissing` a target that is NaN has loss and gradient 0, and stays in the divisor: keypoints
///   that a picture does not show. Without it NaN comes out.
/// - Weights: of samples or pixels; see ``Loss`` for what a mean is.
/// - Errors: weights of pixels for features.
/// - Source: PyTorch `MSELoss` with reduction `mean`.
public struct MeanSquaredError: Loss {
  public static let kind = "mean-squared-error"

  public let reduction: LossReduction
  public let masksMissing: Bool
  public let weights: LossWeights

  public init(
    reduction: LossReduction = .mean, masksMissing: Bool = false, weights: LossWeights = .none
  ) {
    self.reduction = reduction
    self.masksMissing = masksMissing
    self.weights = weights
  }
}

extension MeanSquaredError: ValueLoss {
  package var title: String { "squared error" }
  package var targetValues: TargetValues? { masksMissing ? .anyOrMissing : .any }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    let difference = masksMissing && t.isNaN ? 0 : p - t
    return (difference * difference, 2 * difference)
  }

  package func pieces(layer: String) -> [Fragment] {
    let difference = masksMissing ? "t == t ? p - t : 0.0f" : "p - t"
    return [
      Fragment(template: "squared_error_loss", values: ["difference": difference], layer: layer)
    ]
  }
}

extension MeanSquaredError: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .reduction,
    SettingSpec(
      "masksMissing", .boolean, default: .boolean(false),
      "whether targets that are NaN count as without error"), .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      reduction: try settings.choice("reduction"),
      masksMissing: try settings.boolean("masksMissing"), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "reduction": .word(reduction.rawValue), "masksMissing": .boolean(masksMissing),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(MeanSquaredError(), prediction: [2, 5]),
    LossExample(MeanSquaredError(reduction: .sum, masksMissing: true), prediction: [2, 7]),
    LossExample(MeanSquaredError(masksMissing: true, weights: .pixels), prediction: [2, 3, 4, 5]),
    LossExample(
      MeanSquaredError(reduction: .channelSum, weights: .samples), prediction: [2, 3, 4, 5]),
  ]
}
