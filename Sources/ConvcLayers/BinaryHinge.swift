import ConvcIR
import ConvcReference

/// Hinge loss of two classes: `l = max(0, margin − s · p)` with `s = 2 t − 1`, on raw scores.
///
/// - Prediction: one score, `[N, 1]` or of each pixel `[N, 1, H, W]`; class 1 where it is above 0.
/// - Target: labels `[N]` or `[N, H, W]`, `int32`: **0 and 1, which stand for −1 and +1** in the formula.
/// - Gradient: `−s` where the loss is above 0, else 0 (also at the kink).
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: more than one score; an output between 0 and 1; a margin not above 0; weights of pixels for features.
/// - Source: Vapnik 1995; Keras `Hinge`, which takes −1 and +1 or 0 and 1.
public struct BinaryHinge: Loss {
  public static let kind = "binary-hinge"

  public let margin: Float
  public let weights: LossWeights

  public init(margin: Float = 1, weights: LossWeights = .none) {
    self.margin = margin
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    .scores(instead: [.shares: "BinaryCrossEntropy(form: .probabilities)"])
  }
}

extension BinaryHinge: ValueLoss {
  package var reduction: LossReduction { .mean }
  package var title: String { "hinge loss" }
  package var targetValues: TargetValues? { nil }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectNumber(margin, "margin", above: 0, usual: "1")
  }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    let side = t > 0.5 ? 1.0 : -1
    let gap = Double(margin) - side * p
    return (gap < 0 ? 0 : gap, gap > 0 ? -side : 0)
  }

  package func pieces(layer: String) -> [Fragment] {
    [
      Fragment(
        template: "binary_hinge_loss",
        values: ["margin": cFloat(margin)], layer: layer)
    ]
  }
}

extension BinaryHinge: RegisteredLoss {
  public static let settings: [SettingSpec] = [.margin, .weights]

  public init(settings: Settings) throws(SettingError) {
    self.init(margin: try settings.float("margin"), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    ["margin": SettingValue(margin), "weights": .word(weights.rawValue)]
  }

  public static let examples = [
    LossExample(BinaryHinge(), prediction: [2, 1]),
    LossExample(BinaryHinge(margin: 0.5, weights: .pixels), prediction: [2, 1, 4, 5]),
    LossExample(BinaryHinge(weights: .samples), prediction: [2, 1]),
  ]
}
