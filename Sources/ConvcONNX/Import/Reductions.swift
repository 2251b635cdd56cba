import ConvcIR
import ConvcLayers

/// Reductions over axes.
let reductionOperators: [String: OperatorConverter] = [
  "ReduceMean": { (node) throws(ConversionError) in
    try node.summation(of: try node.value(0), isMean: true)
  },
  "ReduceSum": { (node) throws(ConversionError) in try node.summation(of: try node.value(0)) },
  "ReduceMax": { (node) throws(ConversionError) in try node.reduction(.maximum) },
  "ReduceMin": { (node) throws(ConversionError) in try node.reduction(.minimum) },
  "ReduceProd": { (node) throws(ConversionError) in try node.reduction(.product) },
  "ReduceL1": { (node) throws(ConversionError) in
    try node.reduction(.sum, each: { $0.applying(.abs) })
  },
  "ReduceL2": { (node) throws(ConversionError) in
    try node.reduction(
      .sum, each: { .function(.multiply, [$0, $0]) }, finish: { $0.applying(.sqrt) })
  },
  "ReduceSumSquare": { (node) throws(ConversionError) in
    try node.reduction(.sum, each: { .function(.multiply, [$0, $0]) })
  },
  "ReduceLogSum": { (node) throws(ConversionError) in
    try node.reduction(.sum, finish: { $0.applying(.log) })
  },
  "ReduceLogSumExp": { (node) throws(ConversionError) in try node.logSumExp() },
  "ArgMax": { (node) throws(ConversionError) in
    try node.place(isLast: .lastMaximum, isFirst: .firstMaximum)
  },
  "ArgMin": { (node) throws(ConversionError) in
    try node.place(isLast: .lastMinimum, isFirst: .firstMinimum)
  },
  "Hardmax": { (node) throws(ConversionError) in try node.hardmax() },
]

/// The axes that an operator reduces.
struct ReducedAxes {
  let axes: Set<Int>
  let shape: [Int]
  let keeps: Bool

  /// Extents of the reduced axes, in order.
  var extents: [Int] { axes.sorted().map { shape[$0] } }
  /// The result's shape, with extents of 1 where `keeps` says so.
  var result: [Int] {
    shape.indices.compactMap { axes.contains($0) ? (keeps ? 1 : nil) : shape[$0] }
  }
  /// Values that become one.
  var count: Int { extents.reduce(1, *) }

  /// Where the operand's cell stands: the output's variables, and those of the reduction behind them.
  var indices: [Cell] {
    let sorted = axes.sorted()
    var place = 0
    return shape.indices.map { axis in
      defer { if keeps || !axes.contains(axis) { place += 1 } }
      if let index = sorted.firstIndex(of: axis) { return .variable(result.count + index) }
      return .variable(place)
    }
  }

  /// Their names in words: `axes 1, 2`.
  var text: String {
    "ax\(axes.count == 1 ? "is" : "es") \(axes.sorted().map(String.init).joined(separator: ", "))"
  }
}

extension NodeConversion {
  /// - Throws: a single value, which has no axis to go along.
  func checkAxes(of shape: [Int]) throws(ConversionError) {
    guard shape.isEmpty else { return }
    throw problem("names an axis of a single value, which has none; export the model again")
  }

  /// The axes that the node names, all where it names none; nil: it names none and so reduces nothing.
  private func reducedAxes(of shape: [Int]) throws(ConversionError) -> ReducedAxes? {
    var axes = Set<Int>()
    for axis in try integers(1, or: "axes") ?? [] {
      try checkAxes(of: shape)
      axes.insert(try self.axis(axis, of: shape.count))
    }
    if axes.isEmpty {
      if try int("noop_with_empty_axes", 0) != 0 { return nil }
      axes = Set(shape.indices)
    }
    return ReducedAxes(axes: axes, shape: shape, keeps: try int("keepdims", 1) != 0)
  }

