import ConvcIR

/// Sizes of a convolution as the tile rules see it.
struct ConvShape: Sendable {
  let c: Int, h: Int, w: Int, k: Int, r: Int, s: Int
  /// Output rows and columns, after pooling.
  let oh: Int, ow: Int
  let pool: Pooling
  let stride: Size2D
  let padding: Padding
  /// Vectors of images at the largest batch.
  let groups: Int
}

/// A loop over parts of an extent, which is left out where one part is the whole.
struct LoopOver {
  let isNeeded: Bool
  /// Whether the last part is smaller.
  let hasRest: Bool
  /// Length of a part in C.
  let extent: String

  /// - Parameters:
  ///   - size, whole: names of the constants for a part and for the whole.
  ///   - rest: name of the variable with the length of a part, where one is smaller.
  init(_ count: Int, step: Int, size: String, whole: String, rest: String) {
    isNeeded = step < count
    hasRest = isNeeded && count % step != 0
    extent = hasRest ? rest : isNeeded ? size : whole
  }
}

/// Register tiles of the kernels that have images in lanes: which part of the output a kernel keeps in registers.
///
/// Each rule weighs the cycles of the inner loop: two multiply-adds or loads a cycle, at least the latency of four for a
/// chain, and what the end of a tile costs. It reads shapes and the target alone.
struct LanesTiles: Sendable {
  let target: Target

  /// Bytes of the buffer for a strip of gradients, small enough for half of the first-level cache.
  private var buffer: Int { 26 << 10 }
  private var vector: Int { 4 * target.lanes }
  /// Registers beside the sums and the shorter side of a tile.
  private var spare: Int { target.spareRegisters }

  /// Cycles of one step with so many multiply-adds and loads.
  private static func step(_ adds: Int, _ loads: Int) -> Double {
    max(Double(adds) / 2, Double(loads) / 2, 4) + 0.6
  }

