import ConvcIR

/// Sizes of a convolution as the tile rules of blocked kernels see it.
struct BlockedShape: Sendable, Hashable {
  /// Input channels, rows and columns; maps.
  let c: Int, k: Int, r: Int, s: Int
  var h: Int, w: Int
  /// Output rows and columns, after pooling.
  var oh: Int, ow: Int
  let pool: Pooling
  let stride: Size2D
  let padding: Padding
  let batch: Int
  let lanes: Int
  /// Whether the input is `[N, C, H, W]`, whose channels stand in blocks of one.
  let isPlanar: Bool

  /// Channels of an input block.
  var channelBlock: Int { isPlanar ? 1 : lanes }
  /// Blocks of maps, the last of which may have empty lanes.
  var blocks: Int { (k + lanes - 1) / lanes }
  var channelBlocks: Int { (c + channelBlock - 1) / channelBlock }
  /// Share of the lanes that hold a map.
  var filled: Double { Double(k) / Double(blocks * lanes) }
  var taps: Int { c * r * s }
  var weightBytes: Int { blocks * lanes * channelBlocks * channelBlock * r * s * 4 }
  /// Cells of the convolution under one output cell.
  var cells: Int { pool.height * pool.width }
  /// Multiply-adds of vectors of one image.
  var steps: Double { Double(blocks * oh * ow * cells * taps) }

  /// Columns of the convolution that tap `s` reads, from the first that lies over the map to the last; stride 1.
  func columns(under s: Int) -> Range<Int> {
    let first = max(0, padding.left - s)
    return first..<max(first, min(pool.width * ow, w + padding.left - s))
  }

  /// Columns of the input that tap `s` of the gradient by data reads, from the first that lies under an output to the last.
  func inputColumns(under s: Int) -> Range<Int> {
    let first = max(0, s - padding.left)
    return first..<max(first, min(w, pool.width * ow + s - padding.left))
  }

  /// A 1x1 convolution mixes no pixels: neighbouring rows can count as one, up to so many columns.
  func joiningRows(upTo columns: Int) -> BlockedShape {
    guard r == 1, s == 1, stride == 1, padding == 0, cells == 1 else { return self }
    let rows = (1...h).last { h % $0 == 0 && $0 * w <= columns } ?? 1
    var joined = self
    joined.h = h / rows
    joined.w = w * rows
    joined.oh = joined.h
    joined.ow = joined.w
    return joined
  }
}

/// Register tiles of the kernels that have maps in lanes: which part of the output a kernel keeps in registers.
///
/// Each rule weighs the cycles of the inner loop: two multiply-adds or loads a cycle, a little more than the latency of four
/// for a chain, and what the end of a tile costs. It reads shapes and the target alone.
struct BlockedTiles: Sendable {
  let target: Target

  var vector: Int { 4 * target.lanes }
  /// Bytes of the sums and of the gradients that a kernel keeps on its stack.
  var sumsBytes: Int { 20 << 10 }
  var gradientBytes: Int { 26 << 10 }

  /// Whether the channels of a block are unrolled: blocks of few channels are over before the loads of the next begin.
  var unrollsBlocks: Bool { target.lanes <= 8 }

  /// Cycles of one step with so many multiply-adds and loads.
  static func step(_ adds: Int, _ loads: Int) -> Double {
    max(Double(adds) / 2, Double(loads) / 2, 4.5) + 0.6
  }

