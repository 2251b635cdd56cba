import ConvcIR

extension Conv2D {
  /// Register tiles of vectors with images in lanes: no lane is lost on small channel counts, and weights are read as
  /// they stand in the parameter block. nil: a row is too wide for the kernels' buffers.
  func lanesCandidate(for group: GroupContext) -> Candidate? {
    let shape = lanesShape(group)
    let tiles = LanesTiles(target: group.target)
    let weights = shape.c * shape.r * shape.s
    guard window.kernelSize.width <= 16, weights <= 12_000,
      shape.k * (weights + 1) * 4 * group.target.lanes <= 64 << 20,
      let weightTile = tiles.backwardWeight(shape), let dataTile = tiles.backwardData(shape)
    else { return nil }
    let padding = window.padding
    let halo = Halo(
      top: padding.top, bottom: padding.bottom, left: padding.left, right: padding.right)
    let kernels = LanesKernels(
      layer: self, shape: shape, forwardTile: tiles.forward(shape), weightTile: weightTile,
      dataTile: dataTile, winnerShape: WinnerShape(shape, target: group.target))
    return Candidate(
      family: "lanes", inputs: [.lanes], halos: [halo], output: .lanes,
      microseconds: lanesCost(group, shape), forward: { [kernels.forward($0)] },
      backward: kernels.backward)
  }

  private func lanesShape(_ group: GroupContext) -> ConvShape {
    let input = group.inputTypes[0].maps
    let output = group.outputType.maps
    return ConvShape(
      c: input.c, h: input.h, w: input.w, k: output.c, r: window.kernelSize.height,
      s: window.kernelSize.width, oh: output.h, ow: output.w,
      pool: group.group.pooling ?? Pooling(height: 1, width: 1), stride: window.stride,
      padding: window.padding, groups: LanesTiles.ceil(input.n, group.target.lanes))
  }

  private func lanesCost(_ group: GroupContext, _ shape: ConvShape) -> Double {
    let lanes = group.target.lanes
    let batch = Double(group.inputTypes[0].maps.n)
    let filled = Double(shape.groups * lanes) / batch
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes)) * filled
    // Maps of one group of images that fall out of the second-level cache are read from memory for every tile.
    let bytes = (shape.c * shape.h * shape.w + shape.k * shape.oh * shape.ow) * 4 * lanes
    let efficiency = bytes > group.target.level2 / 2 ? 0.4 : 0.7
    let parts = group.backward?.parameters == true ? shape.k * shape.c * shape.r * shape.s : 0
    return group.passes * flops / (group.target.peak * efficiency * 1e3)
      + Double(parts * lanes * 8) / 20e3
  }
}

/// The kernels of one convolution with images in lanes.
struct LanesKernels: Sendable {
  let layer: Conv2D
  let shape: ConvShape
  let forwardTile: (maps: Int, columns: Int)
  let weightTile: (maps: Int, channels: Int, rows: Int, chunks: Int)
  let dataTile: LanesTiles.DataTile
  /// nil: all cells of pooling windows are gone through.
  let winnerShape: WinnerShape?

  let names = ("K", "OH", "OW")

  var sizes: ConstantRow {
    ConstantRow(
      [
        Constant("C", shape.c), Constant("H", shape.h), Constant("W", shape.w),
        Constant("K", shape.k), Constant("R", shape.r), Constant("S", shape.s),
        Constant("OH", shape.oh), Constant("OW", shape.ow),
      ], comment: "C x H x W to K x OH x OW")
  }

  func steps(padding: Bool) -> ConstantRow {
    var constants = [
      Constant("STRIDE_H", shape.stride.height), Constant("STRIDE_W", shape.stride.width),
    ]
    if padding {
      constants += [
        Constant("PAD_TOP", shape.padding.top), Constant("PAD_LEFT", shape.padding.left),
      ]
    }
    constants += [
      Constant("POOL_H", shape.pool.height), Constant("POOL_W", shape.pool.width),
    ]
    return ConstantRow(constants)
  }

  /// The input with the zero halo that this convolution reads.
  func input(_ context: ForwardContext) -> Argument {
    context.inputs[0].argument(
      "x", .read, .vector, top: shape.padding.top, left: shape.padding.left,
      meaning: context.inputs[0].lanesText + (shape.padding == 0 ? "" : ", zeros around the maps"))
  }

  private func winners(_ context: ForwardContext, _ access: Access) -> Argument {
    Argument(
      "winner", element: "bytes", access: access,
      buffer: context.buffers.saved("winners", bytes: context.output.dense.bytes / 4),
      dimensions: ["K", "OH", "OW"],
      text:
        "\(context.output.dense.text)  position of each maximum in its window; the first wins a tie"
    )
  }

  func poolName(_ context: GroupContext) -> String {
    context.group.poolingNode.map { context.graph[$0].name } ?? ""
  }

