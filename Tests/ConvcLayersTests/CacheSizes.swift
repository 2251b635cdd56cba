import Convc

/// A network's text and what it computes, for a second-level cache that holds its maps and for one that holds none.
struct CacheSizes {
  struct Program {
    let hasSmallCache: Bool
    let text: String
    /// For each number of threads the outputs and the gradients.
    let results: [[[Float]]]
  }

  let programs: [Program]
  /// Whether all results have equal bits.
  var agree: Bool {
    let results = programs.flatMap(\.results)
    return results.dropFirst().allSatisfy { $0 == results[0] }
  }

  /// - Parameters:
  ///   - input: extents of an image, `[C, H, W]`.
  ///   - threads: numbers of threads; 0: as many as OpenMP takes.
  ///   - apply: the layers, behind a PReLU.
  init(
    input: [Int], family: String, threads: [Int] = [0], apply: (Value) -> Value
  ) async throws {
    let builder = ModelBuilder(name: "cache_sizes")
    builder.output("y", apply(builder.input("x", input).prelu()))
    builder.loss(MeanSquaredError(), on: "y", target: "target")
    let batch = 17
    let values = Self.numbers(batch * input.reduce(1, *))
    var programs: [Program] = []
    for hasSmallCache in [false, true] {
      let target = Target.native.with(level2: hasSmallCache ? 1 << 10 : 1 << 30, asksAhead: true)
      let options = BuildOptions(batch: batch, target: target, families: [family], fuses: false)
      let compilation = try builder.model.compile(options)
      var results: [[[Float]]] = []
      for threads in threads {
        let session = try Session(try await compilation.load())
        try session.setParameterBlock(Self.numbers(session.parameterBlock.count))
        _ = try session.gradients(
          inputs: [.float32(values)], targets: [.float32(values.reversed())], batch: batch,
          options: StepOptions(threads: threads))
        results.append([
          try session.forward(inputs: [.float32(values)], batch: batch)[0].floats,
          session.withGradients { Array($0) },
        ])
      }
      programs.append(
        Program(
          hasSmallCache: hasSmallCache, text: compilation.sources().map(\.text).joined(),
          results: results))
    }
    self.programs = programs
  }

  private static func numbers(_ count: Int) -> [Float] {
    (0..<count).map { index in Float((index * 37) % 101) / 40 - 1.2 }
  }
}
