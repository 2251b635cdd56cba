import ConvcIR
import ConvcReference

/// Sizes of the differences between prediction and target: `l = |p − t|`, gradient `sign(p − t)`, 0 where they are equal.
///
/// - Prediction and target: one shape `[N, ...]`.
/// - Value: mean or sum over an image's values, mean over the batch; see ``Loss``.
/// - Errors: weights of pixels for features.
/// - Source: PyTorch `L1Loss`.
public struct MeanAbsoluteError: Loss {
  public static let kind = "mean-absolute-error"

  public let reduction: LossReduction
  public let weights: LossWeights

  public init(reduction: LossReduction = .mean, weights: LossWeights = .none) {
    self.reduction = reduction
    self.weights = weights
  }
}

extension MeanAbsoluteError: ValueLoss {
  package var title: String { "absolute error" }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    ((p - t).magnitude, p > t ? 1 : p < t ? -1 : p - t)
  }

  package func pieces(layer: String) -> [Fragment] {
    [Fragment(template: "absolute_error_loss", values: [:], layer: layer)]
  }
}

extension MeanAbsoluteError: RegisteredLoss {
  public static let settings: [SettingSpec] = [.reduction, .weights]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      reduction: try settings.choice("reduction"), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    ["reduction": .word(reduction.rawValue), "weights": .word(weights.rawValue)]
  }

  public static let examples = [
    LossExample(MeanAbsoluteError(), prediction: [2, 5]),
    LossExample(MeanAbsoluteError(weights: .pixels), prediction: [2, 3, 4, 5]),
    LossExample(MeanAbsoluteError(reduction: .sum, weights: .samples), prediction: [2, 7]),
  ]
}
