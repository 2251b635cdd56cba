import Convc
import ConvcTestSupport
import Testing

/// Maps that come from memory are asked for before they are read and written: nothing else changes.
@Suite("Reading ahead")
struct ReadAheadTests {
  @Test(
    "with and without it a network computes the same", arguments: ["generic", "lanes", "blocked"])
  func same(family: String) async throws {
    guard Target.native.hasVectors else { return }
    let sizes = try await CacheSizes(input: [16, 9, 11], family: family) {
      $0.softplus().positionBias().elu()
    }
    for program in sizes.programs {
      #expect(program.text.contains("__builtin_prefetch(") == program.hasSmallCache)
    }
    #expect(sizes.agree)
  }
}
