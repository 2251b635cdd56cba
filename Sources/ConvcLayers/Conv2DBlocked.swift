import ConvcIR

extension Conv2D {
  /// Register tiles of vectors with maps in lanes: full speed from the first image on. Reads blocks of channels, or
  /// planes; none where the maps fill no vectors or a row is too wide for the kernels' buffers.
  func blockedCandidates(for group: GroupContext) -> [Candidate] {
    guard group.fillsBlocks(group.outputType), window.kernelSize.width <= 16 else { return [] }
    let wantsData = group.backward?.inputs.first == true
    var layouts: [Layout] = []
    if group.fillsBlocks(group.inputTypes[0]) { layouts.append(.blocked) }
    if !wantsData { layouts.append(.nchw) }
    return layouts.compactMap { blockedCandidate(for: group, input: $0, wantsData: wantsData) }
  }

  private func blockedCandidate(for group: GroupContext, input: Layout, wantsData: Bool)
    -> Candidate?
  {
    let tiles = BlockedTiles(target: group.target)
    let shape = blockedShape(group, input)
    let forward = tiles.forward(shape)
    var efficiencies = [shape.filled * shape.steps / 2 / forward.cycles]
    // With members or pooling the gradient before them is kept in a buffer.
    if group.backward?.parameters == true {
      guard let tile = tiles.backwardWeight(shape, isBuffered: true) else { return nil }
      efficiencies.append(shape.steps / 2 / tile.cycles)
    }
    if wantsData {
      guard let tile = tiles.backwardData(shape) else { return nil }
      efficiencies.append(shape.steps / 2 / tile.cycles)
    }
    let padding = window.padding
    let halo = Halo(
      top: padding.top, bottom: padding.bottom, left: padding.left, right: padding.right)
    return Candidate(
      family: "blocked", inputs: [input], halos: [halo], output: .blocked,
      microseconds: blockedCost(group, shape, efficiencies), givesSums: true,
      readsDeferred: shape.r * shape.s > 1, givesRows: tiles.givesRows(group.group, shape, forward),
      forward: { [blockedForward($0)] }, backward: { blockedBackward($0) })
  }

  private func blockedCost(
    _ group: GroupContext, _ shape: BlockedShape, _ efficiencies: [Double]
  ) -> Double {
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    let passes = efficiencies.reduce(0) { $0 + flops / (group.target.peak * 0.77 * $1 * 1e3) }
    // A training step packs the weights anew, and transposes them where the gradient by data is wanted.
    let packs = group.isTraining ? (group.backward?.inputs.first == true ? 2.0 : 1) : 0
    return passes + packs * Double(shape.weightBytes) / 13e3
  }

  private func blockedShape(_ group: GroupContext, _ input: Layout) -> BlockedShape {
    let maps = group.inputTypes[0].maps
    let output = group.outputType.maps
    return BlockedShape(
      c: maps.c, k: output.c, r: window.kernelSize.height, s: window.kernelSize.width, h: maps.h,
      w: maps.w, oh: output.h, ow: output.w,
      pool: group.group.pooling ?? Pooling(height: 1, width: 1), stride: window.stride,
      padding: window.padding, batch: maps.n, lanes: group.target.lanes, isPlanar: input == .nchw)
  }

  /// The kernels with rows as they are.
  func blockedKernels(_ context: ForwardContext) -> BlockedKernels {
    let shape = blockedShape(context.context, context.inputs[0].layout)
    return BlockedKernels(layer: self, context: context, shape: shape, narrowShape: shape)
  }

  private func blockedForward(_ context: ForwardContext) -> KernelCall {
    let shape = blockedShape(context.context, context.inputs[0].layout)
    let tiles = BlockedTiles(target: context.context.target)
    let joined = canJoinRows(context) ? tiles.joined(shape) : shape
    return BlockedKernels(layer: self, context: context, shape: joined, narrowShape: joined)
      .forward()
  }

  private func blockedBackward(_ backward: BackwardContext) -> [KernelCall] {
    let context = backward.forward
    let shape = blockedShape(context.context, context.inputs[0].layout)
    let joins = backward.deferred == nil && canJoinRows(context)
    return BlockedKernels(
      layer: self, context: context, shape: joins ? shape.joiningRows(upTo: 200) : shape,
      narrowShape: joins ? shape.joiningRows(upTo: 56) : shape
    ).backward(backward)
  }

  /// Rows can be joined to longer ones where nothing has zeros around its maps.
  private func canJoinRows(_ context: ForwardContext) -> Bool {
    (context.inputs + context.operands + [context.output]).allSatisfy(\.halo.isNone)
  }
}

/// The kernels of one convolution with maps in lanes.
struct BlockedKernels {
  let layer: Conv2D
  let context: ForwardContext
  let shape: BlockedShape
  /// The same with shorter rows, for the gradient by data: its buffer then holds more maps.
  let narrowShape: BlockedShape

  let names = ("K", "OH", "OW")

