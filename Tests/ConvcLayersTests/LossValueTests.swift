import Convc
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

/// Values that can be worked out by hand.
@Suite("Values of losses")
struct LossValueTests {
  private func judge(
    _ loss: any RegisteredLoss, _ prediction: [Float], _ shape: [Int],
    _ targets: ReferenceSample.Target...
  ) -> (value: Double, gradient: [Double]) {
    let result = loss.evaluate(DoubleTensor(shape: shape, prediction), targets)
    return (result.value, result.gradient.values)
  }

  @Test("untrained scores of K classes lose ln K", arguments: [2, 3, 10])
  func initialLoss(classes: Int) throws {
    let expected = [2: 0.6931, 3: 1.0986, 10: 2.3026]
    let scores = [Float](repeating: 0.3, count: 2 * classes)
    let labels = [Int32](repeating: 1, count: 2)
    let value = judge(SoftmaxCrossEntropy(), scores, [2, classes], .labels(labels)).value
    #expect(abs(value - (try #require(expected[classes]))) < 5e-5)
    #expect(abs(value - log(Double(classes))) < 1e-12)
  }

  @Test("untrained scores of two classes lose ln 2 by one score as well")
  func initialBinaryLoss() {
    let value = judge(
      BinaryCrossEntropy(takesLabels: true), [0, 0], [2, 1], .labels([0, 1])
    ).value
    #expect(abs(value - 0.6931471805599453) < 1e-12)
  }

  @Test("one-hot shares and labels give the same loss and gradient")
  func sparse() {
    let scores: [Float] = [1, -2, 0.5, 3, 0.25, -1]
    let dense = judge(
      CategoricalCrossEntropy(), scores, [2, 3], .values([0, 0, 1, 1, 0, 0]))
    let sparse = judge(SoftmaxCrossEntropy(), scores, [2, 3], .labels([2, 0]))
    #expect(Comparison([dense.value], [sparse.value]).isWithin(1e-12))
    #expect(Comparison(dense.gradient, sparse.gradient).isWithin(1e-12))
  }

  @Test("softmax log-loss is the negative of x_c - log sum e^x_d")
  func softmaxLogLoss() {
    let value = judge(SoftmaxCrossEntropy(), [1, 2, 3], [1, 3], .labels([1])).value
    let sum: Double = exp(1.0) + exp(2.0) + exp(3.0)
    #expect(abs(value - (log(sum) - 2)) < 1e-12)
  }

  @Test("one score is two scores that differ by it")
  func binary() {
    let one = judge(BinaryCrossEntropy(takesLabels: true), [1.5, -2], [2, 1], .labels([1, 0]))
    let two = judge(SoftmaxCrossEntropy(), [0, 1.5, 0, -2], [2, 2], .labels([1, 0]))
    #expect(abs(one.value - two.value) < 1e-12)
    #expect(abs(one.gradient[0] - two.gradient[1]) < 1e-12)
  }

  @Test("hinge losses are 0 beyond the margin and grow by one a unit")
  func hinge() {
    let binary = judge(BinaryHinge(), [2, 0.25, 3], [3, 1], .labels([1, 1, 0]))
    #expect(abs(binary.value - 4.75 / 3) < 1e-12)
    #expect(Comparison(binary.gradient, [0, -1.0 / 3, 1.0 / 3]).isWithin(1e-12))
    // Crammer-Singer: the highest of the other scores alone counts.
    let multi = judge(
      MultiClassHinge(), [3, 1, 2.5, 0, 5, 1], [2, 3], .labels([0, 1]))
    #expect(abs(multi.value - 0.25) < 1e-12)
    #expect(multi.gradient == [-0.5, 0, 0.5, 0, 0, 0])
  }

  @Test("multi-label adds up over the classes what categorical asks once")
  func multiLabel() {
    let probabilities: [Float] = [0.5, 0.25, 0.25]
    let multi = judge(
      MultiLabelCrossEntropy(form: .probabilities), probabilities, [1, 3], .values([1, 0, 0]))
    let expected: Double = log(2.0) - 2 * log(0.75)
    #expect(abs(multi.value - expected) < 1e-12)
    let categorical = judge(
      CategoricalCrossEntropy(form: .probabilities), probabilities, [1, 3], .values([1, 0, 0]))
    #expect(abs(categorical.value - log(2.0)) < 1e-12)
  }

  @Test("squared errors as mean, sum and with missing targets")
  func squares() {
    let (x, t): ([Float], [Float]) = ([1, 2, 3, 4], [0, 0, .nan, 2])
    let masked = judge(MeanSquaredError(masksMissing: true), x, [2, 2], .values(t))
    #expect(masked.value == 9.0 / 4)
    #expect(masked.gradient == [0.5, 1, 0, 1])
    let sum = judge(MeanSquaredError(reduction: .sum, masksMissing: true), x, [2, 2], .values(t))
    #expect(sum.value == 9.0 / 2)
    #expect(judge(MeanSquaredError(), x, [2, 2], .values(t)).value.isNaN)
  }

