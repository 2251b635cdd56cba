import ConvcIR

/// Which gradients of a convolution with images in lanes look the winners of pooling windows up.
///
/// The kernels then go image by image, channels in lanes: an image meets its own winners alone. That takes copies of
/// images with channels in lanes, and leaves lanes empty where channels are few.
struct WinnerShape: Sendable {
  struct WeightTile: Sendable {
    /// Maps of a part and taps in registers; chunks that images are cut into.
    let maps: Int, taps: Int, chunks: Int
  }

  /// nil: going through all cells is done sooner.
  let weightTile: WeightTile?
  /// Whether the gradient by data is done sooner than by going through all cells.
  let givesData: Bool
  /// Blocks of channels; rows and columns of an image with its zeros.
  let blocks: Int, rows: Int, columns: Int
  /// Maps in the buffer of gradients.
  let bufferMaps: Int

  /// nil: nothing is pooled, or images of all lanes take more than 64 KB of stack.
  init?(_ shape: ConvShape, target: Target) {
    let cells = shape.pool.height * shape.pool.width
    let windows = shape.oh * shape.ow
    let vector = 4 * target.lanes
    let taps = shape.r * shape.s
    rows = shape.h + shape.padding.top + shape.padding.bottom
    columns = shape.w + shape.padding.left + shape.padding.right
    blocks = LanesTiles.ceil(shape.c, target.lanes)
    let images = target.lanes * rows * columns * vector
    let buffer = LanesTiles.divisors(shape.k).last {
      images + 2 * $0 * windows * vector <= 62 << 10
    }
    guard cells > 1, let buffer else { return nil }
    bufferMaps = buffer
    let registers = min(28, target.registers - 1 - target.spareRegisters)
    let passes = LanesTiles.ceil(taps, registers)
    // Multiply-adds of a window and a map, two of which take a cycle; a load takes half of one, a store a whole one.
    let all = cells * shape.c * taps
    let copied = target.lanes * blocks
    if 5 * copied * (taps + 2 * passes) < 4 * all {
      let chunks = min(shape.groups, 8)
      let maps = LanesTiles.divisors(shape.k).last {
        $0 % buffer == 0 && shape.k / $0 * chunks >= min(8, shape.k / buffer)
      }
      weightTile = WeightTile(
        maps: maps ?? buffer, taps: LanesTiles.ceil(taps, passes), chunks: chunks)
    } else {
      weightTile = nil
    }
    // Threads share groups of images.
    givesData = 5 * copied * 2 * taps < 4 * all && shape.groups >= 4
  }
}

/// Gradients by the winners of pooling windows.
extension LanesKernels {
  private func sizes(_ winners: WinnerShape) -> ConstantRow {
    ConstantRow(
      [
        Constant("BLOCKS", winners.blocks), Constant("ROWS", winners.rows),
        Constant("COLUMNS", winners.columns),
      ], comment: "blocks of channels; rows and columns of an image with its zeros")
  }

  func weightByWinners(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument], _ winners: WinnerShape,
    _ tile: WinnerShape.WeightTile
  ) -> (parts: KernelCall, sum: KernelCall) {
    let sums = WinnerSums(
      layer: layer, context: context.forward, maps: shape.k, channels: shape.c,
      taps: shape.r * shape.s, chunks: tile.chunks, images: .groups)
    let parts = KernelCall(
      template: "conv2d_lanes_backward_weight_winners",
      name: "\(context.context.group.name)_backward_weight", title: sums.title,
      notes: [
        "Only the winners of the windows have gradients: each image looks up where they lie.",
        "Images are cut into the same chunks for any number of threads, so the sums have the same bits.",
      ], layers: layerNames(context.context),
      constants: [
        sizes, steps(padding: false), sizes(winners),
        ConstantRow(
          [
            Constant("CHUNKS", tile.chunks), Constant("TK", tile.maps),
            Constant("TM", winners.bufferMaps), Constant("TT", tile.taps),
          ], comment: "chunks of images; maps of a part, and at a time; taps at a time"),
      ], flags: ["bias": layer.hasBias],
      texts: ["pool": poolName(context.context)], fragments: ["prologue": pieces.fragments],
      support: ["support_store", "support_transpose"] + pieces.support, scalars: [.groups],
      arguments: [input(context.forward)] + gradient
        + sums.arguments(.write, maps: "K", blocks: "BLOCKS", taps: "R * S"),
      work: layer.workOfWinners(context.context, 0.6))
    return (parts, sums.sum(context))
  }

  func dataByWinners(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument], _ winners: WinnerShape,
    _ input: GradientPlacement
  ) -> KernelCall {
    KernelCall(
      template: "conv2d_lanes_backward_data_winners",
      name: "\(context.context.group.name)_backward_data", title: "gradient of the input",
      notes: [
        "Only the winners of the windows have gradients: each image looks up where they lie."
      ], layers: layerNames(context.context),
      constants: [
        sizes, steps(padding: true), sizes(winners),
        ConstantRow([Constant("TM", winners.bufferMaps)], comment: "maps at a time"),
      ],
      texts: [
        "pool": poolName(context.context), "store": input.accumulates ? "+=" : "=",
      ], fragments: ["prologue": pieces.fragments],
      support: ["support_transpose"] + pieces.support, scalars: [.groups],
      arguments: [weight(context.forward, winners)] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: layer.workOfWinners(context.context, 0.3))
  }

  /// The weights with channels in lanes.
  private func weight(_ context: ForwardContext, _ winners: WinnerShape) -> Argument {
    let taps = shape.r * shape.s
    let vectors = winners.blocks * shape.k * taps
    let lanes = context.context.target.lanes
    let text = "[\(winners.blocks), \(shape.k), \(shape.r), \(shape.s), \(lanes)]"
    let (name, buffers) = (context.anchorNode.name, context.buffers)
    let plain = buffers.masterParameter(context.anchorNode.parameters[0])
    let buffer = buffers.packed("\(name).weight.channels", bytes: 4 * lanes * vectors) {
      KernelCall(
        template: "conv2d_winners_pack", name: "\(name)_weight_transpose",
        title: "weights with channels in lanes", layers: [name],
        constants: [
          ConstantRow([
            Constant("K", shape.k), Constant("C", shape.c), Constant("BLOCKS", winners.blocks),
            Constant("TAPS", taps),
          ])
        ], scalars: [],
        arguments: [
          Argument(
            "weight", element: "float", access: .read, buffer: plain,
            dimensions: ["C", "TAPS"],
            text: "[\(shape.k), \(shape.c), \(shape.r), \(shape.s)]"),
          Argument(
            "y", element: "lanes", access: .write, buffer: $0, dimensions: ["K", "TAPS"],
            text: text),
        ],
        work: Work(
          flops: Double(lanes * vectors), bytes: Double(8 * lanes * vectors), efficiency: 0.1))
    }
    return Argument(
      "weight", element: "lanes", access: .read, buffer: buffer, dimensions: ["K", "R * S"],
      text: "\(text)  channels in lanes")
  }
}
