import ConvcIR
import Glibc

/// What of each class a cross-entropy wants: the target, smoothed, times the classes' weights.
///
/// `u_k = c_k · ((1 − ε) t_k + ε / K)`: with labels `t` is 1 for the label and 0 for others.
struct ClassShares {
  let smoothing: Float
  /// One a class; empty: all 1.
  let classWeights: [Float]

  func check(classes: Int) throws(LayerError) {
    try expectSmoothing(smoothing)
    try expectClassWeights(classWeights, classes: classes)
  }

  func values(_ shares: [Double]) -> [Double] {
    let rest = Double(smoothing) / Double(shares.count)
    return shares.enumerated().map { k, share in
      (classWeights.isEmpty ? 1 : Double(classWeights[k]))
        * ((1 - Double(smoothing)) * share + rest)
    }
  }

  /// The share of class `k` at cell `i` in C.
  func text(_ names: PixelNames) -> String {
    let rest = Float(Double(smoothing) / Double(names.classes))
    let share: String
    if let goal = names.goal {
      share =
        smoothing == 0 ? goal : "\(cFloat(1 - smoothing)) * \(goal) + \(cFloat(rest))"
    } else {
      let own = Float(1 - Double(smoothing) + Double(smoothing) / Double(names.classes))
      share = "k == wanted[i] ? \(cFloat(own)) : \(cFloat(rest))"
    }
    let separator = names.goal == nil ? " " : "\n    "
    return classWeights.isEmpty ? share : "class_weight[k]\(separator)* (\(share))"
  }

  /// Cross-entropy of the softmax of scores.
  func judgeScores(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    let shares = values(shares)
    let mass = shares.reduce(0, +)
    let largest = scores.reduce(scores[0], max)
    let sum = scores.reduce(0.0) { $0 + exp($1 - largest) }
    let value = zip(scores, shares).reduce(mass * log(sum)) { $0 - $1.1 * ($1.0 - largest) }
    return (value, zip(scores, shares).map { mass * exp($0 - largest) / sum - $1 })
  }

  func scorePieces(_ names: PixelNames) -> PixelPieces {
    let share = text(names)
    return PixelPieces(
      work: [
        names.fragment(
          "cross_entropy_loss",
          ["cells": names.cells, "score": names.score, "share": share])
      ],
      slopes: [
        names.fragment(
          "cross_entropy_loss_slopes",
          [
            "cells": names.cells, "score": names.score, "slope": names.slope, "share": share,
            "store": names.store, "weighted": names.weighted,
          ])
      ], classWeights: classWeights, support: ["support_exp_scalar", "support_log_scalar"])
  }

  /// `−Σ_k u_k · ln p_k`, of probabilities or of their logarithms.
  func judgeProbabilities(
    _ scores: [Double], _ shares: [Double], areLogarithms: Bool
  ) -> (value: Double, slopes: [Double]) {
    let shares = values(shares)
    if areLogarithms {
      return (zip(scores, shares).reduce(0) { $0 - $1.1 * $1.0 }, shares.map { -$0 })
    }
    let least = Double(smallestProbability)
    return (
      zip(scores, shares).reduce(0) { $0 - $1.1 * log(max($1.0, least)) },
      zip(scores, shares).map { $0 < least ? 0 : -$1 / $0 }
    )
  }

  func probabilityPieces(_ names: PixelNames, areLogarithms: Bool) -> PixelPieces {
    let least = cFloat(smallestProbability)
    let share = text(names)
    return PixelPieces(
      work: [
        names.fragment(
          "log_likelihood_loss",
          [
            "cells": names.cells, "score": names.score, "share": share,
            "log": areLogarithms
              ? "score[i]" : "ln_float(score[i] < \(least) ? \(least) : score[i])",
          ])
      ],
      slopes: [
        names.fragment(
          areLogarithms ? "log_likelihood_loss_slopes" : "probability_loss_slopes",
          [
            "cells": names.cells, "slope": names.slope, "share": share, "store": names.store,
            "weighted": names.weighted,
          ].merging(areLogarithms ? [:] : ["score": names.score, "least": least]) { $1 })
      ], classWeights: classWeights,
      support: areLogarithms ? [] : ["support_log_scalar", "support_ln_scalar"])
  }
}
