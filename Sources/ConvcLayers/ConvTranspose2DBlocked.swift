import ConvcIR

extension ConvTranspose2D {
  /// A matrix product with channels in lanes whose results go to the phases of the windows; nil where windows overlap or
  /// channels fill no vectors.
  func blockedCandidate(for group: GroupContext) -> Candidate? {
    let lanes = group.target.lanes
    guard group.target.hasVectors, tiles, groups == 1, kernelSize.width <= 16,
      group.inputTypes[0].maps.c % lanes == 0, outputChannels % lanes == 0
    else { return nil }
    let shape = transposedShape(group)
    let rules = BlockedTiles(target: group.target)
    let forward = rules.transposedForward(shape)
    var efficiencies = [shape.steps / 2 / forward.cycles]
    let isBuffered = !group.group.epilogues.isEmpty
    if group.backward?.parameters == true {
      guard let tile = rules.transposedWeight(shape, isBuffered: isBuffered) else { return nil }
      efficiencies.append(shape.steps / 2 / tile.cycles)
    }
    if group.backward?.inputs.first == true {
      guard let tile = rules.transposedData(shape, isBuffered: isBuffered) else { return nil }
      efficiencies.append(shape.steps / 2 / tile.cycles)
    }
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    let passes = efficiencies.reduce(0) { $0 + flops / (group.target.peak * 0.77 * $1 * 1e3) }
    let packs = group.isTraining ? Double(efficiencies.count) * Double(shape.weightBytes) / 4e3 : 0
    return Candidate(
      family: "blocked", inputs: [.blocked], halos: [.none], output: .blocked,
      microseconds: passes + packs, forward: { [TransposedKernels(self, $0).forward()] },
      backward: { TransposedKernels(self, $0.forward).backward($0) })
  }

  func transposedShape(_ group: GroupContext) -> TransposedShape {
    let maps = group.inputTypes[0].maps
    let lanes = group.target.lanes
    return TransposedShape(
      c: maps.c / lanes, k: outputChannels / lanes, r: kernelSize.height, s: kernelSize.width,
      h: maps.h, w: maps.w, batch: maps.n, lanes: lanes)
  }
}

/// The kernels of one transposed convolution with channels in lanes.
struct TransposedKernels {
  let layer: ConvTranspose2D
  let context: ForwardContext
  let shape: TransposedShape

  private let names = ("K", "OH", "OW")

  init(_ layer: ConvTranspose2D, _ context: ForwardContext) {
    self.layer = layer
    self.context = context
    shape = layer.transposedShape(context.context)
  }

  private var group: Group { context.context.group }
  private var rules: BlockedTiles { BlockedTiles(target: context.context.target) }

  private var sizes: [ConstantRow] {
    [
      ConstantRow(
        [Constant("C", shape.c), Constant("H", shape.h), Constant("W", shape.w)],
        comment: "blocks of channels"),
      ConstantRow(
        [
          Constant("K", shape.k), Constant("R", shape.r), Constant("S", shape.s),
          Constant("OH", shape.r * shape.h), Constant("OW", shape.s * shape.w),
        ], comment: "blocks of maps; windows lie side by side"),
    ]
  }

