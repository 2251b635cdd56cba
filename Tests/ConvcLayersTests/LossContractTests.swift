import Convc
import ConvcTestSupport
import Testing

/// Every loss in every layout: features and maps, odd sizes, one image, fewer images than it was built for, classes that are
/// no multiple of the lanes, and all settings.
@Suite("Losses keep their contract")
struct LossContractTests {
  /// The cases of one loss.
  struct Group: Sendable, CustomTestStringConvertible {
    let name: String
    let cases: [LossCase]
    var testDescription: String { name }

    init(_ name: String, _ cases: LossCase...) {
      self.name = name
      self.cases = cases
    }
  }

  static let ofValues = [
    Group(
      "MeanSquaredError",
      LossCase("mse", MeanSquaredError(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "mse_missing", MeanSquaredError(reduction: .sum, masksMissing: true), prediction: [1, 19]),
      LossCase("mse_maps", MeanSquaredError(weights: .pixels), prediction: [2, 17, 2, 3]),
      LossCase(
        "mse_channels",
        MeanSquaredError(reduction: .channelSum, masksMissing: true, weights: .samples),
        prediction: [2, 3, 5, 3], maximumBatch: 3)),
    Group(
      "MeanAbsoluteError",
      LossCase("mae", MeanAbsoluteError(), prediction: [5, 7], maximumBatch: 18),
      LossCase("mae_maps", MeanAbsoluteError(weights: .pixels), prediction: [1, 17, 2, 3]),
      LossCase(
        "mae_sum", MeanAbsoluteError(reduction: .sum, weights: .samples),
        prediction: [3, 3, 5, 7])),
    Group(
      "Huber", LossCase("huber", Huber(), prediction: [5, 7], maximumBatch: 18),
      LossCase("huber_maps", Huber(delta: 0.5, weights: .pixels), prediction: [1, 17, 2, 3]),
      LossCase(
        "huber_sum", Huber(delta: 2, reduction: .sum, weights: .samples), prediction: [3, 19])),
    Group(
      "Poisson", LossCase("poisson", Poisson(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "poisson_rates", Poisson(isLogarithmic: false), prediction: [1, 3, 5, 7],
        after: Softplus()),
      LossCase("poisson_maps", Poisson(weights: .pixels), prediction: [2, 17, 2, 3])),
    Group(
      "KLDivergence",
      LossCase("kl", KLDivergence(), prediction: [5, 7], maximumBatch: 18, after: Tanh()),
      LossCase(
        "kl_probabilities", KLDivergence(form: .probabilities, weights: .samples),
        prediction: [3, 5, 3, 5], after: Sigmoid()),
      LossCase("kl_maps", KLDivergence(weights: .pixels), prediction: [1, 17, 2, 3], after: Tanh())
    ),
    Group(
      "BinaryHinge",
      LossCase("binary_hinge", BinaryHinge(), prediction: [5, 1], maximumBatch: 18),
      LossCase(
        "binary_hinge_maps", BinaryHinge(margin: 0.5, weights: .pixels), prediction: [1, 1, 5, 7]),
      LossCase("binary_hinge_weighted", BinaryHinge(weights: .samples), prediction: [19, 1])),
    Group(
      "BinaryCrossEntropy",
      LossCase("bce", BinaryCrossEntropy(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "bce_probabilities", BinaryCrossEntropy(form: .probabilities), prediction: [2, 17, 2, 3],
        after: Sigmoid()),
      LossCase(
        "bce_labels", BinaryCrossEntropy(takesLabels: true, weights: .samples),
        prediction: [19, 1]),
      LossCase(
        "bce_positive", BinaryCrossEntropy(positiveWeight: 2.5, weights: .pixels),
        prediction: [1, 3, 5, 7]),
      LossCase(
        "bce_label_maps",
        BinaryCrossEntropy(form: .probabilities, takesLabels: true, positiveWeight: 2.5),
        prediction: [2, 1, 5, 7], after: Sigmoid())),
    Group(
      "MultiLabelCrossEntropy",
      LossCase("multi_label", MultiLabelCrossEntropy(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "multi_label_probabilities",
        MultiLabelCrossEntropy(form: .probabilities, weights: .samples), prediction: [1, 19],
        after: Sigmoid()),
      LossCase(
        "multi_label_maps", MultiLabelCrossEntropy(positiveWeight: 1.5, weights: .pixels),
        prediction: [2, 17, 2, 3])),
    Group(
      "CustomLoss",
      LossCase(
        "custom", CustomLoss { p, t in .log(1 + .square(p - t)) + 0.1 * .softplus(p * t) },
        prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "custom_choice",
        CustomLoss(weights: .pixels) { p, t in
          .where(p, lessThan: t, .square(t - p), else: 0.5 * .abs(p - t))
        }, prediction: [1, 17, 2, 3]),
      LossCase(
        "custom_extremes",
        CustomLoss(reduction: .sum, weights: .samples) { p, t in
          .max(.tanh(p) - t, 0.25 * (t - p)) + .min(.sigmoid(p), 0.5) / (1 + .exp(t))
        }, prediction: [3, 19]),
      LossCase(
        "custom_powers",
        CustomLoss { p, t in .sqrt(0.01 + .pow(p - t, 4)) + .pow(2 + .tanh(p), -1.5) },
        prediction: [2, 3, 5, 3], maximumBatch: 3)),
  ]

  static let ofClasses = [
    Group(
      "SoftmaxCrossEntropy",
      LossCase("softmax", SoftmaxCrossEntropy(), prediction: [5, 7], maximumBatch: 18),
      LossCase("softmax_maps", SoftmaxCrossEntropy(), prediction: [2, 17, 2, 3]),
      LossCase(
        "softmax_ignoring", SoftmaxCrossEntropy(ignoredLabel: 255, weights: .pixels),
        prediction: [1, 3, 5, 7], maximumBatch: 2),
      LossCase(
        "softmax_weighted",
        SoftmaxCrossEntropy(
          ignoredLabel: -1, labelSmoothing: 0.1, classWeights: [1, 0.5, 2], weights: .samples),
        prediction: [19, 3]),
      LossCase(
        "softmax_smoothed", SoftmaxCrossEntropy(labelSmoothing: 0.2), prediction: [2, 17, 5, 3]),
      LossCase("softmax_wide", SoftmaxCrossEntropy(), prediction: [1, 2, 1, 4100])),
    Group(
      "CategoricalCrossEntropy",
      LossCase("categorical", CategoricalCrossEntropy(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "categorical_smoothed",
        CategoricalCrossEntropy(labelSmoothing: 0.1, classWeights: [1, 0.5, 2]),
        prediction: [3, 3, 5, 7]),
      LossCase(
        "categorical_probabilities",
        CategoricalCrossEntropy(form: .probabilities, weights: .samples), prediction: [19, 5],
        after: Sigmoid()),
      LossCase(
        "categorical_logarithms",
        CategoricalCrossEntropy(form: .logProbabilities, weights: .pixels),
        prediction: [1, 17, 2, 3], after: Tanh())),
    Group(
      "NegativeLogLikelihood",
      LossCase(
        "likelihood", NegativeLogLikelihood(), prediction: [5, 7], maximumBatch: 18, after: Tanh()),
      LossCase(
        "likelihood_probabilities", NegativeLogLikelihood(form: .probabilities, ignoredLabel: 255),
        prediction: [2, 17, 2, 3], after: Sigmoid()),
      LossCase(
        "likelihood_weighted",
        NegativeLogLikelihood(classWeights: [1, 0.5, 2], weights: .pixels),
        prediction: [1, 3, 5, 7], after: Tanh())),
    Group(
      "MultiClassHinge",
      LossCase("hinge", MultiClassHinge(), prediction: [5, 7], maximumBatch: 18),
      LossCase(
        "hinge_maps", MultiClassHinge(margin: 0.5, ignoredLabel: 255), prediction: [2, 17, 2, 3]),
      LossCase("hinge_weighted", MultiClassHinge(weights: .samples), prediction: [1, 3, 5, 7])),
    Group(
      "CosineProximity",
      LossCase("cosine", CosineProximity(), prediction: [5, 7], maximumBatch: 18),
      LossCase("cosine_maps", CosineProximity(weights: .pixels), prediction: [2, 17, 2, 3]),
      LossCase("cosine_weighted", CosineProximity(weights: .samples), prediction: [1, 19])),
    Group(
      "Dice", LossCase("dice", Dice(), prediction: [3, 3, 5, 7], maximumBatch: 18),
      LossCase(
        "dice_binary", Dice(smoothing: 0.5, ignoredLabel: 255), prediction: [1, 1, 5, 7]),
      LossCase(
        "dice_probabilities", Dice(form: .probabilities, ignoredLabel: 255, weights: .samples),
        prediction: [2, 17, 3, 5], after: Sigmoid()),
      LossCase("dice_ignoring", Dice(ignoredLabel: 255), prediction: [1, 2, 1, 1030])),
  ]

  @Test("losses of single values", arguments: ofValues)
  func values(_ group: Group) async throws { try await expectContract(group.cases) }

  @Test("losses of classes", arguments: ofClasses)
  func classes(_ group: Group) async throws { try await expectContract(group.cases) }

  @Test("every loss has a group")
  func whole() {
    let names = (Self.ofValues + Self.ofClasses).map(\.name)
    let registered = LayerRegistry.losses.map { "\($0)" }
    #expect(names.sorted() == registered.sorted())
    for group in Self.ofValues + Self.ofClasses {
      #expect(group.cases.allSatisfy { "\(type(of: $0.loss))" == group.name })
    }
  }

  @Test("rows of more columns than fit at once are cut")
  func cut() async throws {
    try await expectContract([
      LossCase("mse_wide", MeanSquaredError(), prediction: [3, 1500]),
      LossCase("cosine_wide", CosineProximity(), prediction: [2, 3, 1, 1100]),
    ])
  }
}
