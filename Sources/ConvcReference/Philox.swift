/// Random bits that depend on a counter and a key alone: Philox 4x32 with 10 rounds.
///
/// - Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
struct Philox {
  let key: (UInt32, UInt32)
  let step: UInt64

  init(key: (UInt32, UInt32), step: UInt64) {
    self.key = key
    self.step = step
  }

  /// The bits of a layer in a step: the layer's name enters the key as its FNV-1a hash.
  init(seed: UInt64, name: String, step: UInt64) {
    let hash = name.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    self.init(
      key: (UInt32(truncatingIfNeeded: seed) ^ hash, UInt32(truncatingIfNeeded: seed >> 32)),
      step: step)
  }

  /// The four words of a block.
  func words(_ block: UInt64) -> [UInt32] {
    var (a, b) = (UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32))
    var (c, d) = (UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
    var (key0, key1) = key
    for _ in 0..<10 {
      let first = a.multipliedFullWidth(by: 0xD251_1F53)
      let second = c.multipliedFullWidth(by: 0xCD9E_8D57)
      (a, b, c, d) = (
        second.high ^ b ^ key0, second.low, first.high ^ d ^ key1, first.low
      )
      key0 &+= 0x9E37_79B9
      key1 &+= 0xBB67_AE85
    }
    return [a, b, c, d]
  }
}
