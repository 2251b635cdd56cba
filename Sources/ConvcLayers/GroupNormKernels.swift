import ConvcIR

/// The kernels of a layer that normalises groups of an image's channels.
///
/// A thread takes a unit, whole groups in whole maps: one group, or as many as it takes to fill blocks of channels. It goes
/// through the unit twice, for statistics and for values, so that small units come from the cache the second time. Each
/// map's sums are taken around the mean of its first row and joined in double precision, as Chan, Golub and LeVeque 1979
/// do it: nothing cancels where all values are close to one another.
struct GroupNormKernels {
  private let layer: any GroupNormalization
  private let context: ForwardContext
  private let input: Placement
  /// Channels of a group.
  private let size: Int
  private let groups: Int

  init(_ layer: any GroupNormalization, groups: Int, context: ForwardContext) {
    self.layer = layer
    self.context = context
    self.groups = groups
    input = context.inputs[0]
    size = context.inputs[0].maps.c / groups
  }

  private var name: String { context.context.group.name }
  private var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a normalisation without its anchor")
    }
    return node
  }

  // MARK: Units

  private var isBlocked: Bool { input.layout == .blocked }
  /// Maps, or blocks of maps, of a unit.
  private var maps: Int {
    guard isBlocked else { return size }
    return leastCommonMultiple(size, input.lanes) / input.lanes
  }
  private var units: Int { input.blocks / maps }
  /// Statistics of a unit: of its groups, or of its group in each image of a vector.
  private var statistics: Int {
    switch input.layout {
    case .nchw: 1
    case .lanes: input.lanes
    case .blocked: maps * input.lanes / size
    }
  }
  /// Floats of a row.
  private var cells: Int { (input.isMaps ? input.maps.w : 1) * (input.isVector ? input.lanes : 1) }
  /// Floats at a time.
  private var step: Int {
    if input.isVector { return input.lanes }
    return context.context.target.stepOfSums(row: cells) ?? (cells >= 4 ? 4 : 1)
  }

  private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return a / x * b
  }

  /// Floats of a unit.
  private var distance: Int {
    maps * input.rows * input.columns * (input.isVector ? input.lanes : 1)
  }

  /// Whether a unit's results are asked for while its sums are taken: maps come from memory, and so many tensors of a
  /// unit fit a quarter of the second-level cache. Sums only read, so memory has time for what is written afterwards.
  private func asksForResults(tensors: Int) -> Bool {
    let target = context.context.target
    return input.comesFromMemory(target) && 4 * tensors * distance * 4 <= target.level2
  }

  /// Whether rows of maps in order are whole lines of memory that pass the caches.
  private func streams(_ passesCaches: Bool) -> Bool {
    passesCaches && !input.isVector && cells % 16 == 0
  }

  private var constants: [ConstantRow] {
    let channels = isBlocked ? [Constant("SIZE", size)] : []
    return [
      ConstantRow(input.extents()),
      ConstantRow(
        [Constant("UNITS", units), Constant("MAPS", maps)] + channels,
        comment: isBlocked
          ? "units of whole groups, blocks of a unit, channels of a group"
          : "groups, and maps of a group"),
      ConstantRow(
        [Constant("CELLS", cells), Constant("STEP", step)],
        comment: "floats of a row, and how many at a time"),
      ConstantRow(
        [
          Constant("PIXELS", input.maps.pixels), Constant("COUNT", size * input.maps.pixels),
          Constant("STATS", statistics), Constant("WIDTH", input.isVector ? input.lanes : 1),
        ], comment: "values of a map and of a group, statistics of a unit and of a map"),
    ]
  }

  private var flags: [String: Bool] {
    [
      "maps": input.isMaps, "flat": !input.isVector, "rest": cells % step != 0,
      "affine": layer.hasParameters, "variance": layer.normalizesVariance,
    ]
  }

  private var texts: [String: String] {
    let index = isBlocked ? "(k * LANES + j)" : ""
    return [
      "outer": input.outerScalar.rawValue, "lane": input.isVector ? "[j]" : "[0]",
      "stat": isBlocked ? "\(index) / SIZE" : input.isVector ? "j" : "0",
      "x_row": row("x"), "channel": isBlocked ? "m * LANES + j" : "m",
    ]
  }

  /// The address of a row.
  private func row(_ name: String, _ h: String = "h") -> String {
    let index = "[n][m]" + (input.isMaps ? "[\(h)]" : "")
    return input.isVector
      ? name + index + (input.isMaps ? "[0]" : "")
      : input.isMaps ? name + index : "&" + name + index
  }

  // MARK: Arguments

  private func saved(_ access: Access) -> Argument {
    Argument(
      "statistics", element: "float", access: access,
      buffer: context.buffers.saved(
        "statistics", bytes: input.outer * units * 2 * statistics * 4),
      dimensions: ["UNITS", "2", "STATS"],
      text: "[\(input.outerScalar.rawValue), \(units), 2, \(statistics)]  "
        + "mean and inverse deviation")
  }

  private func parameter(_ name: String, _ index: Int) -> Argument {
    Argument(
      name, element: "float", access: .read,
      buffer: context.buffers.parameter(node.parameters[index]), text: "[\(input.maps.c)]")
  }

  // MARK: Forward

  func forward() -> KernelCall {
    let y = context.output
    let saves = context.context.savesForBackward
    let streams = streams(y.passesCaches(context.context.target))
    let asksForResults = asksForResults(tensors: 2)
    // Where units are larger, sums wait for what they read: a single stream, which processors follow to the end of a page.
    let asksAhead =
      !asksForResults && !input.isVector && input.comesFromMemory(context.context.target)
    return KernelCall(
      template: "groupnorm_forward", name: "\(name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: constants
        + (asksAhead
          ? [ConstantRow([Constant("AHEAD", 2048)], comment: "floats that are asked for before")]
          : []),
      flags: flags.merging([
        "saves": saves, "soon": asksForResults && !streams, "ahead": asksAhead,
        "streams": streams,
      ]) { $1 },
      texts: texts.merging([
        "x_first": row("x", "0"), "y_row": row("y"),
        "before": isBlocked ? "(k * LANES + j) % SIZE" : "k", "epsilon": cFloat(layer.epsilon),
      ]) { $1 },
      support: streams ? ["support_stream_line"] : [], scalars: [y.outerScalar],
      arguments: [
        input.argument("x", .read, .scalar, meaning: input.lanesText),
        y.argument("y", .write, .scalar),
      ] + (layer.hasParameters ? [parameter("weight", 0), parameter("bias", 1)] : [])
        + (saves ? [saved(.write)] : []), work: streamingWork(input, y, flopsPerValue: 4))
  }

  // MARK: Backward

  func backward(_ context: BackwardContext) -> [KernelCall] {
    guard layer.hasParameters, context.wanted.parameters else {
      return context.inputGradients[0].map { [gradients(context, to: $0, parts: nil)] } ?? []
    }
    let channels = input.maps.c
    let outer = input.outerScalar.rawValue
    let parts = Argument(
      "parts", element: "float", access: .write,
      buffer: context.buffers.arena("\(name)_d_parts", bytes: input.outer * 2 * channels * 4),
      dimensions: ["2", "\(channels)"],
      text: "[\(outer), 2, \(channels)]  gradients of weight and bias")
    return [
      gradients(context, to: context.inputGradients[0], parts: parts), sum(parts, context),
    ]
  }

  private func gradients(
    _ context: BackwardContext, to gradient: GradientPlacement?, parts: Argument?
  ) -> KernelCall {
    let after = context.outputGradient
    let readsInput = layer.normalizesVariance || parts != nil
    let streams = streams(gradient?.passesCaches(self.context.context.target) == true)
    var texts = texts
    texts["d_y_row"] = row("d_y")
    texts["d_x_row"] = row("d_x")
    texts["cell"] = input.isVector ? "i + j" : "i"
    texts["result"] =
      streams ? "results[i - line]" : input.isVector ? "d_before[i + j]" : "d_before[i]"
    texts["store"] = gradient?.accumulates == true ? "+=" : "="
    let title = [
      gradient.map { _ in "gradient of the input" },
      parts.map { _ in "each image's part of the gradients of weight and bias" },
    ].compactMap { $0 }.joined(separator: ", and ")
    let target = gradient.map {
      $0.placement.argument("d_x", $0.accumulates ? .update : .write, .scalar)
    }
    return KernelCall(
      template: "groupnorm_backward", name: "\(name)_backward", title: title,
      layers: layerNames(context.context), constants: constants,
      flags: flags.merging([
        "data": gradient != nil, "parts": parts != nil, "reads": readsInput,
        "blocked": isBlocked, "streams": streams,
        "soon": gradient != nil && asksForResults(tensors: 3) && !streams,
      ]) { $1 }, texts: texts, support: streams ? ["support_stream_line"] : [],
      scalars: [input.outerScalar],
      arguments: (readsInput ? [input.argument("x", .read, .scalar, meaning: input.lanesText)] : [])
        + [after.argument("d_y", .read, .scalar)]
        + (readsInput ? [saved(.read)] : [])
        + (layer.hasParameters && gradient != nil ? [parameter("weight", 0)] : [])
        + [target, parts].compactMap { $0 },
      work: streamingWork(input, after, input, flopsPerValue: 4))
  }

  private func sum(_ parts: Argument, _ context: BackwardContext) -> KernelCall {
    let channels = input.maps.c
    let gradients = ["d_weight", "d_bias"].enumerated().map { index, name in
      Argument(
        name, element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[index]), text: "[\(channels)]")
    }
    return KernelCall(
      template: "groupnorm_parameters", name: "\(name)_backward_parameters",
      title: "gradients of weight and bias: the sums of their parts",
      layers: layerNames(context.context), constants: [ConstantRow([Constant("C", channels)])],
      texts: ["outer": input.outerScalar.rawValue], scalars: [input.outerScalar, .accumulate],
      arguments: [
        Argument(
          "parts", element: "float", access: .read, buffer: parts.buffer,
          dimensions: ["2", "C"], text: parts.text)
      ] + gradients,
      work: Work(flops: Double(input.outer * 2 * channels), bytes: 0, efficiency: 0.05))
  }
}
