import ConvcIR
import ConvcReference

/// How unlikely the right class is: `l = −log y_label`.
///
/// - Prediction: log-probabilities `[N, K]` or `[N, K, H, W]`, with `LogSoftmax()` at the end
///   (`form: .logProbabilities`); or probabilities, with `Softmax()` at the end, of which those below 2⁻²³ are taken for it,
///   with a gradient of 0. Of scores ``SoftmaxCrossEntropy`` computes the same in one stable step.
/// - Target: labels `[N]` or `[N, H, W]`, `int32` in `0..<K`, or the `ignoredLabel`, of places that count as without loss.
/// - Gradient: `−c` or `−c / y` at the label with the class's weight `c`, 0 at the others.
/// - Value: the mean over the pixels and the batch; see ``Loss``.
/// - Errors: an output that does not fit the form; class weights of another number than classes; a label out of range.
/// - Source: PyTorch `NLLLoss`; ONNX `NegativeLogLikelihoodLoss`, opset 13.
public struct NegativeLogLikelihood: Loss {
  public static let kind = "negative-log-likelihood"

  public let form: PredictionForm
  /// The label of places that are left out; nil: there are none.
  public let ignoredLabel: Int32?
  /// A factor for each class; empty: all 1.
  public let classWeights: [Float]
  public let weights: LossWeights

  public init(
    form: PredictionForm = .logProbabilities, ignoredLabel: Int32? = nil,
    classWeights: [Float] = [], weights: LossWeights = .none
  ) {
    self.form = form
    self.ignoredLabel = ignoredLabel
    self.classWeights = classWeights
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    form == .probabilities
      ? ExpectedOutput(
        [.probabilities], "probabilities", missingLayer: "Softmax()",
        instead: [.any: "SoftmaxCrossEntropy()", .logProbabilities: "NegativeLogLikelihood()"])
      : ExpectedOutput(
        [.logProbabilities], "log-probabilities", missingLayer: "LogSoftmax()",
        instead: [
          .any: "SoftmaxCrossEntropy()",
          .probabilities: "NegativeLogLikelihood(form: .probabilities)",
        ])
  }
}

extension NegativeLogLikelihood: PixelLoss {
  private var shares: ClassShares { ClassShares(smoothing: 0, classWeights: classWeights) }

  package var ignored: Int32? { ignoredLabel }
  package var takesLabels: Bool { true }
  package var title: String { "negative log-likelihood of \(form.text)" }

  package func check(_ prediction: TensorType) throws(LayerError) {
    guard form != .logits else {
      throw .setting(
        "form logits is not known to this loss; take probabilities or logProbabilities, "
          + "or judge scores by SoftmaxCrossEntropy()")
    }
    try expectClasses(
      prediction, atLeast: 2,
      why: "one class is always right; give the last layer at least 2 outputs")
    try shares.check(classes: prediction.shape[1])
  }

  package func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    self.shares.judgeProbabilities(scores, shares, areLogarithms: form == .logProbabilities)
  }

  package func pieces(_ names: PixelNames) -> PixelPieces {
    shares.probabilityPieces(names, areLogarithms: form == .logProbabilities)
  }
}

extension NegativeLogLikelihood: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logProbabilities, .probabilities]), .ignoredLabel, .classWeights, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      form: try settings.choice("form"), ignoredLabel: try settings.ignoredLabel(),
      classWeights: try settings.classWeights(), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "form": .word(form.rawValue), "ignoredLabel": .label(ignoredLabel),
      "classWeights": .floats(classWeights), "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(NegativeLogLikelihood(), prediction: [2, 5]),
    LossExample(
      NegativeLogLikelihood(form: .probabilities, ignoredLabel: 255), prediction: [2, 3, 4, 5]),
    LossExample(
      NegativeLogLikelihood(classWeights: [1, 0.5, 2], weights: .pixels),
      prediction: [2, 3, 4, 5]),
  ]
}
