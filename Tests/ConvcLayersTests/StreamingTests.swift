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
      let builder = ModelBuilder(name: "streaming")
      // Rows of whole lines of memory, and channels of whole pieces.
      let y = test.apply(builder.input("x", [16, 24, 32]).prelu())
      builder.output("y", y)
      builder.loss(MeanSquaredError(), on: "y", target: "target")
      var results: [[[Float]]] = []
      for level2 in [1 << 30, 1 << 10] {
        let target = Target.native.with(level2: level2, asksAhead: true)
        let options = BuildOptions(batch: 17, target: target, families: [family], fuses: false)
        let compilation = try builder.model.compile(options)
        let text = compilation.sources().map(\.text).joined()
        let streams = text.components(separatedBy: "FLUSH();").count - 1
        #expect(streams == (level2 == 1 << 10 ? test.kernels : 0), "\(family)")
        for threads in [1, 5] {
          let session = try Session(try await compilation.load())
          try session.setParameterBlock(numbers(session.parameterBlock.count))
          let values = numbers(17 * 16 * 768)
          _ = try session.gradients(
            inputs: [.float32(values)], targets: [.float32(values.reversed())], batch: 17,
            options: StepOptions(threads: threads))
          results.append([
            try session.forward(inputs: [.float32(values)], batch: 17)[0].floats,
            session.withGradients { Array($0) },
          ])
        }
      }
      #expect(results.dropFirst().allSatisfy { $0 == results[0] }, "\(family)")
    }
  }

  private func numbers(_ count: Int) -> [Float] {
    (0..<count).map { index in Float((index * 37) % 101) / 40 - 1.2 }
  }
}