  func forward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let maker = PieceMaker(forward: context, dialect: .vector, names: names)
    let cells = maker.epilogues(group.beforePooling)
    let after = maker.epilogues(group.epilogues)
    let saves = group.pooling != nil && context.context.savesForBackward
    let loopsColumns = forwardTile.columns < shape.ow
    var arguments = [input(context)] + layer.parameterArguments(context)
    arguments.append(context.output.argument("y", .write, .vector, names: names))
    if saves { arguments.append(winners(context, .write)) }
    return KernelCall(
      template: "conv2d_lanes_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: [
        sizes, steps(padding: false),
        ConstantRow(
          [Constant("TK", forwardTile.maps), Constant("TW", forwardTile.columns)],
          comment: "register tile: maps x columns"),
      ],
      flags: [
        "bias": layer.addsBias(context), "pooled": group.pooling != nil, "winners": saves,
        "cells": !group.beforePooling.isEmpty, "map_tail": shape.k % forwardTile.maps != 0,
        "column_tail": shape.ow % forwardTile.columns != 0,
        "maps_loop": forwardTile.maps < shape.k, "columns_loop": loopsColumns,
      ],
      texts: [
        "pool": poolName(context.context), "m0": forwardTile.maps < shape.k ? "m0 + " : "",
        "w0": loopsColumns ? "w0 + " : "", "column": loopsColumns ? "(POOL_W * w0 + j)" : "j",
      ],
      fragments: ["epilogue": after.fragments, "cell": cells.fragments],
      support: cells.support + after.support, scalars: [.groups],
      arguments: arguments + cells.arguments + after.arguments,
      work: layer.work(context.context, 0.7))
  }

  func backward(_ context: BackwardContext) -> [KernelCall] {
    let group = context.context.group
    let pieces = PieceMaker(forward: context.forward, dialect: .vector, names: names)
      .reversed(group.epilogues)
    var gradient = [context.outputGradient.argument("d_y", .read, .vector, names: names)]
    if group.pooling != nil { gradient.append(winners(context.forward, .read)) }
    gradient += pieces.arguments
    let weight = context.wanted.parameters ? self.weight(context, pieces, gradient) : nil
    let data = context.inputGradients[0].map { self.data(context, pieces, gradient, $0) }
    // The sum last: threads wait once for what both large kernels write.
    return [weight?.parts, data, weight?.sum].compactMap { $0 } + operandGradients(context)
  }

  private func weight(_ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument])
    -> (parts: KernelCall, sum: KernelCall)
  {
    if let winners = winnerShape, let tile = winners.weightTile {
      return weightByWinners(context, pieces, gradient, winners, tile)
    }
    let group = context.context.group
    let taps = shape.c * shape.r * shape.s
    let lanes = context.context.target.lanes
    let parts = context.buffers.arena(
      "\(group.name)_parts", bytes: weightTile.chunks * shape.k * (taps + 1) * 4 * lanes)
    let text =
      "[\(weightTile.chunks), \(shape.k), \(taps) + 1, \(lanes)]  taps, then bias; "
      + "lanes are summed last"
    return (
      weightParts(context, pieces, gradient, parts, text), weightSum(context, parts, text)
    )
  }

  private func weightParts(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument], _ parts: Buffer.ID,
    _ text: String
  ) -> KernelCall {
    let group = context.context.group
    let rows = LoopOver(
      shape.oh, step: weightTile.rows, size: "TH", whole: "OH", rest: "(bottom - h0)")
    let hasChunks = weightTile.chunks > 1
    let hasChannels = weightTile.channels < shape.c
    let begin = hasChunks ? "begin" : "0"
    return KernelCall(
      template: "conv2d_lanes_backward_weight", name: "\(group.name)_backward_weight",
      title: "gradients of weight and bias, in parts",
      notes: hasChunks
        ? [
          "Images are cut into the same chunks for any number of threads, so the sums have the same bits."
        ] : [],
      layers: layerNames(context.context),
      constants: [
        sizes, steps(padding: false),
        ConstantRow(
          (hasChunks ? [Constant("CHUNKS", weightTile.chunks)] : []) + [
            Constant("TK", weightTile.maps), Constant("TC", weightTile.channels),
          ] + (rows.isNeeded ? [Constant("TH", weightTile.rows)] : []),
          comment: "register tile: maps x channels x S"
            + (rows.isNeeded ? "; rows of windows at a time" : "")),
      ],
      flags: [
        "pooled": group.pooling != nil, "chunks_loop": hasChunks, "rows_loop": rows.isNeeded,
        "rows_tail": rows.hasRest, "channels_loop": hasChannels,
      ],
      texts: [
        "pool": poolName(context.context), "chunk": hasChunks ? "chunk" : "0", "begin": begin,
        "end": hasChunks ? "end" : "groups", "top": rows.isNeeded ? "h0" : "0",
        "bottom": rows.hasRest ? "bottom" : rows.isNeeded ? "h0 + TH" : "OH",
        "row": rows.isNeeded ? "(h - h0)" : "h", "height": rows.isNeeded ? "TH" : "OH",
        "rows": rows.extent, "pixel": rows.isNeeded ? "(POOL_H * h0 + i)" : "i",
        "c0": hasChannels ? "c0 + " : "", "channel": hasChannels ? "(c0 + u)" : "u",
        "adds": "n > \(begin)" + (rows.isNeeded ? " || h0 > 0" : ""),
      ], fragments: ["prologue": pieces.fragments],
      support: ["support_store"] + pieces.support, scalars: [.groups],
      arguments: [input(context.forward)] + gradient + [
        Argument(
          "parts", element: "lanes", access: .write, buffer: parts,
          dimensions: ["K", "C * R * S + 1"], text: text)
      ], work: layer.work(context.context, 0.7))
  }

  private func weightSum(_ context: BackwardContext, _ parts: Buffer.ID, _ text: String)
    -> KernelCall
  {
    let taps = shape.c * shape.r * shape.s
    let lanes = context.context.target.lanes
    let hasChunks = weightTile.chunks > 1
    let gradients = layer.gradientArguments(context).map { argument in
      argument.name == "d_weight"
        ? Argument(
          "d_weight", element: "float", access: .update, buffer: argument.buffer,
          dimensions: ["TAPS"], text: argument.text) : argument
    }
    return KernelCall(
      template: "conv2d_lanes_weight_sum",
      name: "\(context.context.group.name)_backward_weight_sum",
      title: "sums of the parts of the gradients, chunk by chunk, then of their lanes",
      layers: layerNames(context.context),
      constants: [
        ConstantRow(
          [
            Constant("K", shape.k), Constant("TAPS", taps),
            Constant("BLOCKS", (taps + lanes) / lanes),
          ] + (hasChunks ? [Constant("CHUNKS", weightTile.chunks)] : []))
      ], flags: ["bias": layer.hasBias, "chunks_loop": hasChunks], support: ["support_lane_sums"],
      scalars: (hasChunks ? [.groups] : []) + [.accumulate],
      arguments: [
        Argument(
          "parts", element: "lanes", access: .read, buffer: parts, dimensions: ["K", "TAPS + 1"],
          text: text)
      ] + gradients,
      work: Work(
        flops: Double(shape.k * taps * lanes * weightTile.chunks),
        bytes: Double(shape.k * taps * lanes * 4 * weightTile.chunks), efficiency: 0.1))
  }

  private func data(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    _ input: GradientPlacement
  ) -> KernelCall {
    // Weights that a step drops connections of cannot be packed before it.
    if let winners = winnerShape, winners.givesData, layer.dropConnect == 0 {
      return dataByWinners(context, pieces, gradient, winners, input)
    }
    let isWide = dataTile.hasHalo
    let hasTiles = dataTile.columns < shape.w
    let hasChannels = dataTile.channels < shape.c
    let maps = LoopOver(shape.k, step: dataTile.maps, size: "TK", whole: "K", rest: "maps")
    let sums = maps.isNeeded && !input.accumulates
    // Without zeros clang keeps cells that neighbouring taps share in registers that sums need.
    let readsOnce = !isWide && context.context.target.hasFewRegisters
    var buffer = [
      Constant("TK", dataTile.maps), Constant("ROWS", dataTile.bufferRows),
      Constant("COLUMNS", dataTile.bufferColumns),
    ]
    if isWide { buffer.append(Constant("LEFT", dataTile.left)) }
    return KernelCall(
      template: "conv2d_lanes_backward_data",
      name: "\(context.context.group.name)_backward_data", title: "gradient of the input",
      layers: layerNames(context.context),
      constants: [
        sizes, steps(padding: true),
        ConstantRow(
          [
            Constant("TC", dataTile.channels), Constant("TW", dataTile.columns),
            Constant("TH", dataTile.strip),
          ], comment: "register tile: channels x columns; rows of a strip"),
        ConstantRow(
          buffer,
          comment: "maps, rows and columns of the buffer"
            + (isWide ? "; zero columns on its left" : "")),
      ],
      flags: [
        "pooled": context.context.group.pooling != nil, "wide": isWide, "sums": sums,
        "maps_loop": maps.isNeeded, "maps_tail": maps.hasRest, "channels_loop": hasChannels,
        "columns_loop": hasTiles, "split": hasTiles && !isWide,
        "columns_tail": shape.w % dataTile.columns != 0, "reads_once": readsOnce,
      ],
      texts: [
        "pool": poolName(context.context), "maps": maps.extent,
        "bottom": shape.h % dataTile.strip == 0 ? "h0 + TH" : "MIN(h0 + TH, H)",
        "left": isWide ? "LEFT + " : "", "m0": maps.isNeeded ? "m0 + " : "",
        "c0": hasChannels ? "c0 + " : "", "w0": hasTiles ? "w0 + " : "",
        "store": input.accumulates ? "+=" : "=",
      ], fragments: ["prologue": pieces.fragments],
      support: (sums ? ["support_store"] : [])
        + (readsOnce ? ["support_once"] : []) + pieces.support, scalars: [.groups],
      arguments: [layer.parameterArguments(context.forward)[0]] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: layer.work(context.context, 0.7))
  }
}

extension Placement {
  /// The same without a halo.
  var dense: Placement { Placement(buffer: buffer, type: type, layout: layout, lanes: lanes) }
}