  static func divisors(_ n: Int) -> [Int] { (1...n).filter { n % $0 == 0 } }
  static func ceil(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

  /// Maps and columns of a forward tile. The last tile of a row overlaps its neighbour.
  func forward(_ shape: ConvShape) -> (maps: Int, columns: Int) {
    var best = (cost: Double.infinity, maps: 1, columns: 1)
    for maps in (shape.k == 1 ? 1 : 2)...max(shape.k == 1 ? 1 : 2, min(shape.k, target.registers)) {
      for columns in 1...shape.ow {
        let cells = shape.pool.height * shape.pool.width * columns
        guard maps * cells + maps + spare <= target.registers else { continue }
        let step = Self.step(maps * cells, maps + cells)
        let tiles = Double(Self.ceil(shape.k, maps) * Self.ceil(shape.ow, columns))
        let cost =
          tiles * (step * Double(shape.c * shape.r * shape.s) + 10 + 1.5 * Double(maps * cells))
        if cost < best.cost * 0.999 { best = (cost, maps, columns) }
      }
    }
    return (best.maps, best.columns)
  }

  /// Maps, channels and pooled rows of a weight gradient's tile, and the chunks that images are cut into.
  func backwardWeight(_ shape: ConvShape) -> (maps: Int, channels: Int, rows: Int, chunks: Int)? {
    var best = (cost: Double.infinity, maps: 0, channels: 0, rows: 0)
    let cells = shape.pool.height * shape.pool.width
    for maps in Self.divisors(shape.k) {
      let row = maps * cells * shape.ow * vector
      guard row <= buffer || (maps == 1 && row <= 48 << 10) else { continue }
      for channels in Self.divisors(shape.c) {
        let sums = maps * channels * shape.s
        let fits = sums + min(maps, channels * shape.s) + spare <= target.registers
        guard fits || (maps == 1 && channels == 1) else { continue }
        let rows = rows(shape, gradients: row, channels: channels)
        let steps = Double(shape.k / maps * (shape.c / channels) * shape.r)
        let step = Self.step(sums, maps + channels * shape.s)
        let ends = Double(Self.ceil(shape.oh, rows)) * (20 + 1.5 * Double(sums))
        // The input is read again for each tile of maps.
        let area =
          (shape.pool.height * shape.oh + shape.r - 1)
          * (shape.pool.width * shape.ow + shape.s - 1)
        let reads = 1.5 * Double(shape.k / maps * shape.c * area)
        let cost = steps * (Double(shape.oh * shape.ow * cells) * step + ends) + reads
        if cost < best.cost * 0.999 { best = (cost, maps, channels, rows) }
      }
    }
    guard best.maps > 0 else { return nil }
    // Two chunks at least where their sums are small: then two threads keep their images from kernel to kernel.
    let parts = shape.k * (shape.c * shape.r * shape.s + 1) * vector
    var chunks = shape.groups > 1 && 4 * parts <= target.level2 ? 2 : 1
    while shape.k / best.maps * chunks < 8, chunks * 2 <= min(shape.groups, 8) { chunks *= 2 }
    return (best.maps, best.channels, best.rows, chunks)
  }

  /// Pooled rows whose gradients, of so many bytes each, lie in half of the first-level cache beside the input they
  /// meet: all rows of taps go through both.
  private func rows(_ shape: ConvShape, gradients: Int, channels: Int) -> Int {
    let inputRow = channels * (shape.w + shape.padding.left + shape.padding.right) * vector
    return (1...shape.oh).last { rows in
      let inputRows = (shape.pool.height * rows - 1) * shape.stride.height + shape.r
      return rows * gradients + inputRows * inputRow <= target.level1 / 2
    } ?? 1
  }

  /// A tile of the gradient by data, and the buffer of output gradients it reads.
  struct DataTile: Sendable {
    var channels = 1
    var columns = 1
    /// Whether the buffer has columns of zeros, and one loop goes over all tiles of a row. Else no column outside the map is
    /// multiplied, and each tile has a text of its own.
    var hasHalo = true
    /// Rows of a strip; maps in the buffer.
    var strip = 1
    var maps = 1
    var bufferRows = 1
    var bufferColumns = 1
    /// Zero columns on the left of the buffer.
    var left = 0
  }

  /// Whole rows or tiles of them without a halo, which multiply no column outside the map, or tiles over a buffer with one.
  func backwardData(_ shape: ConvShape) -> DataTile? {
    var best = (cost: Double.infinity, tile: DataTile())
    for channels in Self.divisors(shape.c) {
      for columns in 1...shape.w {
        for hasHalo in [false, true] {
          let tile = DataTile(channels: channels, columns: columns, hasHalo: hasHalo)
          guard let cost = dataCost(shape, tile), cost < best.cost * 0.999 else { continue }
          best = (cost, tile)
        }
      }
    }
    var tile = best.tile
    guard best.cost.isFinite else { return nil }
    (tile.bufferColumns, tile.left) = bufferColumns(shape, tile)
    return strips(shape, &tile) ? tile : nil
  }

  /// Cycles for all channels and columns; nil: there are not registers enough, or the text would be long.
  private func dataCost(_ shape: ConvShape, _ tile: DataTile) -> Double? {
    let sums = tile.channels * tile.columns
    let steps: Double
    if tile.hasHalo {
      // Over a halo, cells that neighbouring taps share stay in registers too.
      guard tile.columns < shape.w, tile.columns % shape.stride.width == 0,
        sums + target.registers / 2 - 1 <= target.registers || sums == 1
      else { return nil }
      let taps = shape.s * tile.columns / shape.stride.width
      let step = Self.step(tile.channels * taps, taps / shape.s + shape.s * tile.channels)
      steps = Double(Self.ceil(shape.w, tile.columns)) * step
    } else {
      let shared = target.hasFewRegisters ? tile.channels : min(tile.channels, 4)
      guard sums + shared + spare <= target.registers || sums == 1 else { return nil }
      let tiles = stride(from: 0, to: shape.w, by: tile.columns).map { first in
        tapCounts(shape, first..<min(first + tile.columns, shape.w))
      }
      let taps = tiles.joined().reduce(0, +)
      // Where registers are many, a whole row finds room, and its cells are read once.
      guard tiles.count == 1 || (target.hasFewRegisters && tile.channels * taps <= Self.longest)
      else { return nil }
      steps = tiles.reduce(0) { $0 + step(shape, tile.channels, $1) }
    }
    let tiles = Double(Self.ceil(shape.w, tile.columns))
    let rows = Double(shape.k * shape.r) / Double(shape.stride.height)
    return Double(shape.c / tile.channels) * (steps * rows + tiles * Double(10 + sums))
  }

  /// Multiply-adds of a row of taps that are written out where tiles have a text each.
  private static let longest = 240

  /// Cycles of a row of taps over a tile without a halo, in which each tap meets so many columns.
  private func step(_ shape: ConvShape, _ channels: Int, _ taps: [Int]) -> Double {
    let all = taps.reduce(0, +)
    guard target.hasFewRegisters else {
      return Self.step(channels * all, all / shape.s + shape.s * channels)
    }
    let met = taps.filter { $0 > 0 }.count
    // A sum waits four cycles for its next product.
    return max(
      Self.step(channels * all, channels * met + all), 4 * Double(met) / Double(shape.stride.width))
  }

  /// Rows of a strip and maps in the buffer: few prologues, and few passes over the result.
  ///
  /// - Returns: false where one row of one map is too much for the buffer.
  private func strips(_ shape: ConvShape, _ tile: inout DataTile) -> Bool {
    var least = Double.infinity
    for strips in min(shape.h, Self.ceil(8, shape.groups))...shape.h {
      let height = Self.ceil(shape.h, strips)
      let rows = bufferRows(shape, height)
      let most = max(rows.max() ?? 0, 1)
      let one = most * tile.bufferColumns * vector
      guard one <= buffer || (height == 1 && one <= 48 << 10) else { continue }
      let fit = max(1, min(shape.k, buffer / one))
      let maps = Self.ceil(shape.k, Self.ceil(shape.k, fit))
      let prologues = 3 * rows.reduce(0, +) * tile.bufferColumns * shape.k
      let passes = 4 * Self.ceil(shape.k, maps) * shape.c * shape.h * shape.w
      if Double(prologues + passes) < least {
        least = Double(prologues + passes)
        (tile.strip, tile.maps, tile.bufferRows) = (height, maps, most)
      }
    }
    return least.isFinite
  }

  /// Columns of a tile that each tap of a row meets inside the map.
  private func tapCounts(_ shape: ConvShape, _ columns: Range<Int>) -> [Int] {
    let width = shape.stride.width * shape.pool.width * shape.ow
    return (0..<shape.s).map { s in
      columns.filter { column in
        let q = column + shape.padding.left - s
        return q % shape.stride.width == 0 && q >= 0 && q < width
      }.count
    }
  }

  private func bufferColumns(_ shape: ConvShape, _ tile: DataTile) -> (Int, Int) {
    let width = shape.pool.width * shape.ow
    guard tile.hasHalo else { return (width, 0) }
    let stride = shape.stride.width
    let left = max(0, (shape.s - 1 - shape.padding.left) / stride)
    let columns = Self.ceil(shape.w, tile.columns) * tile.columns
    let last = (columns - 1 + shape.padding.left) / stride
    return (left + max(width, last + 1), left)
  }

  /// Rows of gradients under each strip.
  private func bufferRows(_ shape: ConvShape, _ strip: Int) -> [Int] {
    let stride = shape.stride.height
    return Swift.stride(from: 0, to: shape.h, by: strip).map { top in
      let bottom = min(top + strip, shape.h)
      let first = max(top + shape.padding.top - shape.r + stride, 0) / stride / shape.pool.height
      let last = (bottom - 1 + shape.padding.top) / stride
      let end = min(last, shape.pool.height * shape.oh - 1) / shape.pool.height + 1
      return max(0, end - first) * shape.pool.height
    }
  }

  /// Tiles of the three dense kernels.
  struct DenseTiles: Sendable {
    /// Vectors of images at the largest batch.
    var allGroups = 1
    /// Vectors of images, and outputs, of a forward tile.
    var groups = 1
    var outputs = 1
    /// Features of a data tile; features of a part; outputs in the buffer.
    var features = 1
    var part = 1
    var dataOutputs = 1
    /// Vectors of images in the buffer, blocks of features and outputs of a weight tile; outputs of a part.
    var weightGroups = 1
    var weightBlocks = 1
    var weightOutputs = 1
    var weightPart = 1
  }

  func dense(features: Int, outputs: Int, groups: Int) -> DenseTiles {
    var tiles = DenseTiles()
    tiles.allGroups = groups
    tiles.groups = min(groups, features * outputs * 4 > target.level2 / 2 ? 4 : 2)
    tiles.outputs = side(outputs, other: tiles.groups)
    tiles.features = side(features, other: tiles.groups)
    let parts = Self.ceil(groups, tiles.groups)
    let wanted = max(1, Self.ceil(8, parts))
    tiles.part = tiles.features * max(1, Self.ceil(features, tiles.features) / wanted)
    tiles.dataOutputs = min(outputs, buffer / (tiles.groups * vector))
    weightTiles(features, outputs, groups, &tiles)
    return tiles
  }

  /// The length of a tile's second side: the last tile overlaps its neighbour.
  private func side(_ n: Int, other: Int) -> Int {
    var best = (cost: Double.infinity, length: 1)
    for length in 1...n {
      if other * length + min(other, length) + spare > target.registers { break }
      let cost = Double(Self.ceil(n, length)) * Self.step(other * length, other + length)
      if cost < best.cost * 0.999 { best = (cost, length) }
    }
    return best.length
  }

  private func weightTiles(
    _ features: Int, _ outputs: Int, _ groups: Int, _ tiles: inout DenseTiles
  ) {
    let blocks = Self.ceil(features, target.lanes)
    var best = (cost: Double.infinity, blocks: 1, outputs: 1)
    for b in 1...min(6, blocks) {
      for t in 1...outputs {
        if b * t + min(b, t) + spare > target.registers { break }
        let inner =
          Double(target.lanes * groups * Self.ceil(outputs, t)) * Self.step(b * t, b + t)
        let cost =
          Double(Self.ceil(blocks, b)) * (inner + Double(groups * (80 * b + 3 * outputs)))
        if cost < best.cost * 0.999 { best = (cost, b, t) }
      }
    }
    tiles.weightBlocks = best.blocks
    tiles.weightOutputs = best.outputs
    tiles.weightGroups = min(groups, 4)
    var part = min(outputs, (20 << 10) / (tiles.weightGroups * vector))
    if Self.ceil(blocks, best.blocks) < 8, outputs >= 48 {
      part = min(part, Self.ceil(outputs, 2 * best.outputs) * best.outputs)
    }
    // The last part holds a whole tile.
    while outputs % part != 0, outputs % part < best.outputs { part -= 1 }
    tiles.weightPart = part
  }
}
