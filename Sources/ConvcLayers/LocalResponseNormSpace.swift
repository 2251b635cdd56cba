import ConvcIR

/// The kernels whose windows are squares of a map.
///
/// Small windows go back in one kernel, which keeps the last rows of what backward needs. Large ones, and maps too wide for
/// that, would need too much: a first kernel writes what every place adds to the gradients around it, a second one sums that.
extension LocalResponseKernels {
  private var isNarrow: Bool { (half ?? 0) <= 4 }

  /// - Parameter vectors: columns at a time where the layout has vectors.
  private func spaceConstants(_ placement: Placement, vectors: Int, floats: Int) -> [ConstantRow] {
    let piece = min(placement.maps.w, placement.isVector ? vectors : floats)
    let row = placement.columns * (placement.isVector ? placement.lanes : 1)
    return [
      ConstantRow(placement.extents()),
      ConstantRow([Constant("PIECE", piece)], comment: "columns at a time"),
    ] + window
      + (isInner(placement)
        ? [ConstantRow([Constant("ROW", row)], comment: "floats from one row to the next")] : [])
  }

  /// Whether all rows of a window are taken at once where they are in the map.
  private func isInner(_ placement: Placement) -> Bool {
    isNarrow && placement.type.shape.count == 4
  }

  private func spaceTexts(_ placement: Placement) -> [String: String] {
    var texts = [
      "outer": placement.outerScalar.rawValue, "lanes": placement.isVector ? " * LANES" : "",
      // A sequence is one row.
      "rows": placement.type.shape.count == 3 ? "0" : "HALF",
      "x_middle": address(placement, "x", "[n][m][h][first]"),
    ]
    for name in ["x", "d_y", "d_x", "y", "slopes"] {
      texts["\(name)_row"] = address(placement, name, "[n][m][h][w0]")
      texts["\(name)_neighbour"] = address(placement, name, "[n][m][r][first]")
    }
    return texts
  }

  /// The address of a place in a tensor of floats.
  private func address(_ placement: Placement, _ name: String, _ place: String) -> String {
    (placement.isVector ? "" : "&") + name + place
  }

  /// Those of the texts that a template wants, and the formula's.
  private func texts(_ placement: Placement, _ wanted: [String], without: String)
    -> [String: String]
  {
    let all = spaceTexts(placement)
    var texts = backwardTexts()
    texts[without] = nil
    for key in ["outer", "lanes", "rows"] + wanted { texts[key] = all[key] }
    return texts
  }

  /// The values, or with an output's gradient what every place adds to the gradients of its neighbours.
  func space(
    _ context: ForwardContext, of gradient: (after: Placement, slopes: Placement)? = nil
  ) -> KernelCall {
    let (x, y) = (context.inputs[0], gradient?.slopes ?? context.output)
    if gradient == nil, isInner(x), keepsRows(x, arrays: 2) { return rowsForward(context) }
    let name = context.context.group.name
    // What is written is asked for so much before, and what is read beyond the last row of the window, which is read next.
    let ahead = x.comesFromMemory(context.context.target)
    let distance = x.isVector ? 2048 : 1024
    var texts = texts(
      x, ["x_row", "d_y_row", "x_neighbour", "x_middle"], without: "coefficient")
    texts["result_row"] = spaceTexts(x)[gradient == nil ? "y_row" : "slopes_row"]
    return KernelCall(
      template: "lrn_space_forward", name: gradient == nil ? "\(name)_forward" : "\(name)_slopes",
      title: gradient == nil
        ? groupSummary(context.context) : "what every place adds to the gradients around it",
      layers: layerNames(context.context),
      constants: spaceConstants(x, vectors: isNarrow ? 8 : 16, floats: 512)
        + (ahead ? [ConstantRow([Constant("AHEAD", distance)], comment: "floats")] : []),
      flags: [
        "slopes": gradient != nil, "narrow": isNarrow, "inner": isInner(x), "ahead": ahead,
      ], texts: texts,
      support: support(), scalars: [x.outerScalar],
      arguments: [x.argument("x", .read, .scalar, meaning: x.lanesText)]
        + (gradient.map { [$0.after.argument("d_y", .read, .scalar)] } ?? [])
        + [y.argument(gradient == nil ? "y" : "slopes", .write, .scalar)],
      work: streamingWork(x, y, flopsPerValue: 30))
  }

