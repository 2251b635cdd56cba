import ConvcIR
import ConvcReference
import Glibc

/// How unlikely counts are under the rates that a network predicts, but for what does not depend on the prediction.
///
/// Of rates (`isLogarithmic: false`, with `Softplus()` at the end) `l = p − t ln p`, gradient `1 − t / p`; of their
/// logarithms (the usual form) `l = e^p − t p`, gradient `e^p − t`.
///
/// - Prediction and target: one shape `[N, ...]`; targets are counts, at least 0.
/// - Rates below 2⁻²³ are taken for it in the logarithm, whose gradient is 0 there.
/// - Value: mean over the values of the batch; see ``Loss``. The constant `ln t!` is left out, as in Keras and PyTorch.
/// - Errors: rates of a layer that may give less than 0; weights of pixels for features.
/// - Source: PyTorch `PoissonNLLLoss`, Keras `Poisson`.
public struct Poisson: Loss {
  public static let kind = "poisson"

  /// Whether predictions are logarithms of rates.
  public let isLogarithmic: Bool
  public let reduction: LossReduction
  public let weights: LossWeights

  public init(
    isLogarithmic: Bool = true, reduction: LossReduction = .mean, weights: LossWeights = .none
  ) {
    self.isLogarithmic = isLogarithmic
    self.reduction = reduction
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    isLogarithmic
      ? .scores(instead: [
        .shares: "Poisson(isLogarithmic: false)", .probabilities: "Poisson(isLogarithmic: false)",
      ])
      : ExpectedOutput(
        [.nonNegative, .shares, .probabilities], "rates of at least 0", missingLayer: "Softplus()",
        instead: [.any: "Poisson()", .logProbabilities: "Poisson()"])
  }
}

extension Poisson: ValueLoss {
  package var title: String { isLogarithmic ? "Poisson loss of log-rates" : "Poisson loss" }
  package var targetValues: TargetValues? { .counts }
  package var support: [String] {
    isLogarithmic ? ["support_exp_scalar"] : ["support_log_scalar", "support_ln_scalar"]
  }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    if isLogarithmic { return (exp(p) - t * p, exp(p) - t) }
    let y = max(p, Double(smallestProbability))
    return (p - t * log(y), 1 - (y == p ? t / y : 0))
  }

  package func pieces(layer: String) -> [Fragment] {
    isLogarithmic
      ? [Fragment(template: "poisson_log_loss", values: [:], layer: layer)]
      : [
        Fragment(
          template: "poisson_loss", values: ["least": cFloat(smallestProbability)], layer: layer)
      ]
  }
}

extension Poisson: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    SettingSpec(
      "isLogarithmic", .boolean, default: .boolean(true),
      "whether predictions are logarithms of rates"), .reduction, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      isLogarithmic: try settings.boolean("isLogarithmic"),
      reduction: try settings.choice("reduction"), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "isLogarithmic": .boolean(isLogarithmic), "reduction": .word(reduction.rawValue),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(Poisson(), prediction: [2, 5]),
    LossExample(Poisson(isLogarithmic: false), prediction: [2, 3, 4, 5]),
    LossExample(Poisson(weights: .pixels), prediction: [2, 3, 4, 5]),
  ]
}
