import ConvcIR
import ConvcLayers

/// Losses as operators: their values, without gradients.
let lossOperators: [String: OperatorConverter] = [
  "NegativeLogLikelihoodLoss": { (node) throws(ConversionError) in
    node.define(try node.likelihoodLoss(of: try node.operand(0)))
  },
  "SoftmaxCrossEntropyLoss": { (node) throws(ConversionError) in
    try node.softmaxCrossEntropyLoss()
  },
]

extension NodeConversion {
  fileprivate func softmaxCrossEntropyLoss() throws(ConversionError) {
    let x = try value(0)
    guard x.shape.count > 1 else { throw problem("needs scores of at least two axes") }
    // Places of a map are one axis: [N, C, places, 1].
    let places = x.shape.dropFirst(2).reduce(1, *)
    let maps = try reshape(x, to: [x.shape[0], x.shape[1], places, 1])
    let likelihoods = try apply(LogSoftmax(axis: 1), to: maps).read(as: x.shape)
    define(likelihoods, output: 1)
    define(try likelihoodLoss(of: operand(likelihoods)))
  }

  /// The negative of the value at each label, weighted, and taken together as the node says.
  ///
  /// A label that is no class and not the one to ignore makes its loss NaN.
  fileprivate func likelihoodLoss(of x: NestOperand) throws(ConversionError) -> ConvertedValue {
    let labels = try operand(1)
    guard x.shape.count > 1, labels.shape == [x.shape[0]] + x.shape.dropFirst(2), !labels.isReal
    else {
      throw problem("has labels of shape \(labels.shape) for scores of \(x.shape)")
    }
    let classWeights = try optionalOperand(2)
    let operands = numbered([x, labels] + (classWeights.map { [$0] } ?? []))
    let shape = labels.shape
    let label = operands[1].broadcast(to: shape)
    let ignored = try node.attributes["ignore_index"].map { (_) throws(ConversionError) in
      try int("ignore_index", -1)
    }
    let steps = [LoopNest.Step("label", label)]
    let isClass = Cell.step(0).isIn(x.shape[1])
    func unlessIgnored(_ cell: Cell) -> Cell {
      ignored.map { .select(Cell.step(0).equals(.whole($0)), .real(0), cell) } ?? cell
    }
    let weight: Cell = operands.count > 2 ? operands[2].cell([.step(0)]) : .real(1)
    let score = operands[0].cell(
      [.variable(0), .step(0)] + shape.indices.dropFirst().map { .variable($0) })
    let loss = operands.count > 2 ? -.function(.multiply, [weight, score]) : -score
    let losses = try nest(
      "\(node.op) of each label", operands, shape: shape, steps: steps,
      value: unlessIgnored(.select(isClass, loss, .real(.nan))))
    let mode = try string("reduction", "mean")
    guard mode != "none" else { return losses }
    let all = Set(shape.indices)
    let sum = try total(of: operand(losses), over: all)
    guard mode == "mean" else { return sum }
    let judges = numbered([labels] + (classWeights.map { [$0] } ?? []))
    let judged: Cell = judges.count > 1 ? judges[1].cell([.step(0)]) : .real(1)
    let weights = try nest(
      "\(node.op), the weight of each label", judges, shape: shape,
      steps: [LoopNest.Step("label", judges[0].broadcast(to: shape))],
      value: unlessIgnored(.select(isClass, judged, .real(.nan))))
    return try cells(
      "\(node.op), its mean", [operand(sum), operand(try total(of: operand(weights), over: all))]
    ) { $0[0] / $0[1] }
  }

  private func total(
    of x: NestOperand, over axes: Set<Int>
  ) throws(ConversionError) -> ConvertedValue {
    let plan = ReducedAxes(axes: axes, shape: x.shape, keeps: false)
    let operands = numbered([x])
    return try nest(
      "sum over \(plan.text)", operands, shape: plan.result, reduction: .sum,
      reduced: plan.extents, value: operands[0].cell(plan.indices))
  }
}