  var group: Group { context.context.group }
  var tiles: BlockedTiles { BlockedTiles(target: context.context.target) }
  var lanes: Int { shape.lanes }

  var sizes: [ConstantRow] { sizes(of: shape) }

  private func sizes(of shape: BlockedShape) -> [ConstantRow] {
    var input = [
      Constant("C", shape.channelBlocks), Constant("CI", shape.channelBlock),
    ]
    input += [Constant("H", shape.h), Constant("W", shape.w)]
    return [
      ConstantRow(
        input,
        comment: shape.isPlanar ? "planes of channels" : "blocks of channels, and channels of one"),
      ConstantRow(
        [
          Constant("K", shape.blocks), Constant("R", shape.r), Constant("S", shape.s),
          Constant("OH", shape.oh), Constant("OW", shape.ow),
        ], comment: "blocks of maps"),
    ]
  }

  func steps(left: Bool) -> ConstantRow {
    var constants = [
      Constant("STRIDE_H", shape.stride.height), Constant("STRIDE_W", shape.stride.width),
      Constant("PAD_TOP", shape.padding.top),
    ]
    if left { constants.append(Constant("PAD_LEFT", shape.padding.left)) }
    constants += [Constant("POOL_H", shape.pool.height), Constant("POOL_W", shape.pool.width)]
    return ConstantRow(constants)
  }

  /// The input as floats, with the zero halo that this convolution reads.
  var input: Argument {
    let placement = context.inputs[0]
    let argument = placement.argument(
      "x", .read, .scalar, top: shape.padding.top, left: shape.padding.left,
      meaning: placement.lanesText + (shape.padding == 0 ? "" : ", zeros around the maps"))
    let extents = argument.dimensions.filter { $0 != "LANES" }
    return Argument(
      "x", element: "float", access: .read, buffer: argument.buffer, origin: argument.origin,
      dimensions: extents + ["CI"], text: argument.text)
  }

  func winners(_ access: Access) -> Argument {
    let dense = context.output.dense
    return Argument(
      "winner", element: "bytes", access: access,
      buffer: context.buffers.saved("winners", bytes: dense.bytes / 4),
      dimensions: ["K", "OH", "OW"],
      text: "\(dense.text)  position of each maximum in its window; the first wins a tie")
  }

  var poolTexts: [String: String] {
    ["pool": group.poolingNode.map { context.context.graph[$0].name } ?? ""]
  }

  // MARK: Backward

  func backward(_ backward: BackwardContext) -> [KernelCall] {
    let pieces = backward.prologue(group.epilogues, .vector, names: names)
    var gradient = [backward.outputGradient.argument("d_y", .read, .vector, names: names)]
    if group.pooling != nil { gradient.append(winners(.read)) }
    gradient += pieces.arguments
    var calls: [KernelCall] = []
    if backward.wanted.parameters { calls += weightGradient(backward, pieces, gradient) }
    if let input = backward.inputGradients[0] {
      calls.append(dataGradient(backward, pieces, gradient, input))
    }
    return calls + operandGradients(backward)
  }

  private func weightGradient(
    _ backward: BackwardContext, _ pieces: Pieces, _ gradient: [Argument]
  ) -> [KernelCall] {
    let isBuffered = group.pooling != nil || !pieces.fragments.isEmpty
    guard let tile = tiles.backwardWeight(shape, isBuffered: isBuffered) else {
      preconditionFailure("internal error: \(group.name) has no tile for its weight gradient")
    }
    if let winners = tiles.backwardWeightByWinners(shape, instead: tile) {
      return weightGradient(backward, pieces, gradient, byWinners: winners)
    }
    var arguments = [input] + gradient
    var sum: [KernelCall] = []
    if tile.isOwned {
      arguments += weightGradients(backward, columns: "C * CI * R * S")
    } else {
      let parts = self.parts(tile)
      arguments.append(parts)
      sum = [weightSum(backward, parts, tile)]
    }
    return [
      KernelCall(
        template: "conv2d_blocked_backward_weight", name: "\(group.name)_backward_weight",
        title: (layer.hasBias ? "gradients of weight and bias" : "gradient of the weight")
          + (tile.isOwned ? "" : ", in parts"),
        notes: [
          tile.isOwned
            ? "Each part owns its weights and sums over all images."
            : "The images are cut into chunks, whatever the number of threads."
        ], layers: layerNames(context.context),
        constants: sizes + [
          steps(left: false),
          ConstantRow(
            [
              Constant("TK", tile.maps), Constant("TC", tile.channels), Constant("TR", tile.taps),
            ], comment: "register tile: blocks of maps x channels x rows of taps x S"),
          ConstantRow(
            [Constant("CB", tile.part), Constant("TH", tile.rows)]
              + (tile.isOwned ? [] : [Constant("CHUNKS", tile.chunks)]),
            comment: "channels of a part; rows of windows at a time"
              + (tile.isOwned ? "" : "; chunks of images")),
        ],
        flags: [
          "pooled": group.pooling != nil, "buffered": isBuffered, "owned": tile.isOwned,
          "bias": layer.hasBias, "planar": shape.isPlanar,
          "padded": shape.padding != 0 && tile.taps == 1,
        ], texts: poolTexts, fragments: ["prologue": pieces.fragments],
        support: (tile.isOwned ? ["support_transpose", "support_store_taps"] : []) + pieces.support,
        scalars: [.batch] + (tile.isOwned ? [.accumulate] : []), arguments: arguments,
        work: layer.work(context.context, 0.8))
    ] + sum
  }

