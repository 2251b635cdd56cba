import ConvcIR
import ConvcReference
import Glibc

/// One less the soft Dice score of a segmentation: how little the predicted regions overlap the true ones.
///
/// Of each image and class `d_k = (2 Σ y g + s) / (Σ y + Σ g + s)` over the pixels, with the probability `y` of the class, `g` 1
/// where the label is the class and else 0, and the smoothing `s`; `l = 1 − (1/K) Σ_k d_k`. The smoothing gives a class that an
/// image neither has nor predicts the score 1, and a gradient to one that it has but does not predict.
///
/// - Prediction: scores `[N, K, H, W]`, of which the loss takes the softmax over the classes itself, or with one class the
///   sigmoid (`form: .logits`); or probabilities, with `Softmax()` or `Sigmoid()` at the end.
/// - Target: labels `[N, H, W]`, `int32` in `0..<K`, with one class 0 and 1, whose score is that of the label 1; or the
///   `ignoredLabel`, of pixels that are left out of all sums.
/// - Gradient: by `y_k` of a pixel `−(2 g − d_k) / (K (Σ y + Σ g + s))`, then through the softmax or sigmoid.
/// - Value: of each image by itself, the mean over the batch; see ``Loss``. Weights are those of samples.
/// - Errors: features; an output that does not fit the form; a smoothing not above 0; weights of pixels; more than 1024
///   classes; a label out of range.
/// - Source: Milletari et al. 2016 with `Σ y` for `Σ y²`, as in Sudre et al. 2017.
public struct Dice: Loss {
  public static let kind = "dice"

  public let form: PredictionForm
  public let smoothing: Float
  /// The label of pixels that are left out; nil: there are none.
  public let ignoredLabel: Int32?
  public let weights: LossWeights

  public init(
    form: PredictionForm = .logits, smoothing: Float = 1, ignoredLabel: Int32? = nil,
    weights: LossWeights = .none
  ) {
    self.form = form
    self.smoothing = smoothing
    self.ignoredLabel = ignoredLabel
    self.weights = weights
  }

  public var expectedOutput: ExpectedOutput {
    form == .logits
      ? .scores(instead: [
        .probabilities: "Dice(form: .probabilities)", .shares: "Dice(form: .probabilities)",
      ])
      : ExpectedOutput(
        [.probabilities, .shares], "probabilities", missingLayer: "Softmax()",
        instead: [.any: "Dice(form: .logits)"])
  }

  public func targets(for prediction: TensorType) throws(LayerError) -> [LossTarget] {
    guard prediction.shape.count > 2 else {
      throw .rank(
        expected: 4, got: prediction.shape,
        wayOut:
          "judge the classes of each pixel, [N, K, H, W]; for images take SoftmaxCrossEntropy()")
    }
    guard form != .logProbabilities else {
      throw .setting(
        "form logProbabilities is not known to this loss; take logits or probabilities")
    }
    guard weights != .pixels else {
      throw .setting(
        "weights of pixels have no part in this loss; take weights of samples, or an ignored label")
    }
    let classes = prediction.shape[1]
    guard classes <= 1024 else {
      throw .setting("\(classes) classes are too many; at most 1024 work")
    }
    try expectNumber(smoothing, "smoothing", above: 0, usual: "1")
    let range =
      classes == 1
      ? LabelRange(
        classes: 2, ignored: ignoredLabel, decision: .above(form == .logits ? 0 : 0.5))
      : LabelRange(classes: classes, ignored: ignoredLabel)
    return [LossTarget(type: labelType(for: prediction), labels: range)]
      + (try weights.targets(for: prediction))
  }
}

