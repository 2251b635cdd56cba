import ConvcTestSupport
import Testing

@testable import ConvcReference

@Suite("Random values")
struct RandomValuesTests {
  @Test("a seed always gives the same values, another one others")
  func seeded() {
    func values(_ seed: UInt64) -> [Float] {
      var random = RandomValues(seed: seed)
      return random.normal(4)
    }
    #expect(values(1) == values(1))
    #expect(values(1) != values(2))
  }

  @Test("normal values have the mean and deviation that are asked for")
  func normal() {
    var random = RandomValues(seed: 1)
    let values = random.normal(4000, mean: 3, deviation: 2)
    let mean = values.reduce(0, +) / 4000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
    #expect(abs(mean - 3) < 0.15)
    #expect(abs(variance - 4) < 0.4)
  }

  @Test("distinct values keep the gap, from zero half of it")
  func distinct() {
    var random = RandomValues(seed: 1)
    let values = random.distinct(101, gap: 0.1)
    let sorted = values.sorted()
    #expect(values != sorted)
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 > 0.099 })
    #expect(values.allSatisfy { $0.magnitude > 0.049 })
  }

  @Test("a sample is of different elements, in order; all where there are no more")
  func sample() {
    var random = RandomValues(seed: 1)
    #expect(random.sample(5, of: 4) == [0, 1, 2, 3])
    let chosen = random.sample(64, of: 1000)
    #expect(Set(chosen).count == 64)
    #expect(chosen == chosen.sorted())
    #expect(chosen.allSatisfy { (0..<1000).contains($0) })
  }
}

@Suite("Comparison")
struct ComparisonTests {
  @Test("differences are shares of the largest reference value")
  func share() {
    let comparison = Comparison([1, 2.5, -10] as [Float], [1, 2, -10] as [Double])
    #expect(comparison.difference == 0.05)
    #expect(comparison.isWithin(0.05))
    #expect(!comparison.isWithin(0.04))
    #expect(comparison.description == "0.05 of the largest, 10.0; worst at 1: 2.5, expected 2.0")
  }

  @Test("NaN agrees with NaN alone, infinity with itself")
  func notANumber() {
    #expect(Comparison([.nan, .infinity] as [Float], [.nan, .infinity] as [Float]).isWithin(0))
    #expect(!Comparison([.nan] as [Float], [1] as [Float]).isWithin(1e30))
    #expect(!Comparison([1] as [Float], [.nan] as [Float]).isWithin(1e30))
    #expect(!Comparison([1] as [Float], [.infinity] as [Float]).isWithin(1e30))
  }

  @Test("another number of values never agrees")
  func count() {
    #expect(!Comparison([1] as [Float], [1, 2] as [Float]).isWithin(1e30))
  }
}