  private func parts(_ tile: BlockedTiles.WeightTile) -> Argument {
    let buffer = context.buffers.arena(
      "\(group.name)_parts", bytes: tile.chunks * shape.k * (shape.taps + 1) * 4)
    return Argument(
      "parts", element: "lanes", access: .write, buffer: buffer,
      dimensions: ["K", "C * CI * R * S + 1"],
      text:
        "[\(tile.chunks), \(shape.blocks), \(shape.taps) + 1, \(lanes)]  taps, then bias; maps in lanes"
    )
  }

  /// The parameters' gradients, each map's taps in a row.
  private func weightGradients(_ backward: BackwardContext, columns: String) -> [Argument] {
    layer.gradientArguments(backward).map { argument in
      argument.name == "d_weight"
        ? Argument(
          "d_weight", element: "float", access: .update, buffer: argument.buffer,
          dimensions: [columns], text: argument.text) : argument
    }
  }

  private func weightSum(
    _ backward: BackwardContext, _ parts: Argument, _ tile: BlockedTiles.WeightTile
  ) -> KernelCall {
    let bytes = Double(tile.chunks * shape.weightBytes)
    return KernelCall(
      template: "conv2d_blocked_weight_sum", name: "\(group.name)_backward_weight_sum",
      title: "adds the parts of the weight gradient in the order of the chunks",
      layers: layerNames(context.context),
      constants: [
        ConstantRow([
          Constant("K", shape.blocks), Constant("TAPS", shape.taps),
          Constant("CHUNKS", tile.chunks),
        ])
      ], flags: ["bias": layer.hasBias], support: ["support_transpose", "support_store_taps"],
      scalars: [.batch, .accumulate],
      arguments: [
        Argument(
          "parts", element: "lanes", access: .read, buffer: parts.buffer,
          dimensions: ["K", "TAPS + 1"], text: parts.text)
      ] + weightGradients(backward, columns: "TAPS"),
      work: Work(flops: bytes / 4, bytes: bytes, efficiency: 0.1))
  }

  private func dataGradient(
    _ backward: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    _ input: GradientPlacement
  ) -> KernelCall {
    guard let tile = tiles.backwardData(narrowShape) else {
      preconditionFailure("internal error: \(group.name) has no tile for its data gradient")
    }
    if let winners = tiles.backwardDataByWinners(shape, instead: tile) {
      return dataGradient(pieces, gradient, input, byWinners: winners)
    }
    let cut = tile.part < shape.c / lanes
    let width = BlockedTiles.ceil(narrowShape.w, shape.stride.width)
    let isUneven = width % tile.columns != 0
    let wide = isUneven ? [Constant("WIDE", BlockedTiles.wide(width, tile.columns))] : []
    return KernelCall(
      template: "conv2d_blocked_backward_data", name: "\(group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: sizes(of: narrowShape) + [
        steps(left: true),
        ConstantRow(
          [Constant("TC", tile.channels), Constant("TW", tile.columns)] + wide,
          comment: "register tile: blocks of channels x columns"
            + (isUneven ? "; columns of the widest tiles" : "")),
        ConstantRow(
          (cut ? [Constant("CB", tile.part)] : []) + [Constant("TH", tile.strip)],
          comment: (cut ? "blocks of channels of a part; " : "") + "rows of a strip"),
        ConstantRow(
          [
            Constant("TK", tile.maps), Constant("ROWS", tile.bufferRows),
            Constant("COLUMNS", tile.bufferColumns), Constant("LEFT", tile.left),
          ], comment: "blocks of maps, rows and columns of the buffer; zero columns on its left"),
      ],
      flags: [
        "pooled": group.pooling != nil, "adds": input.accumulates,
        "parts": cut, "channels_first": cut && tile.channelsFirst,
        "channels_last": cut && !tile.channelsFirst, "phases": shape.stride.width > 1,
        "channel_tail": (shape.c / lanes) % tile.channels != 0, "trimmed": tile.isTrimmed,
        "short_blocks": !tile.isTrimmed && tiles.unrollsBlocks, "uneven": isUneven,
      ],
      texts: poolTexts.merging([
        "columns": isUneven ? "columns" : "TW",
        "width": shape.stride.width == 1 ? "W" : "(W + STRIDE_W - 1) / STRIDE_W",
      ]) { $1 }, fragments: ["prologue": pieces.fragments], support: pieces.support,
      scalars: [.batch],
      arguments: [transposedWeight] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: layer.work(context.context, 0.8))
  }
}
