import ConvcIR
import ConvcReference

/// A loss that judges the scores of a pixel's classes (of an image's features) together.
///
/// A new one says `judge` in Swift and the same in C: ``PixelPieces`` for a row of pixels, `CELLS` of them at once.
/// Rows, layouts, lanes without an image, ignored labels, weights and the mean are here.
package protocol PixelLoss: RegisteredLoss {
  var weights: LossWeights { get }
  /// The label of pixels that are left out, where targets are labels.
  var ignored: Int32? { get }
  /// Whether targets are class labels; else they are a value for each class.
  var takesLabels: Bool { get }
  /// What the targets' values may be, where they are no labels.
  var targetValues: TargetValues { get }
  /// What the kernel computes, for its comment.
  var title: String { get }
  /// The loss of a pixel and its derivatives by the scores.
  ///
  /// - Parameter shares: the target; of a label 1 for its class, 0 for others.
  func judge(_ scores: [Double], _ shares: [Double]) -> (value: Double, slopes: [Double])
  /// Refuses settings that make no loss, and predictions that it cannot judge.
  func check(_ prediction: TensorType) throws(LayerError)
  /// The same in C.
  func pieces(_ names: PixelNames) -> PixelPieces
}

/// What the pieces of a pixel loss have at hand, as C.
package struct PixelNames {
  let layer: String
  let classes: Int
  /// Number of cells: `CELLS`, or what is left of a row.
  let cells: String
  /// Pointer to the cells of class `k`, and to their gradients.
  let score: String
  let slope: String
  let store: String
  /// The target of class `k` at cell `i`; nil: labels, `wanted[i]`.
  let goal: String?
  /// Factor of the loss at cell `i`, with ` * ` behind it, or nothing.
  let weighted: String

  func fragment(_ template: String, _ values: [String: String]) -> Fragment {
    Fragment(template: template, values: values, layer: layer)
  }
}

/// The C of a pixel loss.
package struct PixelPieces {
  /// Fills `loss`.
  let work: [Fragment]
  /// Writes the gradients of all classes, `scale` times those of the loss.
  let slopes: [Fragment]
  /// Factors of the classes, which the pieces read as `class_weight[k]`; empty: none.
  var classWeights: [Float] = []
  let support: [String]
}

extension PixelLoss {
  package var ignored: Int32? { nil }
  package var targetValues: TargetValues { .any }

  public func targets(for prediction: TensorType) throws(LayerError) -> [LossTarget] {
    try check(prediction)
    let others = try weights.targets(for: prediction)
    guard takesLabels else { return [LossTarget(type: prediction, values: targetValues)] + others }
    let range = LabelRange(classes: prediction.shape[1], ignored: ignored)
    return [LossTarget(type: labelType(for: prediction), labels: range)] + others
  }

  public func sum(over batch: JudgedBatch) -> Double {
    let weights = batch.others.first?.assumingMemoryBound(to: Float.self)
    return total(
      images: batch.images, extents: batch.extents, score: { Double(batch.predictions[$0]) },
      label: { batch.labels[$0] }, share: { Double(batch.values[$0]) },
      weight: { place in weights.map { Double($0[place]) } ?? 1 }, slope: { _, _ in })
  }

  public func evaluate(
    _ prediction: DoubleTensor, _ targets: [ReferenceSample.Target]
  ) -> LossResult {
    let gradient = DoubleTensor(shape: prediction.shape)
    let images = Double(prediction.shape[0])
    let labels = takesLabels ? targets[0].labels : []
    let values = takesLabels ? [] : targets[0].values
    let factors = targets.count > 1 ? targets[1].values : []
    let value = total(
      images: prediction.shape[0], extents: Array(prediction.shape.dropFirst()),
      score: { prediction.address[$0] }, label: { labels[$0] }, share: { Double(values[$0]) },
      weight: { Double(factors[$0]) }, slope: { gradient.address[$0] = $1 / images })
    return LossResult(value: value / images, gradient: gradient)
  }

  /// The sum over the images of their losses; hands on the gradient of each score.
  private func total(
    images: Int, extents: [Int], score: (Int) -> Double, label: (Int) -> Int32,
    share: (Int) -> Double, weight: (Int) -> Double, slope: (Int, Double) -> Void
  ) -> Double {
    let classes = extents[0]
    let pixels = extents.dropFirst().reduce(1, *)
    var total = 0.0
    for place in 0..<images * pixels {
      if takesLabels, let ignored, label(place) == ignored { continue }
      let first = place / pixels * classes * pixels + place % pixels
      let shares = (0..<classes).map { k in
        takesLabels ? (k == Int(label(place)) ? 1.0 : 0) : share(first + k * pixels)
      }
      let judged = judge((0..<classes).map { score(first + $0 * pixels) }, shares)
      let position = weights.position(
        image: place / pixels, pixel: place % pixels, pixels: pixels)
      let factor = (weights == .none ? 1 : weight(position)) / Double(pixels)
      total += factor * judged.value
      for k in 0..<classes { slope(first + k * pixels, factor * judged.slopes[k]) }
    }
    return total
  }

