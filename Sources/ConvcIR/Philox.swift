/// Random bits that depend on a key and a counter alone: Philox 4x32 with 10 rounds.
///
/// Any block of a sequence can be drawn on its own, by any thread. `convc_random.h` draws the same
/// words in bulk, and the generated C those of a dropout layer's mask.
/// - Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
public struct Philox: Sendable, Hashable {
  /// Selects the sequence; its lower half is the first word of the paper's key.
  public let key: UInt64
  /// Upper half of the counter: the number of a training step, or 0.
  public let stream: UInt64

  public init(key: UInt64, stream: UInt64 = 0) {
    self.key = key
    self.stream = stream
  }

  /// The four words of a block, whose number is the lower half of the counter.
  public func words(_ block: UInt64) -> SIMD4<UInt32> {
    var (a, b) = Self.halves(block)
    var (c, d) = Self.halves(stream)
    var (key0, key1) = Self.halves(key)
    for _ in 0..<10 {
      let first = a.multipliedFullWidth(by: 0xd251_1f53)
      let second = c.multipliedFullWidth(by: 0xcd9e_8d57)
      (a, b) = (second.high ^ b ^ key0, second.low)
      (c, d) = (first.high ^ d ^ key1, first.low)
      key0 &+= 0x9e37_79b9
      key1 &+= 0xbb67_ae85
    }
    return SIMD4(a, b, c, d)
  }

  /// FNV-1a, 32 bits, of a layer's name: its part of a key.
  package static func hash(of name: String) -> UInt32 {
    name.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }

  /// The lower and the upper half.
  private static func halves(_ value: UInt64) -> (UInt32, UInt32) {
    (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }
}
