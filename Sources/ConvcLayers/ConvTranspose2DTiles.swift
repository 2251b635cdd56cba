import ConvcIR

/// Sizes of a transposed convolution whose windows lie side by side, as its tile rules see it.
struct TransposedShape: Sendable, Hashable {
  /// Blocks of input channels and of maps.
  let c: Int, k: Int
  let r: Int, s: Int, h: Int, w: Int
  let batch: Int
  let lanes: Int

  var weightBytes: Int { c * k * lanes * lanes * r * s * 4 }
  /// Multiply-adds of vectors of one image.
  var steps: Double { Double(c * k * lanes * r * s * h * w) }
}

/// Register tiles of the transposed convolution with channels in lanes; the same rules as in ``BlockedTiles``.
extension BlockedTiles {
  /// Blocks of maps, columns of the input, and neighbouring phases of a window.
  struct TransposedForwardTile: Sendable, Hashable {
    var maps = 1
    var columns = 1
    var phases = 1
    var mapsFirst = false
    var cycles = Double.infinity
  }

  func transposedForward(_ shape: TransposedShape) -> TransposedForwardTile {
    var best = TransposedForwardTile()
    for phases in Set([1, shape.s]).sorted() {
      for maps in 1...min(shape.k, 16) {
        for columns in 1...shape.w {
          let vectors = maps * phases
          guard fits(vectors * columns, vectors) || vectors * columns == 1 else { break }
          let tiles = Double(
            Self.ceil(shape.k, maps) * shape.s / phases * Self.ceil(shape.w, columns))
          let step = Self.step(vectors * columns, vectors + columns)
          let ends = 10 + 1.5 * Double(vectors * columns)
          let cycles =
            tiles * Double(shape.h * shape.r) * (step * Double(shape.c * shape.lanes) + ends)
          if cycles < best.cycles * 0.999 {
            best = TransposedForwardTile(
              maps: maps, columns: columns, phases: phases, cycles: cycles)
          }
        }
      }
    }
    best.mapsFirst =
      shape.weightBytes
      > max(target.level2 / 2, 16 * shape.c * shape.lanes * shape.h * shape.w)
    return best
  }

  /// Blocks of channels and columns; blocks of maps and columns that are buffered at a time.
  struct TransposedDataTile: Sendable, Hashable {
    var channels = 1
    var columns = 1
    var maps = 1
    var strip = 1
    var cycles = Double.infinity
  }

  func transposedData(_ shape: TransposedShape, isBuffered: Bool) -> TransposedDataTile? {
    var best = TransposedDataTile()
    let taps = Double(shape.k * shape.lanes * shape.r * shape.s)
    for channels in 1...min(shape.c, 16) {
      for columns in 1...shape.w {
        guard fits(channels * columns, channels) || channels * columns == 1 else { break }
        let tiles = Double(Self.ceil(shape.c, channels) * Self.ceil(shape.w, columns))
        let step = Self.step(channels * columns, channels + columns)
        let ends = 10 + 2 * Double(channels * columns)
        let cycles = tiles * Double(shape.h) * (step * taps + ends)
        if cycles < best.cycles * 0.999 {
          best = TransposedDataTile(channels: channels, columns: columns, cycles: cycles)
        }
      }
    }
    best.maps = shape.k
    best.strip = shape.w
    guard isBuffered else { return best }
    // The widest strip of one block of maps first, then as many blocks as fit.
    let one = shape.r * shape.s * vector
    let fitting = gradientBytes / one / best.columns * best.columns
    guard fitting > 0 else { return nil }
    if fitting < shape.w { best.strip = fitting }
    best.maps = max(1, min(shape.k, gradientBytes / (one * best.strip)))
    return best
  }

  /// Blocks of channels and maps of the register tile; blocks of either of a part; rows and columns at a time.
  struct TransposedWeightTile: Sendable, Hashable {
    var channels = 1
    var maps = 1
    var partChannels = 1
    var partMaps = 1
    var rows = 1
    var strip = 1
    var chunks = 1
    var cycles = Double.infinity
  }

  /// nil: the taps of one block are too many for the stack.
  func transposedWeight(_ shape: TransposedShape, isBuffered: Bool) -> TransposedWeightTile? {
    var best = TransposedWeightTile()
    let fitting = (32 << 10) / (shape.lanes * shape.r * shape.s * vector)
    for channels in Self.divisors(shape.c) where channels <= min(4, fitting) {
      for maps in Self.divisors(shape.lanes) {
        let sums = channels * maps * shape.s
        guard fits(sums, channels) || (channels == 1 && maps == 1) else { break }
        let steps = Double(shape.c / channels * (shape.k * shape.lanes / maps) * shape.r)
        let step = Self.step(sums, channels + maps * shape.s)
        let rows = Double(Self.ceil(shape.h, max(1, 200 / shape.w)))
        let cycles =
          steps * (Double(shape.h * shape.w) * step + rows * (20 + 1.5 * Double(sums)))
        if cycles < best.cycles * 0.999 {
          best = TransposedWeightTile(channels: channels, maps: maps, cycles: cycles)
        }
      }
    }
    guard best.cycles < .infinity else { return nil }
    cutWeights(shape, fitting, &best)
    // A strip of the input and of the gradient under it stays in the first-level cache.
    let gradient = best.partMaps * shape.r * shape.s * vector
    let columns = min(
      (36 << 10) / (gradient + best.channels * vector),
      isBuffered ? gradientBytes / gradient : .max)
    guard columns > 0 else { return nil }
    best.strip = Self.ceil(shape.w, Self.ceil(shape.w, columns))
    best.rows = max(1, min(shape.h, columns / best.strip))
    best.rows = Self.ceil(shape.h, Self.ceil(shape.h, best.rows))
    return best
  }

  /// Parts whose sums fit the stack and that read the maps least often; enough of them for many threads, images cut into
  /// chunks where that takes it.
  private func cutWeights(
    _ shape: TransposedShape, _ fitting: Int, _ tile: inout TransposedWeightTile
  ) {
    var least = Double.infinity
    for maps in 1...min(shape.k, fitting / tile.channels) {
      let tiles = min(shape.c, fitting / maps) / tile.channels
      let channels = Self.ceil(shape.c / tile.channels, Self.ceil(shape.c / tile.channels, tiles))
      let reads = 1 / Double(maps) + Double(shape.r * shape.s) / Double(channels * tile.channels)
      if reads < least {
        least = reads
        tile.partMaps = maps
        tile.partChannels = channels * tile.channels
      }
    }
    func parts() -> Int {
      Self.ceil(shape.c, tile.partChannels) * Self.ceil(shape.k, tile.partMaps)
    }
    let chunks = min(shape.batch, 16)
    while parts() * chunks < 16, tile.partMaps > 1 { tile.partMaps /= 2 }
    while parts() * chunks < 16, tile.partChannels >= 2 * tile.channels {
      tile.partChannels = tile.partChannels / 2 / tile.channels * tile.channels
    }
    while parts() * tile.chunks < 32, tile.chunks * 2 <= chunks { tile.chunks *= 2 }
  }
}