  /// A reduction as a nest.
  ///
  /// - Parameters:
  ///   - each: what is done with each value before.
  ///   - finish: what is done with the total.
  fileprivate func reduction(
    _ reduction: LoopNest.Reduction, each: (Cell) -> Cell = { $0 },
    finish: ((Cell) -> Cell)? = nil
  ) throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    guard let axes = try reducedAxes(of: x.shape) else {
      return define(
        try cells(node.op, [x], element: x.element) { finish?(each($0[0])) ?? each($0[0]) })
    }
    define(
      try nest(
        "\(node.op) over \(axes.text)", operands, shape: axes.result, element: x.element,
        reduction: reduction, reduced: axes.extents, value: each(x.cell(axes.indices)),
        result: finish?(.total)))
  }

  /// The logarithm of a sum of exponentials, taken less the largest value so that none overflows.
  fileprivate func logSumExp() throws(ConversionError) {
    let x = try operand(0)
    guard let axes = try reducedAxes(of: x.shape) else {
      return define(try cells(node.op, [x]) { $0[0] })
    }
    let kept = ReducedAxes(axes: axes.axes, shape: axes.shape, keeps: true)
    let first = numbered([x])
    let largest = try nest(
      "largest value over \(axes.text)", first, shape: kept.result, reduction: .maximum,
      reduced: kept.extents, value: first[0].cell(kept.indices))
    let operands = numbered([x, operand(largest)])
    let indices = kept.indices
    let top = operands[1].cell(
      indices.indices.map { kept.axes.contains($0) ? .whole(0) : indices[$0] })
    let sum = try nest(
      "\(node.op) over \(axes.text)", operands, shape: kept.result, reduction: .sum,
      reduced: kept.extents, value: (operands[0].cell(indices) - top).applying(.exp),
      result: top + Cell.total.applying(.log))
    define(sum, as: axes.result)
  }

  fileprivate func place(
    isLast last: LoopNest.Reduction, isFirst first: LoopNest.Reduction
  ) throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    try checkAxes(of: x.shape)
    let axis = try axis(try int("axis", 0), of: x.shape.count)
    let axes = ReducedAxes(axes: [axis], shape: x.shape, keeps: try int("keepdims", 1) != 0)
    define(
      try nest(
        "\(node.op) over \(axes.text)", operands, shape: axes.result, element: .int64,
        reduction: try int("select_last_index", 0) != 0 ? last : first, reduced: axes.extents,
        value: x.cell(axes.indices)))
  }

  /// 1 at the first of the largest values, 0 elsewhere.
  fileprivate func hardmax() throws(ConversionError) {
    var x = try value(0)
    let shape = x.shape
    try checkAxes(of: shape)
    let isNew = node.opset >= 13
    var axis = try axis(try int("axis", isNew ? -1 : 1), of: shape.count)
    if !isNew {
      // Before version 13 all axes from the given one on are one.
      let rows = shape.prefix(axis).reduce(1, *)
      x = try reshape(x, to: [rows, shape.dropFirst(axis).reduce(1, *)])
      x = x.read(as: x.extents)
      axis = 1
    }
    let first = numbered([operand(x)])
    let axes = ReducedAxes(axes: [axis], shape: x.shape, keeps: true)
    let place = try nest(
      "place of the largest value over \(axes.text)", first, shape: axes.result, element: .int64,
      reduction: .firstMaximum, reduced: axes.extents, value: first[0].cell(axes.indices))
    let operands = numbered([operand(place)])
    let hard = try nest(
      "Hardmax over \(axes.text)", operands, shape: x.shape,
      value: .select(
        operands[0].broadcast(to: x.shape).equals(.variable(axis)), .real(1), .real(0)))
    define(hard, as: shape)
  }

  /// Mean over axes, which stay with an extent of 1.
  func mean(
    of x: NestOperand, over axes: Set<Int>, squared: Bool = false
  ) throws(ConversionError) -> NestOperand {
    let plan = ReducedAxes(axes: axes, shape: x.shape, keeps: true)
    let operands = numbered([x])
    let cell = operands[0].cell(plan.indices)
    return operand(
      try nest(
        "mean\(squared ? " of squares" : "") over \(plan.text)", operands, shape: plan.result,
        reduction: .sum, reduced: plan.extents,
        value: squared ? .function(.multiply, [cell, cell]) : cell,
        result: Cell.total / .real(Double(plan.count))))
  }

  /// Variance over axes, which stay with an extent of 1.
  func variance(
    of x: NestOperand, mean: NestOperand, over axes: Set<Int>
  ) throws(ConversionError) -> NestOperand {
    let plan = ReducedAxes(axes: axes, shape: x.shape, keeps: true)
    let operands = numbered([x, mean])
    let indices = plan.indices
    let centre = operands[1].cell(
      indices.indices.map { axes.contains($0) ? .whole(0) : indices[$0] })
    return operand(
      try nest(
        "variance over \(plan.text)", operands, shape: plan.result, reduction: .sum,
        reduced: plan.extents,
        steps: [LoopNest.Step("distance", operands[0].cell(indices) - centre)],
        value: .function(.multiply, [.step(0), .step(0)]),
        result: Cell.total / .real(Double(plan.count))))
  }

  /// Sums a value over the axes that the node names, or takes the mean: with layers that have gradients.
  fileprivate func summation(of x: ConvertedValue, isMean: Bool = false) throws(ConversionError) {
    guard let plan = try reducedAxes(of: x.shape) else { return define(x) }
    guard x.element == .float32 else {
      return try reduction(.sum, finish: isMean ? { $0 / .whole(plan.count) } : nil)
    }
    let (rank, axes) = (x.shape.count, plan.axes)
    if isMean, rank == 4, axes == [2, 3] {
      return define(
        try apply(GlobalAveragePool(), to: try reshape(x, to: x.shape)), as: plan.result)
    }
    // Neighbours that are both summed, or both kept, are one axis.
    var result = x
    var extents = x.shape
    var axis = rank - 1
    while axis >= 0 {
      guard axes.contains(axis) else {
        axis -= 1
        continue
      }
      var first = axis
      while first > 0, axes.contains(first - 1), first - 1 > 0 || axes.contains(0) { first -= 1 }
      let run = extents[first...axis].reduce(1, *)
      if run > 1 {
        let inner = extents.dropFirst(axis + 1).reduce(1, *)
        let outer =
          first == 0 ? [1, 1] : [extents[0], extents[1..<first].reduce(1, *)]
        let part = try reshape(result, to: outer + [run, inner])
        let layer: any Layer =
          isMean ? ReduceMean(axes: [2]) : ReduceSum(axes: [2])
        let reduced = try apply(layer, to: part)
        for place in first...axis { extents[place] = 1 }
        result = reduced.read(as: extents)
      }
      axis = first - 1
    }
    define(result, as: plan.result)
  }
}
