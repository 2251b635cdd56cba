import ConvcIR
import ConvcReference
import Glibc

/// Sparse categorical cross-entropy: of the softmax of scores against class labels, computed as one stable expression,
/// `l = log Σ exp(x_d − max) − (x_label − max)`.
///
/// The lecture prints the fused form without its minus sign; the log-likelihood is `x_c − log Σ e^(x_d)`, the loss its
/// negative. ``CategoricalCrossEntropy`` gives the same value for one-hot targets.
///
/// - Prediction: scores (logits) `[N, K]`, or a score for each pixel `[N, K, H, W]`. An untrained network that finds all
///   classes as likely has the loss `ln K`.
/// - Target: labels `[N]` or `[N, H, W]`, `int32` in `0..<K`, or the `ignoredLabel`, of places that count as without loss.
/// - `labelSmoothing` ε: the target is `1 − ε + ε / K` for the label and `ε / K` for others. `classWeights` c: with
///   `u_k = c_k · target_k` the loss is `−Σ_k u_k log softmax(x)_k`, as PyTorch has it.
/// - Value: mean over the pixels and the batch; see ``Loss``. Gradient: `softmax(x) · Σ u − u`.
/// - Errors: an output of probabilities; fewer than two classes; class weights of another number than classes; a label out
///   of range, before anything runs.
/// - Source: ONNX `SoftmaxCrossEntropyLoss`, opset 13; label smoothing: Szegedy et al. 2016.
public struct SoftmaxCrossEntropy: Loss {
  public static let kind = "softmax-cross-entropy"

  /// The label of places that are left out; nil: there are none.
  public let ignoredLabel: Int32?
  public let labelSmoothing: Float
  /// A factor for each class; empty: all 1.
  public let classWeights: [Float]
  public let weights: LossWeights

  public init(
    ignoredLabel: Int32? = nil, labelSmoothing: Float = 0, classWeights: [Float] = [],
    weights: LossWeights = .none
  ) {
    self.ignoredLabel = ignoredLabel
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    .scores(instead: [
      .probabilities: "NegativeLogLikelihood(form: .probabilities)",
      .logProbabilities: "NegativeLogLikelihood()",
      .shares: "BinaryCrossEntropy(form: .probabilities)",
    ])
  }

  /// Whether nothing but labels and scores counts: then the kernels are simpler.
  var isPlain: Bool {
    ignoredLabel == nil && labelSmoothing == 0 && classWeights.isEmpty && weights == .none
  }
}

extension SoftmaxCrossEntropy: PixelLoss {
  private var shares: ClassShares {
    ClassShares(smoothing: labelSmoothing, classWeights: classWeights)
  }

  package var ignored: Int32? { ignoredLabel }
  package var takesLabels: Bool { true }
  package var title: String { "softmax and cross-entropy" }

  package func check(_ prediction: TensorType) throws(LayerError) {
    try expectClasses(
      prediction, atLeast: 2,
      why: "a softmax over one class is always 1; give the last layer at least 2 outputs")
    try shares.check(classes: prediction.shape[1])
  }

  package func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double]) {
    self.shares.judgeScores(scores, shares)
  }

  package func pieces(_ names: PixelNames) -> PixelPieces { shares.scorePieces(names) }

  public func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    let cells = prediction.maps.w * (prediction.layout == .lanes ? prediction.lanes : 1)
    // The plain kernels keep whole rows on the stack.
    guard isPlain, cells <= 1 << 12 else { return pixelCalls(for: context) }
    return prediction.isMaps ? plainPixelCalls(for: context) : plainCalls(for: context)
  }
}

extension SoftmaxCrossEntropy: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .ignoredLabel, .labelSmoothing, .classWeights, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      ignoredLabel: try settings.ignoredLabel(),
      labelSmoothing: try settings.float("labelSmoothing"),
      classWeights: try settings.classWeights(), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "ignoredLabel": .label(ignoredLabel), "labelSmoothing": SettingValue(labelSmoothing),
      "classWeights": .floats(classWeights), "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(SoftmaxCrossEntropy(), prediction: [2, 5]),
    LossExample(SoftmaxCrossEntropy(), prediction: [2, 3, 4, 5]),
    LossExample(
      SoftmaxCrossEntropy(ignoredLabel: 255, weights: .pixels), prediction: [2, 3, 4, 5]),
    LossExample(
      SoftmaxCrossEntropy(
        ignoredLabel: -1, labelSmoothing: 0.1, classWeights: [1, 0.5, 2], weights: .samples),
      prediction: [2, 3]),
    LossExample(SoftmaxCrossEntropy(labelSmoothing: 0.2), prediction: [2, 3, 4, 5]),
  ]
}
