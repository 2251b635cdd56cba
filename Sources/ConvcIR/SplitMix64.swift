/// Random bits from a seed, the same on every machine.
///
/// - Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// A seed of its own for each name under a master seed.
  ///
  /// The name enters through FNV-1a; two rounds of mixing keep seeds apart whose master seeds and
  /// names differ in few bits.
  public static func seed(_ master: UInt64, name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    var generator = SplitMix64(seed: master)
    return mixed(generator.next() ^ hash)
  }

  /// The generator's mixing function: each bit of the result depends on all bits of `value`.
  public static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in 0..<1, a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A number from 0 up to, but not, `bound`, each equally likely.
  ///
  /// - Source: Lemire 2019, "Fast random integer generation in an interval".
  public mutating func next(below bound: Int) -> Int {
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// Brings elements into an order that is equally likely to be any.
  ///
  /// Written out because the library's own may take other numbers in another release.
  /// - Source: Fisher and Yates 1938, as Durstenfeld 1964 has it.
  public mutating func shuffle<T>(_ elements: inout [T]) {
    elements.withUnsafeMutableBufferPointer { elements in
      for last in stride(from: elements.count - 1, to: 0, by: -1) {
        elements.swapAt(last, next(below: last + 1))
      }
    }
  }
}
