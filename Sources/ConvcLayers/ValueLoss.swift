import ConvcIR
import ConvcReference

/// A loss that judges each value by itself: `l(p, t)` of a prediction and its target.
///
/// A new one says `judge` in Swift and the same in C in its template, which works on `p` and `t` and declares `value` and
/// `slope`, the derivative by `p`. Rows, layouts, lanes without an image, weights and the mean are here.
package protocol ValueLoss: RegisteredLoss {
  var weights: LossWeights { get }
  var reduction: LossReduction { get }
  /// What the targets' values may be; nil: they are class labels 0 and 1, of predictions with one score.
  var targetValues: TargetValues? { get }
  /// How a score chooses between the labels.
  var decision: LabelRange.Decision { get }
  /// What the kernel computes, for its comment.
  var title: String { get }
  /// The loss of a value, and its derivative by the prediction.
  func judge(_ p: Double, _ t: Double) -> (value: Double, slope: Double)
  /// Refuses settings that make no loss, and predictions that it cannot judge.
  func check(_ prediction: TensorType) throws(LayerError)
  /// The same in C: pieces that declare `value` and `slope`.
  func pieces(layer: String) -> [Fragment]
  /// Templates of the functions that the pieces call.
  var support: [String] { get }
}

extension ValueLoss {
  package var targetValues: TargetValues? { .any }
  package var decision: LabelRange.Decision { .above(0) }
  package var support: [String] { [] }
  package func check(_ prediction: TensorType) throws(LayerError) {}

  public func targets(for prediction: TensorType) throws(LayerError) -> [LossTarget] {
    try check(prediction)
    let others = try weights.targets(for: prediction)
    guard let targetValues else {
      guard prediction.shape.count >= 2, prediction.shape[1] == 1 else {
        throw .setting(
          "labels 0 and 1 need one score, got \(prediction); end the network with one output")
      }
      let range = LabelRange(classes: 2, decision: decision)
      return [LossTarget(type: labelType(for: prediction), labels: range)] + others
    }
    return [LossTarget(type: prediction, values: targetValues)] + others
  }

  public func sum(over batch: JudgedBatch) -> Double {
    let weights = batch.others.first?.assumingMemoryBound(to: Float.self)
    return total(
      images: batch.images, extents: batch.extents, p: { Double(batch.predictions[$0]) },
      t: { targetValues == nil ? Double(batch.labels[$0]) : Double(batch.values[$0]) },
      weight: { place in weights.map { Double($0[place]) } ?? 1 }, slope: { _, _ in })
  }

  public func evaluate(
    _ prediction: DoubleTensor, _ targets: [ReferenceSample.Target]
  ) -> LossResult {
    let gradient = DoubleTensor(shape: prediction.shape)
    let images = Double(prediction.shape[0])
    let expected =
      targetValues == nil ? targets[0].labels.map(Double.init) : targets[0].values.map(Double.init)
    let factors = targets.count > 1 ? targets[1].values : []
    let value = total(
      images: prediction.shape[0], extents: Array(prediction.shape.dropFirst()),
      p: { prediction.address[$0] }, t: { expected[$0] }, weight: { Double(factors[$0]) },
      slope: { gradient.address[$0] = $1 / images })
    return LossResult(value: value / images, gradient: gradient)
  }

  /// The sum over the images of their losses; hands on the gradient of each value.
  private func total(
    images: Int, extents: [Int], p: (Int) -> Double, t: (Int) -> Double,
    weight: (Int) -> Double, slope: (Int, Double) -> Void
  ) -> Double {
    let values = extents.reduce(1, *)
    let pixels = extents.dropFirst().reduce(1, *)
    let divisor = Double(reduction.divisor(extents))
    var total = 0.0
    for index in 0..<images * values {
      let judged = judge(p(index), t(index))
      let place = weights.position(
        image: index / values, pixel: index % pixels, pixels: pixels)
      let factor = (weights == .none ? 1 : weight(place)) / divisor
      total += factor * judged.value
      slope(index, factor * judged.slope)
    }
    return total
  }

  public func calls(for context: LossContext) -> [KernelCall] {
    let rows = LossRows.ofValues(context)
    let sums = rows.sums()
    let divisor = reduction.divisor(context.prediction.type.shape.dropFirst())
    let takesLabels = targetValues == nil
    let target =
      takesLabels
      ? rows.values("label", context.target, element: "int32_t")
      : rows.values("expected", context.target)
    // Rows of more columns are judged in pieces: partial sums stay exact, and the stack small.
    let piece = 1024
    let isCut = rows.maps.w > piece
    let image = rows.isLanes ? "image[l]" : "n"
    let expected = "\(takesLabels ? "(float)" : "")\(target.name)[\(image)][k][h][w]"
    let weighted =
      rows.weight(weights, image: image, column: "w").map { "\($0) * " } ?? ""
    let constants =
      rows.constants + (isCut ? [ConstantRow([Constant("PIECE", piece)], comment: "columns")] : [])
    var texts = [
      "outer": context.prediction.outerScalar.rawValue, "scale": rows.scale(divisor: divisor),
      "store": rows.store, "target": expected, "weighted": weighted, "from": isCut ? "first" : "0",
      "to": isCut ? "end" : "W",
    ]
    if !rows.isLanes {
      texts["room"] = isCut ? "PIECE" : "W"
      texts["place"] = isCut ? "w - first" : "w"
    }
    let judge = KernelCall(
      template: rows.isLanes ? "loss_values_lanes" : "loss_values",
      name: "\(context.name)_forward_backward", title: "\(title), with the gradient",
      notes: rows.notes, layers: [context.name], constants: constants,
      flags: ["gradient": context.gradient != nil, "pieces": isCut], texts: texts,
      fragments: ["work": pieces(layer: context.name)], support: support, scalars: rows.scalars,
      arguments: [rows.x, target] + [rows.weights(weights)].compactMap { $0 } + [sums.argument]
        + [rows.gradient].compactMap { $0 },
      work: rows.work(flopsPerValue: 10))
    return [judge, rows.mean(of: sums.buffer, divisor: divisor)]
  }
}
