import ConvcIR

/// A prediction as maps, which the kernels of all losses go through row by row.
///
/// Losses of single values take features for one row, losses of classes for the classes of one pixel.
struct LossRows {
  let context: LossContext
  let maps: MapShape
  private let origin: Int
  /// Rows and columns with the halo, where there is one.
  private let rows: String
  private let columns: String

  private init(_ context: LossContext, _ maps: MapShape) {
    self.context = context
    self.maps = maps
    let prediction = context.prediction
    origin = prediction.isMaps ? prediction.origin() : 0
    rows = prediction.isMaps && prediction.rows != maps.h ? "\(prediction.rows)" : "H"
    columns = prediction.isMaps && prediction.columns != maps.w ? "\(prediction.columns)" : "W"
  }

  static func ofValues(_ context: LossContext) -> LossRows {
    let maps = context.prediction.maps
    return LossRows(
      context,
      context.prediction.isMaps ? maps : MapShape(n: maps.n, c: 1, h: 1, w: maps.c))
  }

  static func ofPixels(_ context: LossContext) -> LossRows {
    LossRows(context, context.prediction.maps)
  }

  var prediction: Placement { context.prediction }
  var isLanes: Bool { prediction.layout == .lanes }
  var lanes: Int { isLanes ? prediction.lanes : 1 }
  var scalars: [Scalar] { isLanes ? [.batch, .groups] : [.batch] }

  var constants: [ConstantRow] {
    let comment =
      prediction.isMaps ? "" : maps.c == 1 ? "features stand in one row" : "features as one pixel"
    return [
      ConstantRow(
        [Constant("K", maps.c), Constant("H", maps.h), Constant("W", maps.w)], comment: comment)
    ]
  }

  /// The prediction, or its gradient.
  private func argument(
    _ name: String, _ access: Access, _ placement: Placement, meaning: String = ""
  ) -> Argument {
    let text = meaning.isEmpty ? placement.text : "\(placement.text)  \(meaning)"
    return Argument(
      name, element: "float", access: access, buffer: placement.buffer, origin: origin * lanes,
      dimensions: ["K", rows, columns] + (isLanes ? ["LANES"] : []), text: text)
  }

  var x: Argument { argument("x", .read, prediction, meaning: prediction.lanesText) }

  var gradient: Argument? {
    context.gradient.map {
      let placement = $0.placement
      precondition(
        placement.halo.isNone || placement.halo == prediction.halo,
        "internal error: the gradient of \(context.name) has another halo than its prediction")
      let free = placement.halo.isNone
      return Argument(
        "d_x", element: "float", access: $0.accumulates ? .update : .write,
        buffer: placement.buffer, origin: free ? 0 : origin * lanes,
        dimensions: ["K", free ? "H" : rows, free ? "W" : columns] + (isLanes ? ["LANES"] : []),
        text: placement.text)
    }
  }

  /// A tensor of the caller's, with a value for each of the prediction's.
  func values(_ name: String, _ buffer: Buffer.ID, element: String = "float") -> Argument {
    Argument(
      name, element: element, access: .read, buffer: buffer, dimensions: ["K", "H", "W"],
      text: extents(context.prediction.type.shape.dropFirst()))
  }

  /// A tensor of the caller's, with a value for each pixel.
  func pixels(_ name: String, _ buffer: Buffer.ID, element: String = "float") -> Argument {
    Argument(
      name, element: element, access: .read, buffer: buffer, dimensions: ["H", "W"],
      text: extents(context.prediction.type.shape.dropFirst(2)))
  }

  private func extents(_ shape: some Collection<Int>) -> String {
    "[" + (["batch"] + shape.map(String.init)).joined(separator: ", ") + "]"
  }

  /// The factors that the caller passes.
  func weights(_ weights: LossWeights) -> Argument? {
    guard weights != .none, let buffer = context.others.first else { return nil }
    return weights == .pixels
      ? pixels("weights", buffer)
      : Argument("weights", element: "float", access: .read, buffer: buffer, text: "[batch]")
  }

  /// A factor that the caller passes, at an image and a column.
  func weight(_ weights: LossWeights, image: String, column: String) -> String? {
    switch weights {
    case .none: nil
    case .samples: "weights[\(image)]"
    case .pixels: "weights[\(image)][h][\(column)]"
    }
  }

  /// Where each row's loss goes: the sum over its values.
  func sums() -> (buffer: Buffer.ID, argument: Argument) {
    let buffer = context.buffers.arena("\(context.name)_each", bytes: maps.n * maps.h * 4)
    return (
      buffer,
      Argument(
        "each", element: "float", access: .write, buffer: buffer, dimensions: ["H"],
        text: "\(extents(maps.h > 1 ? [maps.h] : []))  sum over each row")
    )
  }

  /// Factor of the gradients: the loss's weight over the batch and the number of an image's places.
  func scale(divisor: Int) -> String {
    let batch = divisor == 1 ? "(float)batch" : "((float)batch * \(cFloat(Float(divisor))))"
    return "\(cFloat(context.weight)) / \(batch)"
  }

  /// The kernel that adds up the rows of all images and divides by their number and by that of an image's places.
  func mean(of buffer: Buffer.ID, divisor: Int) -> KernelCall {
    let divisorText = divisor == 1 ? "batch" : "((double)batch * \(divisor).0)"
    return lossMean(
      context, of: buffer, rows: maps.h > 1 ? maps.h : nil,
      title: "sum over the rows, mean over the batch", divisor: divisorText)
  }

  var store: String { context.gradient?.accumulates == true ? "+=" : "=" }

  func work(flopsPerValue: Double) -> Work {
    streamingWork(prediction, prediction, flopsPerValue: flopsPerValue)
  }

  var notes: [String] { isLanes ? ["Lanes without an image get a gradient of zero."] : [] }
}

/// The kernel that adds up what the parts of a batch have lost.
///
/// - Parameter rows: parts of an image; nil: one.
func lossMean(
  _ context: LossContext, of each: Buffer.ID, rows: Int?, title: String, divisor: String
) -> KernelCall {
  let count = rows.map { "batch * \($0)" } ?? "batch"
  let extents = rows.map { "[batch, \($0)]" } ?? "[batch]"
  return KernelCall(
    template: "loss_mean", name: "\(context.name)_mean", title: title, layers: [context.name],
    constants: [], texts: ["count": count, "divisor": divisor], scalars: [.batch],
    arguments: [
      Argument("each", element: "float", access: .read, buffer: each, text: extents),
      Argument(
        "loss", element: "float", access: .write, buffer: context.losses, origin: context.index,
        text: "[1]"),
    ], isParallel: false,
    work: Work(
      flops: Double(context.prediction.maps.n * (rows ?? 1)), bytes: 0, efficiency: 0.1))
}
