import ConvcIR
import ConvcReference

/// A parabola near the target and straight lines beyond: outliers pull no harder than `delta`.
///
/// `l = d² / 2` where `|d| ≤ δ` for `d = p − t`, else `δ (|d| − δ / 2)`; gradient `d`, kept in `−δ...δ`.
///
/// - Prediction and target: one shape `[N, ...]`.
/// - Value: mean or sum over an image's values, mean over the batch; see ``Loss``.
/// - Errors: a delta that is not above 0; weights of pixels for features.
/// - Source: Huber 1964; PyTorch `HuberLoss`.
public struct Huber: Loss {
  public static let kind = "huber"

  public let delta: Float
  public let reduction: LossReduction
  public let weights: LossWeights

  public init(
    delta: Float = 1, reduction: LossReduction = .mean, weights: LossWeights = .none
  ) {
    self.delta = delta
    self.reduction = reduction
    self.weights = weights
  }
}

extension Huber: ValueLoss {
  package var title: String { "Huber loss" }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectNumber(delta, "delta", above: 0, usual: "1")
  }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    let slope = min(max(p - t, -Double(delta)), Double(delta))
    return (slope * (p - t - slope / 2), slope)
  }

  package func pieces(layer: String) -> [Fragment] {
    [Fragment(template: "huber_loss", values: ["delta": cFloat(delta)], layer: layer)]
  }
}

extension Huber: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    SettingSpec("delta", .number, default: .number(1), "distance at which the parabola ends"),
    .reduction, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      delta: try settings.float("delta"), reduction: try settings.choice("reduction"),
      weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "delta": SettingValue(delta), "reduction": .word(reduction.rawValue),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(Huber(), prediction: [2, 5]),
    LossExample(Huber(delta: 0.5, weights: .pixels), prediction: [2, 3, 4, 5]),
    LossExample(Huber(delta: 2, reduction: .sum, weights: .samples), prediction: [2, 7]),
  ]
}
