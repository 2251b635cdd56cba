import ConvcIR

/// What a forward kernel with maps in lanes asks for before it needs it: the processor does not guess it early enough.
///
/// A 1x1 convolution takes pieces of rows that lie a whole map apart, and spends little time on each: the next row is asked
/// for while this one is summed, and so is the place of its results. Weights that fill the second-level cache come from
/// memory once for all rows: each row asks for its share of those that are read after them.
struct BlockedAhead {
  let flags: [String: Bool]
  let texts: [String: String]
  let constants: [ConstantRow]

  /// - Parameters:
  ///   - row: columns of the input in memory, zeros beside them included.
  ///   - rows: rows that all weights of a tile serve before the next ones.
  ///   - isInStrips: whether those rows start at `h0` and are `TH`, not all.
  ///   - operand: the tensor that a result is added to.
  init(
    _ shape: BlockedShape, _ tile: BlockedTiles.ForwardTile, _ target: Target, row: Int, rows: Int,
    isInStrips: Bool, operand: String?
  ) {
    let readsRows =
      shape.r * shape.s * shape.cells == 1 && !shape.isPlanar
      && 4 * shape.c * shape.h * shape.w > target.level1
    // Where rows come in strips all weights come again for each, from the cache; with 16 registers asking then costs more.
    let staysAway = tile.part == nil && target.hasFewRegisters
    let readsWeights =
      !shape.isPlanar && 2 * shape.weightBytes >= target.level2 && !staysAway
    let line = max(1, 16 / shape.lanes)  // columns, or weights, of a cache line
    let tiles = BlockedTiles.ceil(shape.ow, tile.columns)
    let pass =
      rows > 1
      ? (isInStrips ? "h - h0" : "h", isInStrips ? "TH" : "OH") : ("w0 / TW", "\(tiles)")
    flags = [
      "rows_ahead": readsRows, "weights_ahead": readsWeights, "operand_ahead": operand != nil,
    ]
    texts = [
      "operand": operand ?? "", "next_line": line > 1 ? "j += \(line)" : "j++",
      "first_tile": rows > 1 && tiles > 1 ? "if (w0 == 0) " : "",
      "pass": line > 1 ? "\(line) * (\(pass.0))" : pass.0,
      "passes": line > 1 ? "\(line) * \(pass.1)" : pass.1,
    ]
    let tap = shape.r * shape.s * shape.channelBlock
    let isCut = tile.channels < shape.channelBlocks
    let next = isCut ? tile.channels * tap : tile.maps * shape.channelBlocks * tap
    constants =
      (readsRows
        ? [
          ConstantRow(
            [Constant("ROW", shape.stride.height * row * shape.channelBlock)],
            comment: "floats to the next row that is read")
        ] : [])
      + (readsWeights
        ? [
          ConstantRow(
            [Constant("NEXT", next)], comment: "vectors to the weights that are read next")
        ] : [])
  }
}
