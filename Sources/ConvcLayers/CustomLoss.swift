import ConvcIR
import ConvcReference

/// A loss of one's own: a formula of each prediction `p` and its target `t`.
///
/// `CustomLoss { p, t in .abs(p - t) + 0.1 * .square(p) }`, or the formula as text, `CustomLoss(formula: "abs(p - t)")`.
/// See ``LossExpression`` for what a formula can have. It is differentiated symbolically; the C that comes of it has a line for
/// each step that is needed twice or would be long.
///
/// - Prediction and target: one shape `[N, ...]`.
/// - Value: mean or sum over an image's values, mean over the batch; see ``Loss``.
/// - Errors: a formula without `p` or without `t`; one with an infinite number; weights of pixels for features.
public struct CustomLoss: Loss {
  public static let kind = "custom-loss"

  public let expression: LossExpression
  public let reduction: LossReduction
  public let weights: LossWeights

  public init(
    _ expression: LossExpression, reduction: LossReduction = .mean, weights: LossWeights = .none
  ) {
    self.expression = expression
    self.reduction = reduction
    self.weights = weights
  }

  public init(
    reduction: LossReduction = .mean, weights: LossWeights = .none,
    _ formula: (_ p: LossExpression, _ t: LossExpression) -> LossExpression
  ) {
    self.init(formula(.p, .t), reduction: reduction, weights: weights)
  }

  /// - Throws: the place of the text that is wrong, and what is expected there.
  public init(
    formula: String, reduction: LossReduction = .mean, weights: LossWeights = .none
  ) throws(LossExpressionError) {
    self.init(try LossExpression(formula), reduction: reduction, weights: weights)
  }
}

extension CustomLoss: ValueLoss {
  package var title: String { "loss \(expression)" }
  package var support: [String] { steps.support }

  private var steps: LossSteps { LossSteps(expression) }

  package func check(_ prediction: TensorType) throws(LayerError) {
    for (variable, name) in [(LossExpression.p, "prediction p"), (.t, "target t")]
    where !expression.reads(variable) {
      throw .setting(
        "formula '\(expression)' does not read the \(name); a loss compares p with t")
    }
    guard expression.isFinite else {
      throw .setting("formula '\(expression)' has a number that is not finite; take it out")
    }
  }

  package func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double) {
    (expression.value(p, t), expression.derivative.value(p, t))
  }

  package func pieces(layer: String) -> [Fragment] {
    let steps = steps
    return steps.lines.map {
      Fragment(
        template: "custom_loss_step", values: ["name": $0.name, "text": $0.text], layer: layer)
    } + [
      Fragment(
        template: "custom_loss", values: ["value": steps.value, "slope": steps.slope],
        layer: layer)
    ]
  }
}

extension CustomLoss: RegisteredLoss {
  public static let settings: [SettingSpec] = [
    SettingSpec(
      "formula", .text, default: nil, "the loss of a prediction p and its target t"),
    .reduction, .weights,
  ]

  public init(settings: Settings) throws(SettingError) {
    let formula = try settings.word("formula")
    let expression: LossExpression
    do { expression = try LossExpression(formula) } catch { throw .invalid("has \(error)") }
    self.init(
      expression, reduction: try settings.choice("reduction"),
      weights: try settings.choice("weights"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "formula": .word("\(expression)"), "reduction": .word(reduction.rawValue),
      "weights": .word(weights.rawValue),
    ]
  }

  public static let examples = [
    LossExample(
      CustomLoss { p, t in .log(1 + .square(p - t)) + 0.1 * .softplus(p * t) },
      prediction: [2, 5]),
    LossExample(
      CustomLoss(weights: .pixels) { p, t in
        .where(p, lessThan: t, .square(t - p), else: 0.5 * .abs(p - t))
      }, prediction: [2, 3, 4, 5]),
    LossExample(
      CustomLoss(reduction: .sum, weights: .samples) { p, t in
        .max(.tanh(p) - t, 0.25 * (t - p)) + .min(.sigmoid(p), 0.5) / (1 + .exp(t))
      }, prediction: [2, 7]),
    LossExample(
      CustomLoss { p, t in .sqrt(0.01 + .pow(p - t, 4)) + .pow(2 + .tanh(p), -1.5) },
      prediction: [2, 3, 4, 5]),
  ]
}

extension LossExpression {
  /// Whether all its numbers are finite.
  fileprivate var isFinite: Bool {
    switch self {
    case .number(let value), .power(_, let value):
      value.isFinite && parts.allSatisfy(\.isFinite)
    default: parts.allSatisfy(\.isFinite)
    }
  }
}