  func spaceBackward(
    _ context: BackwardContext, to gradient: GradientPlacement
  ) -> [KernelCall] {
    let (x, after) = (context.forward.inputs[0], context.outputGradient)
    if isNarrow, x.type.shape.count == 3 { return [sequenceBackward(context, to: gradient)] }
    if isInner(x), x.isVector { return [lanesBackward(context, to: gradient)] }
    if isInner(x), keepsRows(x, arrays: 3 * (half ?? 0) + 5) {
      return [rowsBackward(context, to: gradient)]
    }
    let name = context.context.group.name
    let slopes = Placement(
      buffer: context.buffers.arena(
        "\(name)_slopes",
        bytes: Placement(buffer: x.buffer, type: x.type, layout: x.layout, lanes: x.lanes).bytes),
      type: x.type, layout: x.layout, lanes: x.lanes)
    var texts = texts(
      x, ["x_row", "d_y_row", "d_x_row", "x_neighbour", "slopes_neighbour"], without: "inverse")
    texts["store"] = gradient.accumulates ? "+=" : "="
    return [
      space(context.forward, of: (after, slopes)),
      KernelCall(
        template: "lrn_space_backward", name: "\(name)_backward", title: "gradient of the input",
        layers: layerNames(context.context),
        constants: spaceConstants(x, vectors: 32, floats: 512), texts: texts, support: support(),
        scalars: [x.outerScalar],
        arguments: [
          x.argument("x", .read, .scalar, meaning: x.lanesText),
          after.argument("d_y", .read, .scalar), slopes.argument("slopes", .read, .scalar),
          target(gradient),
        ], work: streamingWork(x, after, slopes, x, flopsPerValue: 30)),
    ]
  }

  /// A kernel that goes back alone: its texts are the formula's and `texts`.
  private func backward(
    _ template: String, _ context: BackwardContext, to gradient: GradientPlacement,
    constants: [ConstantRow], flags: [String: Bool] = [:], texts: [String: String] = [:],
    dialect: Dialect = .scalar
  ) -> KernelCall {
    let (x, after) = (context.forward.inputs[0], context.outputGradient)
    let common = ["outer": x.outerScalar.rawValue, "store": gradient.accumulates ? "+=" : "="]
    return KernelCall(
      template: template, name: "\(context.context.group.name)_backward",
      title: "gradient of the input", layers: layerNames(context.context), constants: constants,
      flags: flags, texts: backwardTexts(dialect).merging(common) { $1 }.merging(texts) { $1 },
      support: support(dialect), scalars: [x.outerScalar],
      arguments: [
        x.argument("x", .read, dialect, meaning: x.lanesText),
        after.argument("d_y", .read, dialect), target(gradient, dialect),
      ], work: streamingWork(x, after, x, flopsPerValue: 60))
  }

  private func sequenceBackward(
    _ context: BackwardContext, to gradient: GradientPlacement
  ) -> KernelCall {
    let x = context.forward.inputs[0]
    var texts = ["lanes": x.isVector ? " * LANES" : ""]
    for (key, name, column) in [
      ("x_left", "x", "left"), ("x_first", "x", "first"), ("d_y_first", "d_y", "first"),
      ("x_row", "x", "w0"), ("d_y_row", "d_y", "w0"), ("d_x_row", "d_x", "w0"),
    ] { texts[key] = address(x, name, "[n][m][0][\(column)]") }
    return backward(
      "lrn_sequence_backward", context, to: gradient,
      constants: spaceConstants(x, vectors: 8, floats: 128), texts: texts)
  }

  // MARK: Whole rows in NCHW

  /// Floats in front of a kept row: a row of zeros wide enough for a window, so that rows start with a line of memory.
  private static let side = 16

