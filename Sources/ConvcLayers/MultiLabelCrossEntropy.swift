import ConvcIR
import ConvcReference

/// Binary cross-entropy of each class, added up over the classes: `l = −Σ_k [t_k ln y_k + (1 − t_k) ln(1 − y_k)]`.
///
/// Each class is a question of its own: an image may have several, or none. This is what the K-class slide of the first
/// lecture prints for softmax outputs. It is **not** the categorical cross-entropy `−Σ_k t_k ln y_k`
/// (``CategoricalCrossEntropy``): there the second term is missing, since with exactly one class an image the softmax
/// already takes from the others what it gives to one. With softmax outputs and one class an image the second term
/// counts each mistake again; the usual partner of this loss is a sigmoid for each class, which `form: .logits` has in it.
///
/// - Prediction: scores `[N, K]` or `[N, K, H, W]`, or probabilities (of `Sigmoid()` or `Softmax()`), kept in
///   `2⁻²³...1 − 2⁻²³`. Target: values in 0...1 of the same shape.
/// - Gradient: `y_k − t_k` by scores.
/// - Value: the sum over the classes, the mean over the pixels and the batch; see ``Loss``.
/// - Errors: an output that does not fit the form; weights of pixels for features.
public struct MultiLabelCrossEntropy: Loss {
  public static let kind = "multi-label-cross-entropy"

  public let form: PredictionForm
  /// Factor of the labels that an image has.
  public let positiveWeight: Float
  public let weights: LossWeights

  public init(
    form: PredictionForm = .logits, positiveWeight: Float = 1, weights: LossWeights = .none
  ) {
    self.form = form
    self.positiveWeight = positiveWeight
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    values.expectedOutput(of: "MultiLabelCrossEntropy")
  }

  private var values: BinaryValues { BinaryValues(form: form, positiveWeight: positiveWeight) }
}

extension MultiLabelCrossEntropy: ValueLoss {
  package var reduction: LossReduction { .channelSum }
  package var title: String { "\(values.title) of each class" }
  package var targetValues: TargetValues? { .shares }
  package var support: [String] { values.support }

  package func check(_ prediction: TensorType) throws(LayerError) { try values.check() }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    values.judge(p, t)
  }

  package func pieces(layer: String) -> [Fragment] { values.pieces(layer: layer) }
}

extension MultiLabelCrossEntropy: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logits, .probabilities]), .positiveWeight, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      form: try settings.choice("form"), positiveWeight: try settings.float("positiveWeight"),
      weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "form": .word(form.rawValue), "positiveWeight": SettingValue(positiveWeight),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(MultiLabelCrossEntropy(), prediction: [2, 5]),
    LossExample(
      MultiLabelCrossEntropy(form: .probabilities, weights: .samples), prediction: [2, 7]),
    LossExample(
      MultiLabelCrossEntropy(positiveWeight: 1.5, weights: .pixels), prediction: [2, 3, 4, 5]),
  ]
}
