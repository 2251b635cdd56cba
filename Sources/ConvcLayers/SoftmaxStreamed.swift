import ConvcIR

/// The kernels of a softmax over the channels of maps that pass the caches.
///
/// Pieces of all channels go through in turn: while one is read, exponentials are taken of the one before it, and the one
/// before that is written. So memory is never idle, and what a piece needs again is kept beside: its channels lie so far
/// from each other that they would push each other out of a cache.
extension SoftmaxKernels {
  /// Pieces of one image that a thread takes one after the other.
  private static let run = 16
  /// Floats that are asked for before they are read.
  private static let ahead = 1024

  /// Pieces of as many floats as fit; nil: maps are small, or do not fall into such pieces.
  ///
  /// - Parameter copies: floats that are kept beside for each one of a piece.
  private func pieces(
    _ results: Placement, _ axis: MapAxis, passesCaches: Bool, copies: Int
  ) -> LinePieces? {
    guard passesCaches, axis == .channels else { return nil }
    let room = (40 << 10) / (4 * copies * results.blocks)
    let sizes = results.layout == .blocked ? [16 * results.lanes] : [128, 64]
    return sizes.lazy.filter { $0 <= room }
      .map { (size: $0, lines: LinePieces(results, axis, cells: $0)) }
      .first { $0.lines.hasWholeLines && $0.lines.floats == $0.size }?.lines
  }

  private func constants(_ lines: LinePieces) -> [ConstantRow] {
    lines.constants + [
      ConstantRow(
        [Constant("RUN", Self.run), Constant("AHEAD", Self.ahead / lines.floats)],
        comment: "pieces one after the other, and channels that are asked for before")
    ]
  }

  func streamedForward(_ context: ForwardContext, _ axis: MapAxis) -> KernelCall? {
    let tensors = [context.inputs[0], context.output].joiningRows
    let (x, y) = (tensors[0], tensors[1])
    let passesCaches = y.passesCaches(context.context.target)
    guard let lines = pieces(y, axis, passesCaches: passesCaches, copies: 2) else {
      return nil
    }
    return KernelCall(
      template: "softmax_streamed_forward", name: "\(context.context.group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: constants(lines), flags: ["log": isLogarithm, "joins": lines.joins],
      texts: lines.texts(["x", "y"]).merging([
        "x_soon": lines.address(of: "x", place: "later % C"),
        "factor": isLogarithm ? "logarithm" : "inverse",
      ]) { $1 }.filter { $0.key != "extent" },
      support: ["support_exp_scalar"] + (isLogarithm ? ["support_log_scalar"] : [])
        + (lines.joins ? ["support_join_largest"] : []) + lines.joinsSums
        + ["support_stream_line"], scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText), y.argument("y", .write, .scalar),
      ], work: streamingWork(x, y, flopsPerValue: 10))
  }

  /// Of the logarithm; a softmax's own gradient has no exponentials that memory would wait for.
  func streamedBackward(
    _ context: BackwardContext, to gradient: GradientPlacement, _ axis: MapAxis
  ) -> KernelCall? {
    let tensors = [context.forward.output, context.outputGradient, gradient.placement].joiningRows
    let (y, after, before) = (tensors[0], tensors[1], tensors[2])
    let passesCaches = gradient.passesCaches(context.context.target)
    guard isLogarithm, let lines = pieces(before, axis, passesCaches: passesCaches, copies: 1)
    else { return nil }
    return KernelCall(
      template: "softmax_streamed_backward", name: "\(context.context.group.name)_backward",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: constants(lines), flags: ["joins": lines.joins],
      texts: lines.texts(["y", "d_y", "d_x"]).merging([
        "y_soon": lines.address(of: "y", place: "later % C"),
        "d_y_soon": lines.address(of: "d_y", place: "later % C"),
      ]) { $1 }.filter { $0.key != "extent" },
      support: ["support_exp_scalar"] + lines.joinsSums + ["support_stream_line"],
      scalars: [before.outerScalar],
      arguments: [
        y.argument("y", .read, .scalar, meaning: y.lanesText),
        after.argument("d_y", .read, .scalar), before.argument("d_x", .write, .scalar),
      ], work: streamingWork(y, after, before, flopsPerValue: 10))
  }
}