  @Test("Huber is a parabola up to delta and a line beyond")
  func huber() {
    let result = judge(Huber(delta: 2), [1, 5], [1, 2], .values([0, 0]))
    #expect(result.value == 8.5 / 2)
    #expect(result.gradient == [0.5, 1])
  }

  @Test("Poisson: p - t ln p, of logarithms e^p - t p")
  func poisson() {
    let rates = judge(Poisson(isLogarithmic: false), [2, 0.5], [1, 2], .values([3, 0]))
    let ofRates: Double = 2.5 - 3 * log(2.0)
    #expect(abs(rates.value - ofRates / 2) < 1e-12)
    let logarithms = judge(Poisson(), [0, 1], [1, 2], .values([3, 2]))
    let ofLogarithms: Double = 1 + exp(1.0) - 2
    #expect(abs(logarithms.value - ofLogarithms / 2) < 1e-12)
  }

  @Test("Kullback-Leibler: targets of 0 contribute 0, equal distributions nothing")
  func divergence() {
    let half = Float(log(0.5))
    let result = judge(KLDivergence(), [half, half], [1, 2], .values([1, 0]))
    #expect(abs(result.value - log(2.0)) < 1e-7)
    #expect(result.gradient == [-1, 0])
    let equal = judge(
      KLDivergence(form: .probabilities), [0.25, 0.75], [1, 2], .values([0.25, 0.75]))
    #expect(equal.value == 0)
  }

  @Test("cosine proximity is -1 for one direction, 1 for the opposite, 0 for zero vectors")
  func cosine() {
    let result = judge(
      CosineProximity(), [1, 2, -3, 0, 0, 0], [3, 2], .values([2, 4, 1, 0, 5, 5]))
    #expect(abs(result.value) < 1e-12)
    #expect(result.gradient[4] == 0 && result.gradient[5] == 0)
  }

  @Test("Dice is 0 for the truth, and 1 less the overlap of each class")
  func dice() {
    let labels: [Int32] = [0, 1, 1, 0]
    let truth: [Float] = [1, 0, 0, 1, 0, 1, 1, 0]
    let loss = Dice(form: .probabilities, smoothing: 1e-6)
    #expect(abs(judge(loss, truth, [1, 2, 2, 2], .labels(labels)).value) < 1e-9)
    // All of class 0: its score is 2 * 2 / (4 + 2), that of class 1 nearly 0.
    let flat: [Float] = [1, 1, 1, 1, 0, 0, 0, 0]
    let half = judge(loss, flat, [1, 2, 2, 2], .labels(labels)).value
    #expect(abs(half - 2.0 / 3) < 1e-6)
  }

  @Test("weights are factors, and no part of the divisor")
  func weights() {
    let (x, t): ([Float], [Float]) = ([1, 2], [0, 0])
    let weighted = judge(
      MeanSquaredError(weights: .samples), x, [2, 1], .values(t), .values([3, 0.5]))
    #expect(weighted.value == 5.0 / 2)
    #expect(weighted.gradient == [3, 1])
    let classes = judge(
      SoftmaxCrossEntropy(ignoredLabel: 9, classWeights: [4, 1]), [0, 0, 0, 0, 0, 0], [3, 2],
      .labels([0, 1, 9]))
    let expected: Double = 5 * log(2.0) / 3
    #expect(abs(classes.value - expected) < 1e-12)
  }

  @Test("smoothing moves a share of the target to all classes")
  func smoothing() {
    let scores: [Float] = [2, 0, -1]
    let smooth = judge(SoftmaxCrossEntropy(labelSmoothing: 0.3), scores, [1, 3], .labels([0])).value
    let soft = judge(CategoricalCrossEntropy(), scores, [1, 3], .values([0.8, 0.1, 0.1])).value
    #expect(abs(smooth - soft) < 1e-6)
  }

  @Test("formulas are read as written, printed as they are read, and derived")
  func formulas() throws {
    let loss = try CustomLoss(formula: "abs(p - t) + 0.5 * pow(p, 2) / (1 + t)")
    #expect("\(loss.expression)" == "abs(p - t) + 0.5 * pow(p, 2.0) / (1.0 + t)")
    #expect(try LossExpression("\(loss.expression)") == loss.expression)
    let result = judge(loss, [3], [1, 1], .values([1]))
    #expect(abs(result.value - 4.25) < 1e-12)
    #expect(abs(result.gradient[0] - 2.5) < 1e-12)
    let minus = try LossExpression("-p - -2e-1 * (t - p)")
    #expect(minus.isSame(as: -1 * .p - (-0.2) * (.t - .p)))
    #expect(try LossExpression("where(p < t, p, t)") == .where(.p, lessThan: .t, .p, else: .t))
  }
}

extension LossExpression {
  fileprivate func isSame(as other: LossExpression) -> Bool { "\(self)" == "\(other)" }
}
