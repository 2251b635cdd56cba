import ConvcIR
import Testing

@Suite("ParameterRange")
struct ParameterRangeTests {
  @Test("neighbours on both sides become one")
  func joins() {
    let a = ParameterRange(source: 10, destination: 0, count: 5)
    let b = ParameterRange(source: 15, destination: 5, count: 2)
    let c = ParameterRange(source: 0, destination: 7, count: 3)
    let d = ParameterRange(source: 3, destination: 11, count: 1)
    let whole = ParameterRange(source: 10, destination: 0, count: 7)
    #expect(ParameterRange.joined([a, b, c, d]) == [whole, c, d])
    #expect(ParameterRange.joined([]).isEmpty)
  }
}