  public func calls(for context: LossContext) -> [KernelCall] { pixelCalls(for: context) }

  func pixelCalls(for context: LossContext) -> [KernelCall] {
    PixelLossKernel(loss: self, rows: LossRows.ofPixels(context)).calls
  }
}

/// The kernels of a pixel loss.
private struct PixelLossKernel {
  let loss: any PixelLoss
  let rows: LossRows
  /// Columns that are judged at once: what is kept of them fits the stack.
  private let piece: Int
  private let isCut: Bool

  init(loss: any PixelLoss, rows: LossRows) {
    self.loss = loss
    self.rows = rows
    piece = 1024 / rows.lanes
    isCut = rows.maps.w > piece
  }

  private var context: LossContext { rows.context }
  private var pixels: Int { rows.maps.pixels }
  private var image: String {
    rows.isLanes ? "image[i % LANES]" : "n"
  }
  private var column: String {
    (isCut ? "first + " : "") + (rows.isLanes ? "i / LANES" : "i")
  }

  private func row(_ tensor: String) -> String {
    let from = isCut ? "first" : "0"
    if rows.isLanes { return "\(tensor)[n][k][h][\(from)]" }
    return isCut ? "&\(tensor)[n][k][h][first]" : "\(tensor)[n][k][h]"
  }

  /// The factor of a cell's loss as a product; nil: 1.
  private var weight: String? {
    var factors: [String] = []
    if rows.isLanes { factors.append("(n * LANES + i % LANES < batch ? 1.0f : 0.0f)") }
    if loss.takesLabels, let ignored = loss.ignored {
      factors.append("(wanted[i] == \(ignored) ? 0.0f : 1.0f)")
    }
    if let passed = rows.weight(loss.weights, image: image, column: column) {
      factors.append(passed)
    }
    return factors.isEmpty ? nil : factors.joined(separator: "\n    * ")
  }

  private var pieces: PixelPieces {
    loss.pieces(
      PixelNames(
        layer: context.name, classes: rows.maps.c, cells: isCut ? "cells" : "CELLS",
        score: row("x"), slope: row("d_x"), store: rows.store,
        goal: loss.takesLabels ? nil : "expected[\(image)][k][h][\(column)]",
        weighted: weight == nil ? "" : "weight[i] * "))
  }

  private var constants: [ConstantRow] {
    let cells = (isCut ? piece : rows.maps.w) * rows.lanes
    let cut = isCut ? [ConstantRow([Constant("PIECE", piece)], comment: "columns")] : []
    return rows.constants + cut
      + [ConstantRow([Constant("CELLS", cells)], comment: "pixels that are judged at once")]
  }

  var calls: [KernelCall] {
    let sums = rows.sums()
    let pieces = pieces
    let target =
      loss.takesLabels
      ? rows.pixels("label", context.target, element: "int32_t")
      : rows.values("expected", context.target)
    let texts = [
      "outer": context.prediction.outerScalar.rawValue, "scale": rows.scale(divisor: pixels),
      "weighted": weight == nil ? "" : "weight[i] * ", "cells": isCut ? "cells" : "CELLS",
      "columns": isCut ? "MIN(PIECE, W - first)" : "W",
      "label": loss.takesLabels ? "label[\(image)][h][\(column)]" : "",
      "weight": weight ?? "", "class_weights": list(pieces.classWeights),
    ]
    let hasGradient = context.gradient != nil
    let flags = [
      "lanes": rows.isLanes, "gradient": hasGradient, "pieces": isCut,
      "labels": loss.takesLabels, "weighs": weight != nil,
      "weighs_classes": !pieces.classWeights.isEmpty,
    ]
    let judge = KernelCall(
      template: "loss_pixels", name: "\(context.name)_forward_backward",
      title: "\(loss.title), with the gradient", notes: rows.notes, layers: [context.name],
      constants: constants, flags: flags, texts: texts,
      fragments: ["work": pieces.work, "slopes": hasGradient ? pieces.slopes : []],
      support: pieces.support, scalars: rows.scalars,
      arguments: [rows.x, target] + [rows.weights(loss.weights)].compactMap { $0 }
        + [sums.argument] + [rows.gradient].compactMap { $0 },
      work: rows.work(flopsPerValue: 40))
    return [judge, rows.mean(of: sums.buffer, divisor: pixels)]
  }

  /// Numbers as the lines of a list.
  private func list(_ values: [Float]) -> String {
    stride(from: 0, to: values.count, by: 8).map { first in
      values[first..<min(first + 8, values.count)].map(cFloat).joined(separator: ", ")
    }.joined(separator: ",\n        ")
  }
}
