import ConvcIR

/// The kernels of a softmax along an axis, and of its logarithm.
///
/// Lines along the axis are taken many at a time, as many as stand behind one another in memory: columns of a map, or
/// images in lanes. Where the axis itself is contiguous, a line is taken alone.
struct SoftmaxKernels {
  let axis: Int
  let isLogarithm: Bool

  static func output(for inputs: [TensorType], axis: Int) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (2...4).contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape, wayOut: "[N, F], [N, C, L] and [N, C, H, W] work")
    }
    _ = try MapAxis(axis, of: input)
    return input
  }

  static func reach(_ axis: Int, of type: TensorType) -> Reach {
    (try? MapAxis(axis, of: type)) == .channels ? .value : .everything
  }

  func candidates(for group: GroupContext) -> [Candidate] {
    guard let axis = try? MapAxis(axis, of: group.inputTypes[0]) else { return [] }
    return anyLayoutCandidates(
      for: group, needsFullBlocks: true,
      forward: { [streamedForward($0, axis) ?? forward($0, axis)] },
      backward: { context in
        guard let gradient = context.inputGradients[0] else { return [] }
        return [
          streamedBackward(context, to: gradient, axis) ?? backward(context, to: gradient, axis)
        ]
      })
  }

  /// Across channels the rows of a map may be one.
  private func joined(_ tensors: [Placement], _ axis: MapAxis) -> [Placement] {
    axis == .channels ? tensors.joiningRows : tensors
  }

  private func forward(_ context: ForwardContext, _ axis: MapAxis) -> KernelCall {
    let tensors = joined([context.inputs[0], context.output], axis)
    let (x, y) = (tensors[0], tensors[1])
    let target = context.context.target
    let dialect: Dialect = y.isVector ? .vector : .scalar
    // Whole vectors go through the lines piece by piece of the first-level cache.
    let most = y.isVector ? 8 * y.lanes : 512
    // Scores of a piece that fit 32 KiB are read once. Of blocks there are few, which stay near without a copy.
    let places = axis == .channels ? y.blocks : axis == .rows ? y.maps.h : y.maps.w
    let room = 8192 / places / 16 * 16
    let joins = axis == .channels && y.layout == .blocked
    let keeps = room >= (y.isVector ? 6 * y.lanes : 64) && !joins
    let lines = LinePieces(y, axis, cells: keeps ? min(room, most) : most, dialect: dialect)
    let isLine = lines.isContiguous
    let suffix = dialect == .vector ? "vector" : "scalar"
    return KernelCall(
      template: isLine ? "softmax_line_forward" : "softmax_forward",
      name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
      layers: layerNames(context.context),
      constants: isLine ? lines.lineConstants(target) : lines.constants,
      flags: isLine
        ? lines.lineFlags(target).merging(["log": isLogarithm, "long": lines.isLong(target)]) { $1 }
        : lines.flags.merging([
          "log": isLogarithm, "kept": keeps,
          "ahead": lines.readsAhead(target),
        ]) { $1 },
      texts: isLine
        ? lines.lineTexts(["x", "y"])
        : lines.texts(["x", "y"]).merging(values(dialect)) { $1 }.merging([
          "score": keeps ? "scores[k]" : lines.address(of: "x", place: "k"),
          "share": keeps ? "scores[k]" : lines.address(of: "y", place: "k"),
          "next": lines.isInPieces ? "PIECE" : axis.constant,
        ]) { $1 },
      support: ["support_exp_\(suffix)"] + (isLogarithm ? ["support_log_\(suffix)"] : [])
        + (lines.joins ? ["support_join_largest"] : []) + lines.joinsSums,
      scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, dialect, meaning: x.lanesText), y.argument("y", .write, dialect),
      ], work: streamingWork(x, y, flopsPerValue: 10))
  }

  /// What one place of a piece is in C.
  private func values(_ dialect: Dialect) -> [String: String] {
    let isVector = dialect == .vector
    return [
      "type": isVector ? "lanes" : "float", "zero": isVector ? "(lanes){0}" : "0.0f",
      "lowest": isVector ? "(lanes){0} - INFINITY" : "-INFINITY",
      "suffix": isVector ? "lanes" : "float", "line": isVector ? "1" : "16",
      "larger": isVector
        ? "pick(score[i] > largest[i], score[i], largest[i])"
        : "score[i] > largest[i] ? score[i] : largest[i]",
    ]
  }

  private func backward(
    _ context: BackwardContext, to gradient: GradientPlacement, _ axis: MapAxis
  ) -> KernelCall {
    let tensors = joined(
      [context.forward.output, context.outputGradient, gradient.placement], axis)
    let (y, after, before) = (tensors[0], tensors[1], tensors[2])
    let target = context.context.target
    // Sums over channels stay in registers.
    let lines = LinePieces(before, axis, cells: axis == .channels ? 128 : 512)
    let names = ["y", "d_y", "d_x"]
    return KernelCall(
      template: lines.isContiguous ? "softmax_line_backward" : "softmax_backward",
      name: "\(context.context.group.name)_backward", title: "gradient of the input",
      layers: layerNames(context.context),
      constants: lines.isContiguous ? lines.lineConstants(target) : lines.constants,
      flags: lines.isContiguous
        ? lines.lineFlags(target).merging(["log": isLogarithm]) { $1 }
        : lines.flags.merging([
          "log": isLogarithm,
          "ahead": lines.isInPieces && before.comesLate(target),
        ]) { $1 },
      texts: (lines.isContiguous ? lines.lineTexts(names) : lines.texts(names))
        .merging(["store": gradient.accumulates ? "+=" : "="]) { $1 },
      support: (isLogarithm ? ["support_exp_scalar"] : [])
        + lines.joinsSums,
      scalars: [before.outerScalar],
      arguments: [
        y.argument("y", .read, .scalar, meaning: y.lanesText),
        after.argument("d_y", .read, .scalar),
        before.argument("d_x", gradient.accumulates ? .update : .write, .scalar),
      ], work: streamingWork(y, after, before, flopsPerValue: isLogarithm ? 10 : 2))
  }
}
