import Convc
import ConvcTestSupport
import Testing

/// Results too large for the caches pass them on the way to memory: nothing else changes.
@Suite("Results that pass the caches")
struct StreamingTests {
  struct Case: Sendable, CustomStringConvertible {
    let description: String
    /// What the layer gives in each family that has such a kernel.
    let families: [String]
    /// Kernels, forward and backward.
    var kernels = 2
    let apply: @Sendable (Value) -> Value
  }

  static let cases = [
    Case(
      description: "response normalisation of 5 channels", families: ["generic", "lanes"],
      kernels: 1
    ) {
      $0.localResponseNorm()
    },
    Case(description: "response normalisation of all channels", families: ["generic", "lanes"]) {
      $0.apply(LocalResponseNorm(across: .channels(nil), beta: 0.5))
    },
    Case(
      description: "response normalisation of 3x3 places", families: ["lanes", "blocked"],
      kernels: 1
    ) {
      $0.apply(LocalResponseNorm(across: .space(3)))
    },
    Case(description: "instance normalisation", families: ["generic"]) { $0.instanceNorm() },
    Case(description: "group normalisation", families: ["generic"]) {
      $0.groupNorm(groups: 4)
    },
    Case(description: "means taken off", families: ["generic"]) {
      $0.apply(MeanVarianceNorm(normalizesVariance: false))
    },
    Case(description: "dropout", families: ["generic"]) { $0.dropout(0.3) },
    Case(description: "position bias", families: ["blocked"], kernels: 1) { $0.positionBias() },
    Case(description: "softmax", families: ["generic", "lanes", "blocked"], kernels: 1) {
      $0.softmax()
    },
    Case(description: "logarithm of a softmax", families: ["generic", "lanes", "blocked"]) {
      $0.logSoftmax()
    },
  ]

  @Test(
    "with and without it a layer computes the same, on one thread and on five", arguments: cases)
  func same(test: Case) async throws {
    guard Target.native.hasVectors else { return }
    for family in test.families {
      // Rows of whole lines of memory, and channels of whole pieces.
      let sizes = try await CacheSizes(
        input: [16, 24, 32], family: family, threads: [1, 5], apply: test.apply)
      for program in sizes.programs {
        let streams = program.text.components(separatedBy: "FLUSH();").count - 1
        #expect(streams == (program.hasSmallCache ? test.kernels : 0), "\(family)")
      }
      #expect(sizes.agree, "\(family)")
    }
  }
}
