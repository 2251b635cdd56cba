import ConvcIR

extension BlockedTiles {
  /// Bytes of the sums of the gradient by weight, which are read once for many pixels.
  private var weightSumsBytes: Int { 36 << 10 }

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
