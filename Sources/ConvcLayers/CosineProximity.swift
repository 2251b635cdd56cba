import ConvcIR
import ConvcReference

/// How well the direction of the prediction is that of the target: `l = −(p · t) / (|p| |t|)`, between −1 and 1.
///
/// - Prediction and target: one shape `[N, K]`, or `[N, K, H, W]`, whose pixels are judged each by itself.
/// - **Zero vectors**: where prediction or target is all zero, loss and gradient are 0.
/// - Gradient: `−(t / |t| − cos · p / |p|) / |p|`.
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: weights of pixels for features.
/// - Source: Keras `CosineSimilarity` (once `cosine_proximity`), whose sign this is.
public struct CosineProximity: Loss {
  public static let kind = "cosine-proximity"

  public let weights: LossWeights

  public init(weights: LossWeights = .none) {
    self.weights = weights
  }
}

extension CosineProximity: PixelLoss {
  package var takesLabels: Bool { false }
  package var title: String { "cosine proximity" }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectClasses(prediction, atLeast: 1, why: "")
  }

  package func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    func length(_ values: [Double]) -> Double {
      values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    let (own, aim) = (length(scores), length(shares))
    guard own != 0, aim != 0 else { return (0, scores.map { _ in 0 }) }
    let cosine = zip(scores, shares).reduce(0) { $0 + $1.0 * $1.1 } / (own * aim)
    return (-cosine, zip(scores, shares).map { ($0 / own * cosine - $1 / aim) / own })
  }

  package func pieces(_ names: PixelNames) -> PixelPieces {
    guard let goal = names.goal else {
      preconditionFailure("internal error: \(Self.kind) compares with values")
    }
    return PixelPieces(
      work: [
        names.fragment(
          "cosine_loss", ["cells": names.cells, "score": names.score, "goal": goal])
      ],
      slopes: [
        names.fragment(
          "cosine_loss_slopes",
          [
            "cells": names.cells, "score": names.score, "slope": names.slope, "goal": goal,
            "store": names.store, "weighted": names.weighted,
          ])
      ], support: [])
  }
}

extension CosineProximity: RegisteredLoss {
  public static let settings: [SettingSpec] = [.weights]

  public init(settings: Settings) throws(SettingError) {
    self.init(weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] { ["weights": .word(weights.rawValue)] }

  public static let examples = [
    LossExample(CosineProximity(), prediction: [2, 5]),
    LossExample(CosineProximity(), prediction: [2, 3, 4, 5]),
    LossExample(CosineProximity(weights: .pixels), prediction: [2, 7, 2, 3]),
  ]
}