  static func divisors(_ n: Int) -> [Int] { (1...n).filter { n % $0 == 0 } }
  static func ceil(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

  /// Whether sums and the vectors they are made of fit the registers.
  func fits(_ sums: Int, _ vectors: Int) -> Bool {
    sums <= target.registers - (target.hasFewRegisters ? 2 : 4)
      && sums + vectors + target.spareRegisters <= target.registers
  }

  /// Tiles of a row, whose widths differ by one column at most: the first ones take `columns`, those after them one less.
  static func tiles(of row: Int, _ columns: Int) -> [Range<Int>] {
    let wide = wide(row, columns) / columns
    return (0..<ceil(row, columns)).map { index in
      let first = index * columns - max(0, index - wide)
      return first..<first + columns - (index < wide ? 0 : 1)
    }
  }

  /// Tiles of two widths take two copies of the inner loop, and have to save a fiftieth.
  var unevenness: Double { 1.02 }

  /// Columns of a row that tiles of `columns` take, before those of one less.
  static func wide(_ row: Int, _ columns: Int) -> Int {
    (row - ceil(row, columns) * (columns - 1)) * columns
  }

  /// Widths that cut a row into tiles as equal as can be, the narrowest first.
  static func widths(of row: Int) -> [Int] {
    (1...row).filter { ceil(row, ceil(row, $0)) == $0 }
  }

  /// Whether a kernel leaves out the columns that a tap finds in the zeros beside a map of so many columns: that takes a copy
  /// of the inner loop for each tap and tile of a row, and has to save a thirtieth.
  func trims(_ shape: BlockedShape, row: Int, tile: Int, _ columns: (Int) -> Range<Int>)
    -> Bool
  {
    // Planes have no loop between the taps, and what neighbouring taps share would push sums out of the registers.
    guard shape.stride == 1, shape.s > 1, shape.s * Self.ceil(row, tile) <= 12, !shape.isPlanar
    else { return false }
    let read = (0..<shape.s).reduce(0) { $0 + columns($1).count }
    return 30 * read <= 29 * row * shape.s
  }

  /// Cycles of a step of one tile of a row, on average over its taps, where every step adds to `sums` registers for a column.
  func trimmedStep(
    _ shape: BlockedShape, tile: Range<Int>, sums: Int, loads: (Int) -> Int,
    _ columns: (Int) -> Range<Int>
  ) -> Double {
    let cycles = (0..<shape.s).reduce(0.0) { cycles, s in
      let count = columns(s).clamped(to: tile).count
      return cycles + Self.step(sums * count, loads(count))
    }
    return cycles / Double(shape.s)
  }

  // MARK: Forward

  /// A forward tile, and the parts that the kernel is cut into.
  struct ForwardTile: Sendable, Hashable {
    var maps = 1
    var columns = 1
    /// Rows of a strip, which every tile of maps goes through before the next; nil: the whole image.
    var rows: Int?
    /// Blocks of channels summed before the next tile.
    var channels = 1
    /// Blocks of maps whose weights stay in the cache for all images; nil: each image goes through all maps.
    var part: Int?
    /// Whether columns and pooled rows over zeros are left out.
    var isTrimmed = false
    /// Whether the rows under a pooled row are summed one after the other, not side by side: longer tiles of a row then
    /// fit the registers, and share more of the weights that they load.
    var isRowByRow = false
    var cycles = 0.0
  }

  /// Where rows may be joined, the fewest that the register tile divides about as well as any.
  func joined(_ shape: BlockedShape) -> BlockedShape {
    let choices = [1, 28, 56, 112, 200].map { shape.joiningRows(upTo: $0) }
    let cycles = choices.map { forward($0).cycles }
    let least = cycles.min() ?? 0
    return zip(choices, cycles).first { $1 <= least * 1.01 }?.0 ?? shape
  }

  func forward(_ shape: BlockedShape) -> ForwardTile {
    var best = forward(shape, rows: shape.pool.height)
    if shape.pool.height > 1 {
      let rowByRow = forward(shape, rows: 1)
      if rowByRow.cycles < best.cycles * 0.97 { best = rowByRow }
    }
    best.rows = strip(shape, best)
    best.channels = shape.channelBlocks
    cutChannels(shape, &best)
    best.part = mapPart(shape, best)
    return best
  }

  /// The best tile that sums so many rows under a pooled row side by side.
  private func forward(_ shape: BlockedShape, rows: Int) -> ForwardTile {
    var best = ForwardTile(cycles: .infinity)
    let turns = Double(shape.pool.height / rows)
    let row = shape.pool.width * shape.ow
    for maps in 1...min(shape.blocks, 16) {
      for columns in Self.widths(of: shape.ow) {
        let width = shape.pool.width * columns
        guard fits(maps * rows * width, maps) || (maps == 1 && columns == 1) else { break }
        let isTrimmed = trims(shape, row: row, tile: width, shape.columns)
        // Weights that the first-level cache does not hold come from the second for every tile.
        let weights = maps * vector
        let isStreamed = weights * shape.taps > target.level1 / 2
        let streamed = isStreamed ? Double(weights) / Double(target.level2Speed) : 0
        let late = lateness(maps: maps, rows: rows, cells: rows * width)
        let ofRow = Self.tiles(of: shape.ow, columns).reduce(0.0) { cycles, tile in
          let cells = shape.pool.width * tile.lowerBound..<shape.pool.width * tile.upperBound
          let sums = maps * rows * cells.count
          let step =
            isTrimmed
            ? trimmedStep(
              shape, tile: cells, sums: maps * rows, loads: { maps + rows * $0 }, shape.columns)
            : Self.step(sums, maps + rows * cells.count)
          let kept = turns > 1 ? maps * tile.count : 0
          let ends = 10 + 1.5 * Double(sums + kept)
          return cycles + late * max(step + streamed / 12, streamed + 0.6) * Double(shape.taps)
            + ends
        }
        let copies = shape.ow % columns == 0 ? 1 : unevenness
        let cycles = Double(Self.ceil(shape.blocks, maps) * shape.oh) * turns * copies * ofRow
        if cycles < best.cycles * 0.999 {
          best = ForwardTile(
            maps: maps, columns: columns, isTrimmed: isTrimmed, isRowByRow: turns > 1,
            cycles: cycles)
        }
      }
    }
    return best
  }

  /// How much longer a step takes than its multiply-adds and loads alone, measured: with one block of maps every multiply-add
  /// loads a cell of its own, and 16 registers hold few cells of two rows for each of their weights.
  private func lateness(maps: Int, rows: Int, cells: Int) -> Double {
    guard cells > 1, maps == 1 || (rows > 1 && target.hasFewRegisters) else { return 1 }
    return 1.2
  }

  /// Rows whose input stays in the second-level cache while all tiles of maps read it.
  private func strip(_ shape: BlockedShape, _ tile: ForwardTile) -> Int? {
    let row = 4 * shape.c * min(shape.stride.height, shape.r) * shape.pool.height * shape.w
    let half = Self.ceil(shape.oh, 2)
    let isLarge = shape.weightBytes > target.level2 / 2
    let room = target.level2 / (isLarge ? 2 : 4)
    let rows = min(shape.batch == 1 ? half : shape.oh, max(1, room / row))
    guard shape.blocks > tile.maps, rows < shape.oh else { return nil }
    if isLarge {
      // Such weights come from afar for every strip, an image that does not fit the cache for every tile.
      let image = image(of: shape)
      let strips = Self.ceil(shape.oh, rows)
      guard image > target.level2 / 2,
        strips * shape.weightBytes + image < tiles(shape, tile) * image
      else { return nil }
    }
    if shape.batch == 1 {
      // The halves of few rows would be uneven.
      if shape.oh % 2 != 0, shape.oh < 16 { return 1 }
      // Strips end at the middle of the image, as in the kernels before and after, so that a thread finds what it wrote.
      let whole = Self.divisors(half).last { 4 * $0 <= 5 * rows } ?? 1
      if 2 * whole >= rows { return whole }
    }
    return Self.ceil(shape.oh, Self.ceil(shape.oh, rows))
  }

  /// Weights larger than half the second-level cache come from afar for every strip of an image; parts of them stay, and
  /// the images come again for every part: what moves less is taken.
  private func mapPart(_ shape: BlockedShape, _ tile: ForwardTile) -> Int? {
    let cache = target.level2 / 2
    guard shape.weightBytes > cache else { return nil }
    let image = image(of: shape)
    let fitting = max(1, (3 * cache / 2 - min(image, cache)) / (shape.weightBytes / shape.blocks))
    let part = Self.divisors(shape.blocks).last { $0 % tile.maps == 0 && $0 <= fitting }
    let far = shape.batch * image > cache ? image : 0
    let strips = Self.ceil(shape.oh, tile.rows ?? shape.oh)
    let parts = image > cache ? tiles(shape, tile) : Self.ceil(shape.blocks, part ?? tile.maps)
    let isLess = parts * far + shape.weightBytes / shape.batch <= strips * shape.weightBytes + far
    return isLess ? part ?? tile.maps : nil
  }

  /// Bytes of the rows of an image that windows read.
  private func image(of shape: BlockedShape) -> Int {
    4 * shape.c * (min(shape.stride.height, shape.r) * shape.h / shape.stride.height) * shape.w
  }

  private func tiles(_ shape: BlockedShape, _ tile: ForwardTile) -> Int {
    Self.ceil(shape.blocks, tile.maps)
  }

  /// Where the weights of a tile crowd out the second-level cache, channels are summed in parts.
  private func cutChannels(_ shape: BlockedShape, _ tile: inout ForwardTile) {
    let weights = tile.maps * vector * shape.taps
    guard weights > target.level2 / 4 else { return }
    let one = weights / tile.channels
    let tiles = Self.ceil(shape.ow, tile.columns)
    let sums = tiles * tile.maps * shape.cells * tile.columns * vector
    guard sums <= sumsBytes, tile.channels > 1 else { return }
    tile.channels = max(1, min(tile.channels, (72 << 10) / one))
    tile.rows = Self.ceil(shape.oh, Self.ceil(shape.oh, sumsBytes / sums))
  }
}
