import ConvcIR

extension Dice {
  /// Sums over each row of pixels, the scores of each image from them, and the gradients from those.
  public func calls(for context: LossContext) -> [KernelCall] {
    let kernels = DiceKernels(loss: self, rows: LossRows.ofPixels(context))
    return [kernels.sums, kernels.scores] + kernels.slopes
      + [
        lossMean(
          context, of: kernels.each, rows: nil, title: "mean over the batch", divisor: "batch")
      ]
  }
}

private struct DiceKernels {
  let loss: Dice
  let rows: LossRows
  let each: Buffer.ID
  private let parts: Buffer.ID
  private let factors: Buffer.ID
  private let piece: Int
  private let isCut: Bool

  init(loss: Dice, rows: LossRows) {
    self.loss = loss
    self.rows = rows
    let (context, maps) = (rows.context, rows.maps)
    each = context.buffers.arena("\(context.name)_each", bytes: maps.n * 4)
    parts = context.buffers.arena("\(context.name)_sums", bytes: maps.n * maps.h * maps.c * 8)
    factors = context.buffers.arena("\(context.name)_factors", bytes: maps.n * maps.c * 8)
    piece = 1024 / rows.lanes
    isCut = maps.w > piece
  }

  private var context: LossContext { rows.context }
  private var isSoftmax: Bool { loss.form == .logits && rows.maps.c > 1 }
  private var isSigmoid: Bool { loss.form == .logits && rows.maps.c == 1 }
  private var cells: String { isCut ? "cells" : "CELLS" }

  private func row(_ tensor: String) -> String {
    let from = isCut ? "first" : "0"
    if rows.isLanes { return "\(tensor)[n][k][h][\(from)]" }
    return isCut ? "&\(tensor)[n][k][h][first]" : "\(tensor)[n][k][h]"
  }

  private var column: String {
    (isCut ? "first + " : "") + (rows.isLanes ? "i / LANES" : "i")
  }

  private var texts: [String: String] {
    [
      "outer": context.prediction.outerScalar.rawValue, "cells": cells,
      "columns": isCut ? "MIN(PIECE, W - first)" : "W", "column": column, "score": row("x"),
      "ignored": loss.ignoredLabel.map(String.init) ?? "", "own": rows.maps.c == 1 ? "1" : "k",
      "share": isSoftmax
        ? "exp_float(score[i] - largest[i]) / sum[i]"
        : isSigmoid ? "1.0f / (1.0f + exp_float(-score[i]))" : "score[i]",
    ]
  }

  private var flags: [String: Bool] {
    [
      "lanes": rows.isLanes, "pieces": isCut, "softmax": isSoftmax,
      "ignores": loss.ignoredLabel != nil,
    ]
  }

  private var constants: [ConstantRow] {
    let cells = (isCut ? piece : rows.maps.w) * rows.lanes
    return rows.constants
      + (isCut ? [ConstantRow([Constant("PIECE", piece)], comment: "columns")] : [])
      + [ConstantRow([Constant("CELLS", cells)], comment: "pixels that are judged at once")]
  }

  private var labels: Argument { rows.pixels("label", context.target, element: "int32_t") }
  private var support: [String] { loss.form == .logits ? ["support_exp_scalar"] : [] }

  var sums: KernelCall {
    let maps = rows.maps
    return KernelCall(
      template: "dice_sums", name: "\(context.name)_sums",
      title: "sums over each row for the Dice score", layers: [context.name],
      constants: constants, flags: flags, texts: texts, support: support, scalars: rows.scalars,
      arguments: [
        rows.x, labels,
        Argument(
          "sums", element: "float", access: .write, buffer: parts, dimensions: ["H", "K", "2"],
          text: "[batch, \(maps.h), \(maps.c), 2]  overlap of probabilities and truth, and both"),
      ], work: rows.work(flopsPerValue: 40))
  }

  /// The score of each image and class, and what the gradients are made of.
  var scores: KernelCall {
    let maps = rows.maps
    let weight = rows.weights(loss.weights)
    return KernelCall(
      template: "dice_scores", name: "\(context.name)_scores",
      title: "Dice score of each image and class", layers: [context.name],
      constants: [ConstantRow([Constant("K", maps.c), Constant("H", maps.h)])],
      texts: [
        "smoothing": cFloat(loss.smoothing), "weighted": weight == nil ? "" : "weights[n] * ",
      ], scalars: [.batch],
      arguments: [
        Argument(
          "sums", element: "float", access: .read, buffer: parts, dimensions: ["H", "K", "2"],
          text: "[batch, \(maps.h), \(maps.c), 2]")
      ] + [weight].compactMap { $0 } + [
        Argument(
          "factors", element: "float", access: .write, buffer: factors, dimensions: ["K", "2"],
          text:
            "[batch, \(maps.c), 2]  gradient by the probability: of the truth, and of all pixels"
        ),
        Argument(
          "each", element: "float", access: .write, buffer: each,
          text: "[batch]  loss of each image"
        ),
      ], isParallel: true,
      work: Work(
        flops: Double(maps.n * maps.h * maps.c * 2), bytes: Double(maps.n * maps.h * maps.c * 8),
        efficiency: 0.1))
  }

  var slopes: [KernelCall] {
    guard let gradient = rows.gradient else { return [] }
    var texts = texts
    texts["columns"] = nil
    texts["store"] = rows.store
    texts["slope"] = row("d_x")
    texts["scale"] = rows.scale(divisor: rows.maps.c)
    texts["factor"] =
      rows.isLanes ? "factors[MIN(n * LANES + i % LANES, batch - 1)][k]" : "factors[n][k]"
    texts["step"] =
      isSoftmax
      ? "share * (by_share - mean[i])"
      : isSigmoid ? "by_share * share * (1.0f - share)" : "by_share"
    var flags = flags
    flags["probabilities"] = loss.form == .probabilities
    return [
      KernelCall(
        template: "dice_slopes", name: "\(context.name)_backward",
        title: "gradient of the Dice score", notes: rows.notes, layers: [context.name],
        constants: constants, flags: flags, texts: texts, support: support, scalars: rows.scalars,
        arguments: (loss.form == .probabilities ? [] : [rows.x]) + [
          labels,
          Argument(
            "factors", element: "float", access: .read, buffer: factors, dimensions: ["K", "2"],
            text: "[batch, \(rows.maps.c), 2]"), gradient,
        ], work: rows.work(flopsPerValue: 60))
    ]
  }
}
