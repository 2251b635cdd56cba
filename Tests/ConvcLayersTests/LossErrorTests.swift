import Convc
import Testing

/// What a loss refuses, in whole messages.
@Suite("What losses refuse")
struct LossErrorTests {
  static let features = TensorType(shape: [2, 3])
  static let maps = TensorType(shape: [2, 3, 4, 5])

  static let cases: [(any Loss, TensorType, String)] = [
    (
      MeanSquaredError(weights: .pixels), features,
      "weights of pixels need maps, got 2x3; take weights of samples for features"
    ),
    (Huber(delta: 0), features, "delta 0.0 has to be above 0.0 and finite, as 1 is"),
    (
      BinaryHinge(), features,
      "labels 0 and 1 need one score, got 2x3; end the network with one output"
    ),
    (BinaryHinge(margin: -1), features, "margin -1.0 has to be above 0.0 and finite, as 1 is"),
    (
      BinaryCrossEntropy(takesLabels: true), maps,
      "labels 0 and 1 need one score, got 2x3x4x5; end the network with one output"
    ),
    (
      BinaryCrossEntropy(form: .logProbabilities), features,
      "form logProbabilities is not known to this loss; take logits or probabilities"
    ),
    (
      MultiLabelCrossEntropy(positiveWeight: .infinity), features,
      "positiveWeight inf has to be above 0.0 and finite, as 1 is"
    ),
    (
      SoftmaxCrossEntropy(labelSmoothing: 1), features,
      "labelSmoothing 1.0 is out of range; a share in 0..<1 is expected, as 0.1 is"
    ),
    (
      SoftmaxCrossEntropy(classWeights: [1, 2]), features,
      "2 class weights do not fit 3 classes; give one for each class"
    ),
    (
      CategoricalCrossEntropy(classWeights: [1, 2, -1]), features,
      "class weight -1.0 has to be at least 0.0 and finite, as 1 is"
    ),
    (
      NegativeLogLikelihood(form: .logits), features,
      "form logits is not known to this loss; take probabilities or logProbabilities, "
        + "or judge scores by SoftmaxCrossEntropy()"
    ),
    (
      NegativeLogLikelihood(), TensorType(shape: [2, 1]),
      "one class is always right; give the last layer at least 2 outputs"
    ),
    (
      KLDivergence(form: .logits), features,
      "form logits is not known to this loss; take probabilities or logProbabilities, "
        + "or judge scores by CategoricalCrossEntropy()"
    ),
    (
      MultiClassHinge(), TensorType(shape: [2, 1]),
      "one score has no rival; give the last layer at least 2 outputs, or take BinaryHinge()"
    ),
    (
      Dice(), features,
      "expects an input of rank 4, got 2x3; judge the classes of each pixel, [N, K, H, W]; "
        + "for images take SoftmaxCrossEntropy()"
    ),
    (Dice(smoothing: 0), maps, "smoothing 0.0 has to be above 0.0 and finite, as 1 is"),
    (
      Dice(weights: .pixels), maps,
      "weights of pixels have no part in this loss; take weights of samples, or an ignored label"
    ),
    (
      Dice(form: .logProbabilities), maps,
      "form logProbabilities is not known to this loss; take logits or probabilities"
    ),
    (
      Dice(), TensorType(shape: [1, 1025, 2, 2]),
      "1025 classes are too many; at most 1024 work"
    ),
    (
      CustomLoss(.square(.t)), features,
      "formula 'pow(t, 2.0)' does not read the prediction p; a loss compares p with t"
    ),
    (
      CustomLoss(.square(.p)), features,
      "formula 'pow(p, 2.0)' does not read the target t; a loss compares p with t"
    ),
    (
      CustomLoss(.p * .t + .number(.infinity)), features,
      "formula 'p * t + inf' has a number that is not finite; take it out"
    ),
  ]

  @Test("settings and predictions that make no loss", arguments: cases.indices)
  func settings(_ index: Int) {
    let (loss, prediction, expected) = Self.cases[index]
    let error = #expect(throws: LayerError.self) { try loss.targets(for: prediction) }
    #expect(error?.description == expected)
  }

  @Test("an ignored label that is no number")
  func ignoredLabel() {
    let settings = Settings(
      ["ignoredLabel": .word("void")], specs: SoftmaxCrossEntropy.settings)
    let error = #expect(throws: SettingError.self) { try SoftmaxCrossEntropy(settings: settings) }
    #expect(
      error?.description
        == "has ignoredLabel: void; none or a whole number of 32 bits is expected")
  }

  @Test("a target of one name and two types")
  func sharedTarget() {
    let model = Model("shared") { graph in
      graph.output("y", graph.input("x", [3]).apply(Dense(outputs: 3)))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "t", name: "first")
      graph.loss(SoftmaxCrossEntropy(ignoredLabel: 7), on: "y", target: "t", name: "second")
    }
    let error = #expect(throws: CompileError.self) { try model.compile() }
    #expect(
      error?.diagnostics.first?.message
        == "needs another type of target t than an earlier loss; rename it")
  }

  @Test(
    "formulas that cannot be read",
    arguments: [
      ("p +", 3, "p, t, a number, a function or '('"), ("(p - t", 6, "')'"),
      ("p - t t", 6, "+, -, *, / or the end"), ("sin(p)", 0, "p, t, a number, a function or '('"),
      ("pow(p, t)", 7, "a constant exponent"), ("max(p)", 5, "','"),
      ("where(p, t, p, t)", 7, "'<'"), ("", 0, "p, t, a number, a function or '('"),
    ])
  func formula(text: String, position: Int, expected: String) {
    let error = #expect(throws: LossExpressionError.self) { try CustomLoss(formula: text) }
    #expect(
      error?.description
        == "formula '\(text)' is wrong at character \(position + 1): \(expected) is expected, "
        + "as in abs(p - t) + 0.5 * pow(p, 2)")
  }

  @Test("a formula that nests too deep is refused, not followed to the end of the stack")
  func deep() {
    let text = String(repeating: "(", count: 100_000)
    let error = #expect(throws: LossExpressionError.self) { try CustomLoss(formula: text) }
    #expect(error?.position == 64)
  }
}
