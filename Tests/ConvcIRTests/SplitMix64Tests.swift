import ConvcIR
import Testing

@Suite("SplitMix64")
struct SplitMix64Tests {
  @Test("gives the published numbers")
  func published() {
    var random = SplitMix64(seed: 1_234_567)
    let numbers = (0..<3).map { _ in random.next() }
    #expect(
      numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test("uniform numbers lie in 0..<1, bounded ones below the bound, and none is left out")
  func ranges() {
    var random = SplitMix64(seed: 1)
    let isInside = (0..<1000).allSatisfy { _ in (0..<1).contains(random.uniform()) }
    #expect(isInside)
    let seen = Set((0..<1000).map { _ in random.next(below: 7) })
    #expect(seen == Set(0..<7))
  }

  @Test("a shuffled list has the same elements in an order that the seed decides")
  func shuffle() {
    func order(_ seed: UInt64) -> [Int] {
      var elements = Array(0..<50)
      var random = SplitMix64(seed: seed)
      random.shuffle(&elements)
      return elements
    }
    #expect(order(1) == order(1))
    #expect(order(1) != order(2))
    #expect(order(1).sorted() == Array(0..<50))
  }
}
