import ConvcIR

extension BlockedTiles {
  /// A tile of the gradient by weight that looks the winners of pooling windows up.
  struct WinnerWeightTile: Sendable, Hashable {
    /// Blocks of channels, and taps, in registers.
    var channels = 1
    var taps = 1
    /// Blocks of maps of a part; rows of windows at a time; chunks that images are cut into.
    var maps = 1
    var rows = 1
    var chunks = 1
  }

  /// nil: nothing is pooled, channels or maps leave lanes empty, or going through all cells is done sooner.
  func backwardWeightByWinners(_ shape: BlockedShape, instead all: WeightTile) -> WinnerWeightTile?
  {
    guard shape.cells > 1, !shape.isPlanar, shape.c % shape.lanes == 0, shape.k % shape.lanes == 0
    else { return nil }
    let taps = shape.r * shape.s
    let most = min(28, target.registers - 1 - target.spareRegisters)
    let passes = Self.ceil(taps, most)
    var tile = WinnerWeightTile(taps: Self.ceil(taps, passes))
    tile.channels = Self.divisors(shape.channelBlocks).last { $0 * tile.taps <= most } ?? 1
    let steps = Double(tile.channels * tile.taps)
    let inner = Double(shape.k * shape.channelBlocks / tile.channels * passes)
    let cycles = Double(shape.oh * shape.ow) * inner * max(steps / 2 + 1, 4)
    guard 1.2 * cycles < all.cycles, 2 * shape.ow * vector <= 48 << 10 else { return nil }
    // What all maps of a part go through stays in the first-level cache, what they sum up to in the second-level cache.
    tile.rows = rows(shape) { rows, inputRows in
      tile.channels * inputRows * shape.w + 2 * rows * shape.ow
    }
    tile.chunks = min(shape.batch, shape.weightBytes <= 128 << 10 ? 16 : 8)
    tile.maps =
      Self.divisors(shape.blocks).last {
        $0 * shape.weightBytes / shape.blocks <= target.level2 / 2
          && shape.blocks / $0 * tile.chunks >= min(8, shape.blocks)
      } ?? 1
    return tile
  }

  /// A tile of the gradient by data that looks the winners of pooling windows up.
  struct WinnerDataTile: Sendable, Hashable {
    /// Blocks of channels of a part; blocks of maps in the buffer; rows of windows at a time.
    var part = 1
    var maps = 1
    var rows = 1
  }

  /// nil: nothing is pooled, channels or maps leave lanes empty, a row is too wide for the stack, or going through all cells
  /// is done sooner.
  func backwardDataByWinners(_ shape: BlockedShape, instead all: DataTile) -> WinnerDataTile? {
    guard shape.cells > 1, shape.c % shape.lanes == 0, shape.k % shape.lanes == 0
    else { return nil }
    let taps = Double(shape.r * shape.s)
    let windows = shape.oh * shape.ow
    // A store takes a cycle, and what was stored just before some more until it can be read.
    let cycles = Double(windows * shape.k * (shape.c / shape.lanes)) * max(1.2 * taps, 6)
    let columns = shape.w + shape.padding.left + shape.padding.right
    var tile = WinnerDataTile()
    tile.rows = rows(shape) { rows, inputRows in inputRows * columns + 2 * rows * shape.ow }
    let one = 2 * tile.rows * shape.ow * vector
    let strip = stripRows(shape, tile.rows) * columns * vector
    let maps = Self.divisors(shape.blocks).last { $0 * one + strip <= 60 << 10 }
    guard 1.2 * cycles < all.cycles, let maps else { return nil }
    tile.maps = maps
    tile.part =
      Self.divisors(shape.c / shape.lanes).last {
        shape.c / shape.lanes / $0 * shape.batch >= 16
      } ?? 1
    return tile
  }

  /// Input rows under so many rows of windows.
  func stripRows(_ shape: BlockedShape, _ rows: Int) -> Int {
    shape.stride.height * (shape.pool.height * rows - 1) + shape.r
  }