  func forward() -> KernelCall {
    let tile = rules.transposedForward(shape)
    let after = PieceMaker(forward: context, dialect: .vector, names: names)
      .epilogues(group.epilogues)
    let input = context.inputs[0].argument(
      "x", .read, .scalar, meaning: context.inputs[0].lanesText)
    return KernelCall(
      template: "convtranspose2d_blocked_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: sizes + [
        ConstantRow(
          [Constant("TK", tile.maps), Constant("TW", tile.columns), Constant("TS", tile.phases)],
          comment: "register tile: blocks of maps x columns x phases")
      ],
      flags: [
        "bias": layer.hasBias, "map_tail": shape.k % tile.maps != 0,
        "column_tail": shape.w % tile.columns != 0, "maps_first": tile.mapsFirst,
      ], fragments: ["epilogue": after.fragments], support: after.support,
      scalars: [.batch] + after.scalars,
      arguments: [input, weight] + bias
        + [context.output.argument("y", .write, .vector, names: names)] + after.arguments,
      work: layer.work(context.context, 0.8))
  }

  // MARK: Backward

  func backward(_ backward: BackwardContext) -> [KernelCall] {
    let pieces = PieceMaker(forward: context, dialect: .vector, names: names)
      .reversed(group.epilogues)
    let gradient =
      [backward.outputGradient.argument("d_y", .read, .vector, names: names)] + pieces.arguments
    var calls: [KernelCall] = []
    if backward.wanted.parameters { calls += weightGradient(backward, pieces, gradient) }
    if let input = backward.inputGradients[0] {
      calls.append(dataGradient(pieces, gradient, input))
    }
    return calls + operandGradients(backward)
  }

  private func dataGradient(
    _ pieces: Pieces, _ gradient: [Argument], _ input: GradientPlacement
  ) -> KernelCall {
    let isBuffered = !pieces.fragments.isEmpty
    guard let tile = rules.transposedData(shape, isBuffered: isBuffered) else {
      preconditionFailure("internal error: \(group.name) has no tile for its data gradient")
    }
    return KernelCall(
      template: "convtranspose2d_blocked_backward_data", name: "\(group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: sizes + [
        ConstantRow(
          [Constant("TC", tile.channels), Constant("TW", tile.columns)],
          comment: "register tile: blocks of channels x columns"),
        ConstantRow(
          [Constant("TK", tile.maps), Constant("CW", tile.strip)],
          comment: "blocks of maps and columns at a time"),
      ],
      flags: [
        "buffered": isBuffered, "adds": input.accumulates,
        "channel_tail": shape.c % tile.channels != 0,
        "column_tail": shape.w % tile.columns != 0,
      ], fragments: ["prologue": pieces.fragments], support: pieces.support,
      scalars: [.batch] + pieces.scalars,
      arguments: [transposedWeight] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: layer.work(context.context, 0.8))
  }

  private func weightGradient(
    _ backward: BackwardContext, _ pieces: Pieces, _ gradient: [Argument]
  ) -> [KernelCall] {
    let isBuffered = !pieces.fragments.isEmpty
    guard let tile = rules.transposedWeight(shape, isBuffered: isBuffered) else {
      preconditionFailure("internal error: \(group.name) has no tile for its weight gradient")
    }
    let parts = self.parts(.write, "K * LANES * R * S", tile)
    return [
      KernelCall(
        template: "convtranspose2d_blocked_backward_weight",
        name: "\(group.name)_backward_weight",
        title: (layer.hasBias ? "gradients of weight and bias" : "gradient of the weight")
          + ", in parts",
        notes: ["The images are cut into chunks, whatever the number of threads."],
        layers: layerNames(context.context),
        constants: sizes + [
          ConstantRow(
            [Constant("TC", tile.channels), Constant("TM", tile.maps)],
            comment: "register tile: blocks of channels x maps x S"),
          ConstantRow(
            [
              Constant("PC", tile.partChannels), Constant("PK", tile.partMaps),
              Constant("CHUNKS", tile.chunks),
            ], comment: "blocks of channels and of maps of a part; chunks of images"),
          ConstantRow(
            [Constant("TH", tile.rows), Constant("CW", tile.strip)],
            comment: "rows and columns at a time"),
        ], flags: ["buffered": isBuffered, "bias": layer.hasBias],
        fragments: ["prologue": pieces.fragments], support: pieces.support,
        scalars: [.batch] + pieces.scalars,
        arguments: [
          context.inputs[0].argument("x", .read, .vector, meaning: context.inputs[0].lanesText)
        ] + gradient + parts, work: layer.work(context.context, 0.8)),
      weightSum(backward, tile),
    ]
  }

  /// Sums of the chunks: of the weights with channels in lanes, and of the bias.
  private func parts(_ access: Access, _ taps: String, _ tile: BlockedTiles.TransposedWeightTile)
    -> [Argument]
  {
    let count = shape.k * shape.lanes * shape.r * shape.s
    let weights = Argument(
      "parts", element: "lanes", access: access,
      buffer: context.buffers.saved("parts", bytes: tile.chunks * shape.weightBytes),
      dimensions: ["C", taps],
      text: "[\(tile.chunks), \(shape.c), \(count), \(shape.lanes)]  channels in lanes")
    guard layer.hasBias else { return [weights] }
    let bias = Argument(
      "bias_parts", element: "lanes", access: access,
      buffer: context.buffers.saved(
        "bias_parts", bytes: tile.chunks * shape.k * shape.lanes * 4), dimensions: ["K"],
      text: "[\(tile.chunks), \(shape.k), \(shape.lanes)]")
    return [weights, bias]
  }

  private func weightSum(_ backward: BackwardContext, _ tile: BlockedTiles.TransposedWeightTile)
    -> KernelCall
  {
    let bytes = Double(tile.chunks * shape.weightBytes)
    let gradients = layer.gradientArguments(backward).map { argument in
      argument.name == "d_weight"
        ? Argument(
          "d_weight", element: "float", access: .update, buffer: argument.buffer,
          dimensions: ["TAPS"], text: argument.text) : argument
    }
    return KernelCall(
      template: "convtranspose2d_blocked_weight_sum",
      name: "\(group.name)_backward_weight_sum",
      title: "adds the parts of the weight gradient in the order of the chunks",
      layers: layerNames(context.context),
      constants: [
        ConstantRow([
          Constant("C", shape.c), Constant("K", shape.k),
          Constant("TAPS", shape.k * shape.lanes * shape.r * shape.s),
          Constant("CHUNKS", tile.chunks),
        ])
      ], flags: ["bias": layer.hasBias], support: ["support_transpose", "support_store_taps"],
      scalars: [.batch, .accumulate], arguments: parts(.read, "TAPS", tile) + gradients,
      work: Work(flops: bytes / 4, bytes: bytes, efficiency: 0.1))
  }

  // MARK: Packed weights

  private var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a convolution's group without its anchor")
    }
    return node
  }

  private var bias: [Argument] {
    layer.hasBias
      ? [context.packedBias(of: node, count: layer.outputChannels, lanes: shape.lanes)] : []
  }

  /// The weights with maps in lanes, for the forward kernel: all channels of a phase one after the other.
  private var weight: Argument {
    let text =
      "[\(shape.k), \(shape.r), \(shape.s), \(shape.c), \(shape.lanes), \(shape.lanes)]  maps in lanes"
    return Argument(
      "weight", element: "lanes", access: .read,
      buffer: packed("blocked", dimensions: ["R * S", "C", "LANES", "LANES"], text),
      dimensions: ["R", "S", "C", "LANES"], text: text)
  }

  /// The weights with channels in lanes, for the gradient by data.
  private var transposedWeight: Argument {
    let text =
      "[\(shape.c), \(shape.k), \(shape.r), \(shape.s), \(shape.lanes), \(shape.lanes)]  channels in lanes"
    return Argument(
      "weight", element: "lanes", access: .read,
      buffer: packed("transposed", dimensions: ["K", "R * S", "LANES", "LANES"], text),
      dimensions: ["K", "R", "S", "LANES"], text: text)
  }

  private func packed(_ kind: String, dimensions: [String], _ text: String) -> Buffer.ID {
    let isForward = kind == "blocked"
    return context.buffers.packed("\(node.name).weight.\(kind)", bytes: shape.weightBytes) {
      packed in
      KernelCall(
        template: "convtranspose2d_blocked_pack",
        name: "\(node.name)_weight_\(isForward ? "prepare" : "transpose")",
        title: "weights with \(isForward ? "maps" : "channels") in lanes", layers: [node.name],
        constants: [
          ConstantRow(
            [
              Constant("C", shape.c), Constant("K", shape.k), Constant("R", shape.r),
              Constant("S", shape.s),
            ], comment: "C and K in blocks")
        ], flags: ["maps_in_lanes": isForward], scalars: [],
        arguments: [
          Argument(
            "weight", element: "float", access: .read,
            buffer: context.buffers.masterParameter(node.parameters[0]),
            dimensions: ["LANES * K", "R * S"],
            text: "[\(shape.c * shape.lanes), \(layer.outputChannels), \(shape.r), \(shape.s)]"),
          Argument(
            "y", element: "float", access: .write, buffer: packed, dimensions: dimensions,
            text: text),
        ],
        work: Work(flops: 0, bytes: Double(2 * shape.weightBytes), efficiency: 0.1))
    }
  }
}
