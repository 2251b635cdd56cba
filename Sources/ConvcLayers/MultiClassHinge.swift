import ConvcIR
import ConvcReference

/// Hinge loss of several classes (Crammer and Singer): `l = max(0, margin + max_{k ≠ t} x_k − x_t)`, on raw scores.
///
/// - Prediction: scores `[N, K]`, or of each pixel `[N, K, H, W]`.
/// - Target: labels `[N]` or `[N, H, W]`, `int32` in `0..<K`, or the `ignoredLabel`, of places that count as without loss.
/// - Gradient: where the loss is above 0, −1 for the label and +1 for the highest of the other scores, of equal ones the
///   first; else 0 (also at the kink).
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: an output of probabilities; fewer than two classes; a margin not above 0; a label out of range.
/// - Source: Crammer and Singer 2001. PyTorch's `MultiMarginLoss` adds up all classes instead (Weston and Watkins 1999).
public struct MultiClassHinge: Loss {
  public static let kind = "multi-class-hinge"

  public let margin: Float
  /// The label of places that are left out; nil: there are none.
  public let ignoredLabel: Int32?
  public let weights: LossWeights

  public init(margin: Float = 1, ignoredLabel: Int32? = nil, weights: LossWeights = .none) {
    self.margin = margin
    self.ignoredLabel = ignoredLabel
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    .scores(instead: [
      .probabilities: "NegativeLogLikelihood(form: .probabilities)",
      .logProbabilities: "NegativeLogLikelihood()",
    ])
  }
}

extension MultiClassHinge: PixelLoss {
  package var ignored: Int32? { ignoredLabel }
  package var takesLabels: Bool { true }
  package var title: String { "hinge loss of Crammer and Singer" }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectClasses(
      prediction, atLeast: 2,
      why: "one score has no rival; give the last layer at least 2 outputs, or take BinaryHinge()")
    try expectNumber(margin, "margin", above: 0, usual: "1")
  }

  package func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    let label = shares.firstIndex(of: 1) ?? 0
    let rival = scores.indices.filter { $0 != label }.reduce(label == 0 ? 1 : 0) {
      scores[$1] > scores[$0] ? $1 : $0
    }
    let gap = Double(margin) + scores[rival] - scores[label]
    var slopes = [Double](repeating: 0, count: scores.count)
    if gap > 0 { (slopes[label], slopes[rival]) = (-1, 1) }
    return (gap < 0 ? 0 : gap, slopes)
  }

  package func pieces(_ names: PixelNames) -> PixelPieces {
    PixelPieces(
      work: [
        names.fragment(
          "multiclass_hinge_loss",
          ["cells": names.cells, "score": names.score, "margin": cFloat(margin)])
      ],
      slopes: [
        names.fragment(
          "multiclass_hinge_loss_slopes",
          [
            "cells": names.cells, "slope": names.slope, "store": names.store,
            "weighted": names.weighted,
          ])
      ], support: [])
  }
}

extension MultiClassHinge: RegisteredLoss {
  public static let settings: [SettingSpec] = [.margin, .ignoredLabel, .weights]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      margin: try settings.float("margin"), ignoredLabel: try settings.ignoredLabel(),
      weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "margin": SettingValue(margin), "ignoredLabel": .label(ignoredLabel),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(MultiClassHinge(), prediction: [2, 5]),
    LossExample(MultiClassHinge(margin: 0.5, ignoredLabel: 255), prediction: [2, 3, 4, 5]),
    LossExample(MultiClassHinge(weights: .samples), prediction: [2, 7]),
  ]
}