  /// Floats of a kept row with zeros around it.
  private func room(_ placement: Placement) -> Int {
    Self.side + (placement.maps.w + (half ?? 0) + 15) / 16 * 16
  }

  /// Whether rows with zeros around them, four at most, and others without fit the stack.
  private func keepsRows(_ placement: Placement, arrays: Int) -> Bool {
    !placement.isVector && 4 * (4 * room(placement) + arrays * placement.maps.w) <= 52 << 10
  }

  private func rowConstants(_ placement: Placement, rows: Int? = nil, ahead: Int?)
    -> [ConstantRow]
  {
    [ConstantRow(placement.extents())]
      + (rows.map { [ConstantRow([Constant("ROWS", $0)], comment: "rows at a time")] } ?? [])
      + window
      + [
        ConstantRow(
          [Constant("SIDE", Self.side), Constant("ROOM", room(placement))],
          comment: "zeros in front of a row that is kept, and floats with those behind it")
      ]
      + (ahead.map {
        [
          ConstantRow(
            [Constant("ROW", placement.columns), Constant("AHEAD", $0)],
            comment: "floats of a row in memory, and from one that is asked for")
        ]
      } ?? [])
  }

  private func rowsForward(_ context: ForwardContext) -> KernelCall {
    let (x, y) = (context.inputs[0], context.output)
    let ahead = x.comesFromMemory(context.context.target)
    var texts = texts()
    texts["outer"] = x.outerScalar.rawValue
    return KernelCall(
      template: "lrn_space_rows_forward", name: "\(context.context.group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: rowConstants(x, rows: 16, ahead: ahead ? 1536 : nil), flags: ["ahead": ahead],
      texts: texts, support: support(), scalars: [x.outerScalar],
      arguments: [x.argument("x", .read, .scalar), y.argument("y", .write, .scalar)],
      work: streamingWork(x, y, flopsPerValue: 30))
  }

  private func rowsBackward(
    _ context: BackwardContext, to gradient: GradientPlacement
  ) -> KernelCall {
    let x = context.forward.inputs[0]
    let ahead = x.comesFromMemory(context.context.target)
    return backward(
      "lrn_space_rows_backward", context, to: gradient,
      constants: rowConstants(x, ahead: ahead ? 1024 : nil), flags: ["ahead": ahead])
  }

  // MARK: Vectors

  /// Where columns are whole vectors, sums over the columns of a window stay in registers from column to column.
  private func lanesBackward(
    _ context: BackwardContext, to gradient: GradientPlacement
  ) -> KernelCall {
    let (x, half) = (context.forward.inputs[0], half ?? 0)
    // Columns at a time: more, and the rows at hand leave the first-level cache; fewer, and memory is read in short stretches.
    // Each piece computes some columns of its neighbours again, so in large windows it is wider, up to 52 KiB of stack.
    let room = (52 << 10) / (4 * x.lanes * (3 * half + 3)) - 4 * half
    let target = context.context.target
    let streams = gradient.passesCaches(target)
    let most = min(max((streams ? 2048 : 1024) / x.lanes, 32 * half), room)
    let pieces = (x.maps.w + most - 1) / most
    let piece = (x.maps.w + pieces - 1) / pieces
    let ahead = x.comesFromMemory(target)
    return backward(
      "lrn_space_lanes_backward", context, to: gradient,
      constants: [
        ConstantRow(x.extents()),
        ConstantRow([Constant("PIECE", piece)], comment: "columns at a time"),
      ] + window
        + (ahead
          ? [
            ConstantRow(
              [Constant("ROW", x.columns), Constant("AHEAD", max(1, 64 / piece))],
              comment: "columns of a row in memory, and rows that are asked for before")
          ] : []),
      flags: ["ahead": ahead, "streams": streams], dialect: .vector)
  }

  private func target(_ gradient: GradientPlacement, _ dialect: Dialect = .scalar) -> Argument {
    gradient.placement.argument("d_x", gradient.accumulates ? .update : .write, dialect)
  }
}