  /// Rows of windows at a time: their vectors and those of the input fill most of the first-level cache.
  private func rows(_ shape: BlockedShape, vectors: (_ rows: Int, _ inputRows: Int) -> Int) -> Int {
    (1...shape.oh).last { rows in
      vectors(rows, stripRows(shape, rows)) * vector <= target.level1 / 4 * 3
    } ?? 1
  }
}

/// Gradients by the winners of pooling windows.
extension BlockedKernels {
  func weightGradient(
    _ backward: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    byWinners tile: BlockedTiles.WinnerWeightTile
  ) -> [KernelCall] {
    let taps = shape.r * shape.s
    let placement = context.inputs[0]
    let sums = WinnerSums(
      layer: layer, context: context, maps: shape.k, channels: shape.c, taps: taps,
      chunks: tile.chunks, images: .batch)
    let x = placement.argument(
      "x", .read, .vector, top: shape.padding.top, left: shape.padding.left,
      meaning: placement.lanesText + (shape.padding == 0 ? "" : ", zeros around the maps"))
    let loopsTaps = tile.taps < taps
    return [
      KernelCall(
        template: "conv2d_blocked_backward_weight_winners", name: "\(group.name)_backward_weight",
        title: sums.title,
        notes: [
          "Only the winners of the windows have gradients: each map looks up where they lie.",
          "The images are cut into chunks, whatever the number of threads.",
        ], layers: layerNames(context.context),
        constants: sizes + [
          ConstantRow([
            Constant("STRIDE_H", shape.stride.height), Constant("STRIDE_W", shape.stride.width),
            Constant("POOL_H", shape.pool.height), Constant("POOL_W", shape.pool.width),
          ]),
          ConstantRow(
            [Constant("COLUMNS", shape.w + placement.halo.left + placement.halo.right)],
            comment: "of a row with its zeros"),
          ConstantRow(
            [Constant("TC", tile.channels), Constant("TT", tile.taps)],
            comment: "register tile: blocks of channels x taps"),
          ConstantRow(
            [
              Constant("TK", tile.maps), Constant("TH", tile.rows),
              Constant("CHUNKS", tile.chunks),
            ], comment: "blocks of maps of a part; rows of windows at a time; chunks of images"),
        ], flags: ["bias": layer.hasBias, "taps_loop": loopsTaps],
        texts: poolTexts.merging([
          "taps": loopsTaps ? "taps" : "TT", "tap": loopsTaps ? "(first + t)" : "t",
          "first": loopsTaps ? "first + " : "",
        ]) { $1 }, fragments: ["prologue": pieces.fragments],
        support: ["support_store"] + pieces.support, scalars: [.batch],
        arguments: [x] + gradient
          + sums.arguments(.write, maps: "K * LANES", blocks: "C", taps: "R * S"),
        work: layer.workOfWinners(context.context, 0.6)), sums.sum(backward),
    ]
  }

  func dataGradient(
    _ pieces: Pieces, _ gradient: [Argument], _ input: GradientPlacement,
    byWinners tile: BlockedTiles.WinnerDataTile
  ) -> KernelCall {
    KernelCall(
      template: "conv2d_blocked_backward_data_winners", name: "\(group.name)_backward_data",
      title: "gradient of the input",
      notes: [
        "Only the winners of the windows have gradients: each map looks up where they lie."
      ], layers: layerNames(context.context),
      constants: sizes + [
        steps(left: true),
        ConstantRow(
          [
            Constant("CB", tile.part), Constant("TK", tile.maps), Constant("TH", tile.rows),
          ],
          comment:
            "blocks of channels of a part; blocks of maps in the buffer; rows of windows at a time"),
        ConstantRow(
          [
            Constant("ROWS", tiles.stripRows(shape, tile.rows)),
            Constant("COLUMNS", shape.w + shape.padding.left + shape.padding.right),
          ], comment: "of the gradient's strip, with its zeros"),
      ], flags: ["adds": input.accumulates], texts: poolTexts,
      fragments: ["prologue": pieces.fragments], support: pieces.support, scalars: [.batch],
      arguments: [transposedWeight] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: layer.workOfWinners(context.context, 0.3))
  }
}