extension Dice: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    .form([.logits, .probabilities]),
    SettingSpec(
      "smoothing", .number, default: .number(1), "what is added above and below the fraction"),
    .ignoredLabel,
    SettingSpec(
      "weights", .word(["none", "samples"]), default: .word("none"),
      "factors that the caller passes: none, or one a sample"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      form: try settings.choice("form"), smoothing: try settings.float("smoothing"),
      ignoredLabel: try settings.ignoredLabel(), weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "form": .word(form.rawValue), "smoothing": SettingValue(smoothing),
      "ignoredLabel": .label(ignoredLabel), "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(Dice(), prediction: [2, 3, 4, 5]),
    LossExample(Dice(smoothing: 0.5, ignoredLabel: 255), prediction: [2, 1, 4, 5]),
    LossExample(Dice(form: .probabilities, weights: .samples), prediction: [2, 3, 4, 5]),
  ]
}

// MARK: Reference

extension Dice {
  public func sum(over batch: JudgedBatch) -> Double {
    let factors = batch.others.first?.assumingMemoryBound(to: Float.self)
    return total(
      images: batch.images, extents: batch.extents, x: { Double(batch.predictions[$0]) },
      label: { batch.labels[$0] }, weight: { image in factors.map { Double($0[image]) } ?? 1 },
      slope: { _, _ in })
  }

  public func evaluate(
    _ prediction: DoubleTensor, _ targets: [ReferenceSample.Target]
  ) -> LossResult {
    let gradient = DoubleTensor(shape: prediction.shape)
    let images = Double(prediction.shape[0])
    let labels = targets[0].labels
    let value = total(
      images: prediction.shape[0], extents: Array(prediction.shape.dropFirst()),
      x: { prediction.address[$0] }, label: { labels[$0] },
      weight: { targets.count > 1 ? Double(targets[1].values[$0]) : 1 },
      slope: { gradient.address[$0] = $1 / images })
    return LossResult(value: value / images, gradient: gradient)
  }

  private func total(
    images: Int, extents: [Int], x: (Int) -> Double, label: (Int) -> Int32,
    weight: (Int) -> Double, slope: (Int, Double) -> Void
  ) -> Double {
    let (classes, pixels) = (extents[0], extents.dropFirst().reduce(1, *))
    let own = { (k: Int) in Int32(classes == 1 ? 1 : k) }
    var total = 0.0
    for image in 0..<images {
      let first = image * classes * pixels
      let counted = (0..<pixels).filter { label(image * pixels + $0) != ignoredLabel }
      var both = [Double](repeating: 0, count: classes)
      var mass = both
      for pixel in counted {
        let shares = shares((0..<classes).map { x(first + $0 * pixels + pixel) })
        for k in 0..<classes {
          let truth = label(image * pixels + pixel) == own(k) ? 1.0 : 0
          both[k] += shares[k] * truth
          mass[k] += shares[k] + truth
        }
      }
      let s = Double(smoothing)
      let scores = zip(both, mass).map { (2 * $0 + s) / ($1 + s) }
      let factor = weight(image) / Double(classes)
      total += factor * scores.reduce(0) { $0 + 1 - $1 }
      for pixel in counted {
        let shares = shares((0..<classes).map { x(first + $0 * pixels + pixel) })
        let slopes = (0..<classes).map { k in
          let truth = label(image * pixels + pixel) == own(k) ? 1.0 : 0
          return -factor * (2 * truth - scores[k]) / (mass[k] + s)
        }
        for (k, derivative) in derivatives(slopes, shares).enumerated() {
          slope(first + k * pixels + pixel, derivative)
        }
      }
    }
    return total
  }

  /// The probabilities of a pixel's classes.
  private func shares(_ x: [Double]) -> [Double] {
    if form == .probabilities { return x }
    if x.count == 1 { return x.map { 1 / (1 + exp(-$0)) } }
    let largest = x.reduce(x[0], max)
    let sum = x.reduce(0) { $0 + exp($1 - largest) }
    return x.map { exp($0 - largest) / sum }
  }

  /// Derivatives by the prediction from those by the probabilities.
  private func derivatives(_ slopes: [Double], _ shares: [Double]) -> [Double] {
    if form == .probabilities { return slopes }
    if slopes.count == 1 { return [slopes[0] * shares[0] * (1 - shares[0])] }
    let mean = zip(slopes, shares).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(slopes, shares).map { $1 * ($0 - mean) }
  }
}
