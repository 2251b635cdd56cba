import ConvcIR
import ConvcReference

/// Cross-entropy against a share for each class, one-hot or soft: `l = −Σ_k t_k log y_k`.
///
/// - Prediction: scores `[N, K]` or `[N, K, H, W]`, of which the loss takes the softmax `y` itself (`form: .logits`, stable
///   for scores of any size); or probabilities, with `Softmax()` at the end, of which those below 2⁻²³ are taken for it, with
///   a gradient of 0.
/// - Target: shares of the same shape, at least 0, of each pixel with the sum 1. One-hot shares give the value of
///   ``SoftmaxCrossEntropy``, which needs labels alone.
/// - `labelSmoothing` ε takes `t` to `(1 − ε) t + ε / K`; `classWeights` are factors of the shares.
/// - Gradient: by scores `y · Σ u − u` with the shares `u`, by probabilities `−u / y`.
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: an output that does not fit the form; fewer than two classes; class weights of another number than classes.
/// - Source: PyTorch `CrossEntropyLoss` with class probabilities; Keras `CategoricalCrossentropy`.
public struct CategoricalCrossEntropy: Loss {
  public static let kind = "categorical-cross-entropy"

  public let form: PredictionForm
  public let labelSmoothing: Float
  /// A factor for each class; empty: all 1.
  public let classWeights: [Float]
  public let weights: LossWeights

  public init(
    form: PredictionForm = .logits, labelSmoothing: Float = 0, classWeights: [Float] = [],
    weights: LossWeights = .none
  ) {
    self.form = form
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    switch form {
    case .logits:
      .scores(instead: [
        .probabilities: "CategoricalCrossEntropy(form: .probabilities)",
        .logProbabilities: "CategoricalCrossEntropy(form: .logProbabilities)",
        .shares: "BinaryCrossEntropy(form: .probabilities)",
      ])
    case .probabilities:
      ExpectedOutput(
        [.probabilities], "probabilities", missingLayer: "Softmax()",
        instead: [
          .any: "CategoricalCrossEntropy(form: .logits)",
          .logProbabilities: "CategoricalCrossEntropy(form: .logProbabilities)",
          .shares: "BinaryCrossEntropy(form: .probabilities)",
        ])
    case .logProbabilities:
      ExpectedOutput(
        [.logProbabilities], "log-probabilities", missingLayer: "LogSoftmax()",
        instead: [
          .any: "CategoricalCrossEntropy(form: .logits)",
          .probabilities: "CategoricalCrossEntropy(form: .probabilities)",
        ])
    }
  }
}

extension CategoricalCrossEntropy: PixelLoss {
  private var shares: ClassShares {
    ClassShares(smoothing: labelSmoothing, classWeights: classWeights)
  }

  package var takesLabels: Bool { false }
  package var targetValues: TargetValues { .distribution }
  package var title: String {
    form == .logits ? "softmax and cross-entropy" : "cross-entropy of \(form.text)"
  }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectClasses(
      prediction, atLeast: 2,
      why: "a softmax over one class is always 1; give the last layer at least 2 outputs")
    try shares.check(classes: prediction.shape[1])
  }

  package func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    form == .logits
      ? self.shares.judgeScores(scores, shares)
      : self.shares.judgeProbabilities(
        scores, shares, areLogarithms: form == .logProbabilities)
  }

  package func pieces(_ names: PixelNames) -> PixelPieces {
    form == .logits
      ? shares.scorePieces(names)
      : shares.probabilityPieces(names, areLogarithms: form == .logProbabilities)
  }
}

extension CategoricalCrossEntropy: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logits, .probabilities, .logProbabilities]), .labelSmoothing, .classWeights, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      form: try settings.choice("form"), labelSmoothing: try settings.float("labelSmoothing"),
      classWeights: try settings.classWeights(), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "form": .word(form.rawValue), "labelSmoothing": SettingValue(labelSmoothing),
      "classWeights": .floats(classWeights), "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(CategoricalCrossEntropy(), prediction: [2, 5]),
    LossExample(
      CategoricalCrossEntropy(labelSmoothing: 0.1, classWeights: [1, 0.5, 2]),
      prediction: [2, 3, 4, 5]),
    LossExample(
      CategoricalCrossEntropy(form: .probabilities, weights: .samples), prediction: [2, 5]),
    LossExample(
      CategoricalCrossEntropy(form: .logProbabilities, weights: .pixels),
      prediction: [2, 3, 4, 5]),
  ]
}
