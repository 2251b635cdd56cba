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
  /// The same of the gradient by weight, whose sums are read once for many pixels.
  private var weightSumsBytes: Int { 36 << 10 }
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
    sums <= target.registers - (target.registers > 16 ? 4 : 2)
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
  private var unevenness: Double { 1.02 }

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
  private func trims(_ shape: BlockedShape, row: Int, tile: Int, _ columns: (Int) -> Range<Int>)
    -> Bool
  {
    guard shape.stride == 1, shape.s > 1, shape.s * Self.ceil(row, tile) <= 12 else { return false }
    let read = (0..<shape.s).reduce(0) { $0 + columns($1).count }
    return 30 * read <= 29 * row * shape.s
  }

  /// Cycles of a step of one tile of a row, on average over its taps, where every step adds to `sums` registers for a column.
  private func trimmedStep(
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
    guard cells > 1, maps == 1 || (rows > 1 && target.registers <= 16) else { return 1 }
    return 1.2
  }

  /// Rows whose input stays in the second-level cache while all tiles of maps read it.
  private func strip(_ shape: BlockedShape, _ tile: ForwardTile) -> Int? {
    let row = 4 * shape.c * min(shape.stride.height, shape.r) * shape.pool.height * shape.w
    // One image is cut in two, so that a thread finds what it wrote itself.
    let most = shape.batch == 1 ? Self.ceil(shape.oh, 2) : shape.oh
    let rows = min(most, max(1, target.level2 / 4 / row))
    guard shape.blocks > tile.maps, shape.weightBytes <= target.level2 / 2, rows < shape.oh else {
      return nil
    }
    return Self.ceil(shape.oh, Self.ceil(shape.oh, rows))
  }

  /// Weights larger than half the second-level cache come from afar for every strip of an image; parts of them stay, and
  /// the images come again for every part: what moves less is taken.
  private func mapPart(_ shape: BlockedShape, _ tile: ForwardTile) -> Int? {
    let cache = target.level2 / 2
    guard shape.weightBytes > cache else { return nil }
    let rows = min(shape.stride.height, shape.r) * shape.h / shape.stride.height
    let image = 4 * shape.c * rows * shape.w
    let fitting = max(1, (3 * cache / 2 - min(image, cache)) / (shape.weightBytes / shape.blocks))
    let part = Self.divisors(shape.blocks).last { $0 % tile.maps == 0 && $0 <= fitting }
    let far = shape.batch * image > cache ? image : 0
    let strips = Self.ceil(shape.oh, tile.rows ?? shape.oh)
    let parts = Self.ceil(shape.blocks, part ?? tile.maps)
    let isLess = parts * far + shape.weightBytes / shape.batch <= strips * shape.weightBytes + far
    return isLess ? part ?? tile.maps : nil
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

  // MARK: Gradient by weight

  struct WeightTile: Sendable, Hashable {
    var maps = 1
    var channels = 1
    /// Rows of taps in registers: one, or all of them.
    var taps = 1
    /// Channels of a part; pooled rows at a time; chunks that images are cut into.
    var part = 1
    var rows = 1
    var chunks = 1
    var cycles = 0.0

    /// Whether a part owns its weights: it sums over all images.
    var isOwned: Bool { chunks == 1 }
  }

  /// nil: a row of gradients or the taps of a channel are too many for the stack.
  func backwardWeight(_ shape: BlockedShape, isBuffered: Bool) -> WeightTile? {
    var best = WeightTile(cycles: .infinity)
    for maps in Self.divisors(shape.blocks) where maps <= 4 {
      let row = maps * shape.cells * shape.ow * vector
      guard !isBuffered || maps == 1 || row <= gradientBytes else { continue }
      for taps in Set([1, shape.isPlanar ? shape.r : 1]).sorted() {
        for channels in Self.divisors(shape.isPlanar ? shape.c : shape.lanes) {
          let sums = maps * channels * taps * shape.s
          guard fits(sums, maps) || (maps == 1 && channels == 1 && taps == 1) else { break }
          guard maps * channels * shape.r * shape.s * vector <= weightSumsBytes else { break }
          var tile = WeightTile(maps: maps, channels: channels, taps: taps)
          tile.cycles = weightCycles(shape, tile, isBuffered: isBuffered)
          if tile.cycles < best.cycles * 0.999 { best = tile }
        }
      }
    }
    guard best.cycles < .infinity else { return nil }
    let row = best.maps * shape.cells * shape.ow * vector
    guard !isBuffered || row <= 28 << 10 else { return nil }
    let input = shape.isPlanar ? 4 : vector
    let read = row + shape.pool.height * shape.stride.height * shape.w * input
    let rows = max(1, min(shape.oh, (36 << 10) / read, isBuffered ? gradientBytes / row : shape.oh))
    best.rows = Self.ceil(shape.oh, Self.ceil(shape.oh, rows))
    cutWeights(shape, &best)
    return best
  }

  /// Cycles of one image.
  private func weightCycles(_ shape: BlockedShape, _ tile: WeightTile, isBuffered: Bool) -> Double {
    let maps = tile.maps
    let sums = maps * tile.channels * tile.taps * shape.s
    let passes = Double(
      shape.blocks / maps * (shape.c / tile.channels) * (shape.r / tile.taps))
    // Few chains do not hide a load that comes late.
    let late = maps == 1 && sums < 20 ? 1.5 : 0
    let step = Self.step(sums, sums / maps + maps) + late
    let ends = 20 + 1.5 * Double(sums)
    let strips = Double(Self.ceil(shape.oh, max(1, 200 / (shape.ow * shape.cells))))
    let pixels = Double(shape.oh * shape.ow)
    // Each part of the channels fills the buffer anew, and reads gradients and maps for it.
    let part = max(tile.channels, weightSumsBytes / (maps * shape.r * shape.s * vector))
    let fills = pixels * Double(shape.blocks * Self.ceil(shape.c, part))
    let fill = isBuffered ? 4 + 2 * Double(shape.cells) : 0
    // Both come from memory, at a vector of 64 bytes in some eight cycles.
    let input = Double(shape.c * shape.h * shape.w / shape.lanes * (shape.blocks / maps))
    let reads = (input + fills * (isBuffered ? 2.25 : 1)) * Double(vector) / 8
    return passes * (pixels * Double(shape.cells) * step + strips * ends) + fills * fill + reads
  }

  /// Parts are owned where there are enough of them; else images are cut into chunks, whose sums are added afterwards.
  private func cutWeights(_ shape: BlockedShape, _ tile: inout WeightTile) {
    let one = tile.maps * shape.r * shape.s * vector
    // Whole register tiles: planes have tiles of any divisor of the channels.
    let unit =
      shape.isPlanar
      ? max(1, min(shape.c, 16) / tile.channels) * tile.channels : shape.lanes
    tile.part = max(
      tile.channels, min(shape.c, weightSumsBytes / one / tile.channels * tile.channels))
    if tile.part > unit {
      let equal = Self.ceil(shape.c, Self.ceil(shape.c, tile.part / unit * unit))
      tile.part = Self.ceil(equal, unit) * unit
    }
    func parts() -> Int { shape.blocks / tile.maps * Self.ceil(shape.c, tile.part) }
    let chunks = min(shape.batch, shape.weightBytes <= 128 << 10 ? 32 : 16)
    while parts() * chunks < 32, tile.part >= 2 * unit { tile.part = tile.part / 2 / unit * unit }
    while parts() * chunks < 16, tile.part >= 2 * tile.channels {
      tile.part = tile.part / 2 / tile.channels * tile.channels
    }
    while parts() * tile.chunks < 64, tile.chunks * 2 <= chunks { tile.chunks *= 2 }
  }

  // MARK: Gradient by data

  /// A tile of the gradient by data, and the buffer of output gradients it reads.
  struct DataTile: Sendable, Hashable {
    var channels = 1
    /// Columns of one phase of the stride.
    var columns = 1
    /// Rows of a strip; blocks of maps in the buffer; blocks of channels of a part.
    var strip = 1
    var maps = 1
    var part = 1
    var bufferRows = 1
    var bufferColumns = 1
    /// Zero columns on the left of the buffer.
    var left = 0
    var channelsFirst = false
    /// Whether columns that no output lies over are left out.
    var isTrimmed = false
    var cycles = 0.0
  }

  /// nil: a row of the buffer is too wide for the stack.
  func backwardData(_ shape: BlockedShape) -> DataTile? {
    let blocks = shape.c / shape.lanes
    let width = Self.ceil(shape.w, shape.stride.width)
    let taps =
      Double(shape.k * shape.r * shape.s) / Double(shape.stride.width * shape.stride.height)
    var best = DataTile(cycles: .infinity)
    for channels in 1...min(blocks, 16) {
      for columns in Self.widths(of: width) {
        guard fits(channels * columns, channels) else { break }
        let isTrimmed = trims(shape, row: shape.w, tile: columns, shape.inputColumns)
        let ofRow = Self.tiles(of: width, columns).reduce(0.0) { cycles, tile in
          let sums = channels * tile.count
          let step =
            isTrimmed
            ? trimmedStep(
              shape, tile: tile, sums: channels, loads: { channels + $0 }, shape.inputColumns)
            : Self.step(sums, channels + tile.count)
          return cycles + step * taps + 10 + 2 * Double(sums)
        }
        let copies = width % columns == 0 ? 1 : unevenness
        let rows = shape.stride.width * shape.h
        let cycles = Double(Self.ceil(blocks, channels) * rows) * copies * ofRow
        if cycles < best.cycles * 0.999 {
          best = DataTile(
            channels: channels, columns: columns, isTrimmed: isTrimmed, cycles: cycles)
        }
      }
    }
    (best.bufferColumns, best.left) = bufferColumns(shape)
    cutChannels(shape, &best)
    return cutRows(shape, best)
  }

  /// Parts of channels whose weights stay in the second-level cache.
  private func cutChannels(_ shape: BlockedShape, _ tile: inout DataTile) {
    let blocks = shape.c / shape.lanes
    tile.part = blocks
    guard shape.weightBytes > target.level2 / 2 else { return }
    let least = max(tile.channels, Self.ceil(256, shape.lanes * shape.r * shape.s))
    let fitting = target.level2 / 2 / (shape.weightBytes / blocks)
    let equal = Self.ceil(blocks, Self.ceil(blocks, max(least, fitting)))
    tile.part = min(blocks, Self.ceil(equal, tile.channels) * tile.channels)
    tile.channelsFirst = shape.weightBytes > 4 * shape.k * shape.oh * shape.ow * shape.cells
  }

  /// Strips small enough for the buffer, and for every thread to have some.
  private func cutRows(_ shape: BlockedShape, _ start: DataTile) -> DataTile? {
    var tile = start
    let parts = shape.batch * Self.ceil(shape.c / shape.lanes, tile.part)
    tile.strip = Self.ceil(shape.h, max(1, min(shape.h, Self.ceil(8, parts))))
    // Enough blocks of maps that adding to what stands in the gradient does not weigh.
    let steps = shape.lanes * shape.r * shape.s / (shape.stride.height * shape.stride.width)
    let wanted = min(Self.ceil(200, max(1, steps)), shape.blocks)
    while true {
      tile.bufferRows = bufferRows(shape, tile.strip)
      let one = tile.bufferRows * tile.bufferColumns * vector
      if one * wanted <= 40 << 10 || tile.strip == 1 {
        guard one <= 48 << 10 else { return nil }
        let maps = max(1, min(shape.blocks, (40 << 10) / one))
        tile.maps = Self.ceil(shape.blocks, Self.ceil(shape.blocks, maps))
        return tile
      }
      tile.strip = Self.ceil(tile.strip, 2)
    }
  }

  private func bufferColumns(_ shape: BlockedShape) -> (Int, Int) {
    let stride = shape.stride.width
    let left = Self.ceil(max(0, shape.s - 1 - shape.padding.left), stride)
    let last = Self.ceil(shape.w, stride) - 1 + (stride - 1 + shape.padding.left) / stride
    return (left + max(shape.pool.width * shape.ow, last + 1), left)
  }

  private func bufferRows(_ shape: BlockedShape, _ strip: Int) -> Int {
    let stride = shape.stride.height
    var most = 1
    for top in Swift.stride(from: 0, to: shape.h, by: strip) {
      let bottom = min(top + strip, shape.h)
      let first = max(top + shape.padding.top - shape.r + stride, 0) / stride / shape.pool.height
      let last = (bottom - 1 + shape.padding.top) / stride
      let end = min(last, shape.pool.height * shape.oh - 1) / shape.pool.height + 1
      most = max(most, end - min(first, end))
    }
    return most * shape.pool.height
  }
}
