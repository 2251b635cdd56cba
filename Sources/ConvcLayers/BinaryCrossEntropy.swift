import ConvcIR
import ConvcReference
import Glibc

/// Cross-entropy of two classes: `l = −q t ln y − (1 − t) ln(1 − y)`, of each value by itself.
///
/// - Prediction: scores, of which the loss takes the sigmoid `y` itself (`form: .logits`): stable for scores of any size, as
///   `max(p, 0) − p t + ln(1 + e^−|p|)`; or probabilities `y`, with `Sigmoid()` at the end, kept in `2⁻²³...1 − 2⁻²³`, beyond
///   which the gradient is 0.
/// - Target: values in 0...1 of the prediction's shape (`takesLabels: false`), or labels 0 and 1, `int32`, `[N]` or
///   `[N, H, W]`, of a prediction with one score. Class 1 is predicted where the score is above 0, the probability above ½.
/// - `positiveWeight`: the factor `q` of class 1.
/// - Gradient: `y − t` by scores, `(y − t) / (y (1 − y))` by probabilities, for `q = 1`.
/// - Value: the mean over all values of the batch; see ``Loss``. ``MultiLabelCrossEntropy`` takes the sum over the classes.
/// - Errors: an output that does not fit the form; labels for several scores; weights of pixels for features.
/// - Source: PyTorch `BCEWithLogitsLoss` and `BCELoss`, which cuts logarithms off at −100 instead.
public struct BinaryCrossEntropy: Loss {
  public static let kind = "binary-cross-entropy"

  public let form: PredictionForm
  public let takesLabels: Bool
  public let positiveWeight: Float
  public let weights: LossWeights

  public init(
    form: PredictionForm = .logits, takesLabels: Bool = false, positiveWeight: Float = 1,
    weights: LossWeights = .none
  ) {
    self.form = form
    self.takesLabels = takesLabels
    self.positiveWeight = positiveWeight
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput { values.expectedOutput(of: "BinaryCrossEntropy") }

  private var values: BinaryValues { BinaryValues(form: form, positiveWeight: positiveWeight) }
}

extension BinaryCrossEntropy: ValueLoss {
  package var reduction: LossReduction { .mean }
  package var title: String { values.title }
  package var targetValues: TargetValues? { takesLabels ? nil : .shares }
  package var decision: LabelRange.Decision { .above(form == .logits ? 0 : 0.5) }
  package var support: [String] { values.support }

  package func check(_ prediction: TensorType) throws(LayerError) { try values.check() }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    values.judge(p, t)
  }

  package func pieces(layer: String) -> [Fragment] { values.pieces(layer: layer) }
}

extension BinaryCrossEntropy: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logits, .probabilities]),
    SettingSpec(
      "takesLabels", .boolean, default: .boolean(false),
      "whether targets are labels 0 and 1 of one score, not values in 0...1"),
    .positiveWeight, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      form: try settings.choice("form"), takesLabels: try settings.boolean("takesLabels"),
      positiveWeight: try settings.float("positiveWeight"),
      weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "form": .word(form.rawValue), "takesLabels": .boolean(takesLabels),
      "positiveWeight": SettingValue(positiveWeight), "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(BinaryCrossEntropy(), prediction: [2, 5]),
    LossExample(BinaryCrossEntropy(form: .probabilities), prediction: [2, 3, 4, 5]),
    LossExample(BinaryCrossEntropy(takesLabels: true, weights: .samples), prediction: [2, 1]),
    LossExample(
      BinaryCrossEntropy(
        form: .probabilities, takesLabels: true, positiveWeight: 2.5, weights: .pixels),
      prediction: [2, 1, 4, 5]),
    LossExample(BinaryCrossEntropy(positiveWeight: 3, weights: .pixels), prediction: [2, 3, 4, 5]),
  ]
}

/// The cross-entropy of one value, which two losses share.
struct BinaryValues {
  let form: PredictionForm
  let positiveWeight: Float

  func expectedOutput(of name: String) -> ExpectedOutput {
    form == .logits
      ? .scores(instead: [
        .shares: "\(name)(form: .probabilities)", .probabilities: "\(name)(form: .probabilities)",
      ])
      : ExpectedOutput(
        [.shares, .probabilities], "probabilities", missingLayer: "Sigmoid()",
        instead: [.any: "\(name)(form: .logits)"])
  }

  var title: String {
    form == .logits ? "sigmoid and binary cross-entropy" : "binary cross-entropy"
  }

  var support: [String] {
    form == .logits
      ? ["support_exp_scalar", "support_softplus_scalar"]
      : ["support_log_scalar", "support_ln_scalar"]
  }

  func check() throws(LayerError) {
    guard form != .logProbabilities else {
      throw .setting(
        "form logProbabilities is not known to this loss; take logits or probabilities")
    }
    try expectNumber(positiveWeight, "positiveWeight", above: 0, usual: "1")
  }

  func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    let q = Double(positiveWeight)
    if form == .logits {
      let rest = log1p(exp(-p.magnitude))
      let above = max(p, 0) + rest
      let below = max(-p, 0) + rest
      return (q * t * below + (1 - t) * above, (1 - t) * sigmoid(p) - q * t * sigmoid(-p))
    }
    let least = Double(smallestProbability)
    let y = min(max(p, least), 1 - least)
    return (
      -q * t * log(y) - (1 - t) * log(1 - y), y == p ? (1 - t) / (1 - y) - q * t / y : 0
    )
  }

  func pieces(layer: String) -> [Fragment] {
    let isPlain = positiveWeight == 1
    let (q, more) = (cFloat(positiveWeight), cFloat(positiveWeight - 1))
    if form == .logits {
      let value =
        isPlain
        ? "(p < 0.0f ? 0.0f : p) - p * t + rest"
        : "p - p * t + (1.0f + \(more) * t) * (rest + (p < 0.0f ? -p : 0.0f))"
      let slope =
        isPlain
        ? "1.0f / (1.0f + exp_float(-p)) - t"
        : "1.0f - t - (1.0f + \(more) * t) / (1.0f + exp_float(p))"
      return [
        Fragment(
          template: "binary_cross_entropy_loss", values: ["value": value, "slope": slope],
          layer: layer)
      ]
    }
    let factor = isPlain ? "" : "\(q) * "
    return [
      Fragment(
        template: "binary_probability_loss",
        values: [
          "least": cFloat(smallestProbability),
          "value": "(t - 1.0f) * ln_float(1.0f - y) - \(factor)t * ln_float(y)",
          "slope": isPlain
            ? "(y - t) / (y * (1.0f - y))" : "(1.0f - t) / (1.0f - y) - \(factor)t / y",
        ], layer: layer)
    ]
  }
}
