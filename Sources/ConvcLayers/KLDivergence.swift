import ConvcIR
import ConvcReference
import Glibc

/// How far predicted probabilities are from those of the target: `l = Σ_k t_k (ln t_k − ln p_k)`, over the classes.
///
/// - Prediction: log-probabilities `[N, K]` or `[N, K, H, W]`, with `LogSoftmax()` at the end (`form: .logProbabilities`),
///   or probabilities. Target: probabilities of the same shape.
/// - Targets of 0 contribute 0. Probabilities below 2⁻²³ are taken for it, with a gradient of 0.
/// - Gradient: `−t_k`, or `−t_k / p_k`.
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: an output that holds no (log-)probabilities; logits as the form; weights of pixels for features.
/// - Source: Kullback and Leibler 1951; PyTorch `KLDivLoss` with reduction `batchmean`.
public struct KLDivergence: Loss {
  public static let kind = "kl-divergence"

  public let form: PredictionForm
  public let weights: LossWeights

  public init(form: PredictionForm = .logProbabilities, weights: LossWeights = .none) {
    self.form = form
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    let soft = "CategoricalCrossEntropy(), which differs by a constant alone"
    return form == .probabilities
      ? ExpectedOutput(
        [.probabilities], "probabilities", missingLayer: "Softmax()",
        instead: [.any: soft, .logProbabilities: "KLDivergence()"])
      : ExpectedOutput(
        [.logProbabilities], "log-probabilities", missingLayer: "LogSoftmax()",
        instead: [.any: soft, .probabilities: "KLDivergence(form: .probabilities)"])
  }
}

extension KLDivergence: ValueLoss {
  package var reduction: LossReduction { .channelSum }
  package var title: String { "Kullback-Leibler divergence" }
  package var targetValues: TargetValues? { .distribution }
  package var support: [String] { ["support_log_scalar", "support_ln_scalar"] }

  package func check(_ prediction: TensorType) throws(LayerError) {
    guard form != .logits else {
      throw .setting(
        "form logits is not known to this loss; take probabilities or logProbabilities, "
          + "or judge scores by CategoricalCrossEntropy()")
    }
  }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    guard t > 0 else { return (0, 0) }
    if form == .logProbabilities { return (t * (log(t) - p), -t) }
    let y = max(p, Double(smallestProbability))
    return (t * (log(t) - log(y)), y == p ? -t / y : 0)
  }

  package func pieces(layer: String) -> [Fragment] {
    form == .logProbabilities
      ? [Fragment(template: "kl_divergence_loss", values: [:], layer: layer)]
      : [
        Fragment(
          template: "kl_probability_loss", values: ["least": cFloat(smallestProbability)],
          layer: layer)
      ]
  }
}

extension KLDivergence: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logProbabilities, .probabilities]), .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(form: try settings.choice("form"), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    ["form": .word(form.rawValue), "weights": .word(weights.rawValue)]
  }

  public static let examples = [
    LossExample(KLDivergence(), prediction: [2, 5]),
    LossExample(KLDivergence(form: .probabilities, weights: .samples), prediction: [2, 7]),
    LossExample(KLDivergence(weights: .pixels), prediction: [2, 3, 4, 5]),
  ]
}
