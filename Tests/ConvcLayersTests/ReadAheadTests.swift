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
    let builder = ModelBuilder(name: "ahead")
    let x = builder.input("x", [16, 9, 11])
    let y = x.prelu().softplus().positionBias().elu()
    builder.output("y", y)
    builder.loss(MeanSquaredError(), on: "y", target: "target")
    var results: [[[Float]]] = []
    for level2 in [1 << 30, 1 << 10] {
      let target = Target.native.with(level2: level2, asksAhead: true)
      let options = BuildOptions(batch: 17, target: target, families: [family], fuses: false)
      let compilation = try builder.model.compile(options)
      let text = compilation.sources().map(\.text).joined()
      #expect(text.contains("__builtin_prefetch(") == (level2 == 1 << 10))
      let session = try Session(try await compilation.load())
      try session.setParameterBlock(Self.numbers(session.parameterBlock.count))
      let values = Self.numbers(17 * 16 * 99)
      _ = try session.gradients(
        inputs: [.float32(values)], targets: [.float32(values.reversed())], batch: 17)
      results.append([
        try session.forward(inputs: [.float32(values)], batch: 17)[0].floats,
        session.withGradients { Array($0) },
      ])
    }
    #expect(results[0] == results[1])
  }

  private static func numbers(_ count: Int) -> [Float] {
    (0..<count).map { index in Float((index * 37) % 101) / 40 - 1.2 }
  }
}
