import Convc
import ConvcTestSupport
import Testing

@Suite("Profiles of steps")
struct ProfileTests {
  private static func compile() throws -> Compilation {
    try LeNet5.model(channels: 1, size: Size2D(height: 28, width: 28), classes: 10)
      .compile(BuildOptions(batch: 4, name: "profiled"))
  }

  @Test("clocks are in profiled C alone, one after each call and each barrier")
  func text() throws {
    let compilation = try Self.compile()
    let plain = try #require(compilation.files(units: 1).sources.first).text
    let profiled = try #require(compilation.files(units: 1, profiles: true).sources.first).text
    #expect(!plain.contains("profile_"))
    #expect(!plain.contains("_POSIX_C_SOURCE"))
    #expect(profiled.contains("double *profiled_profile(void)"))
    func count(_ word: String, in text: String) -> Int { text.split(separator: word).count - 1 }
    let barriers = count("OMP(omp barrier)", in: plain)
    #expect(count("OMP(omp barrier)", in: profiled) == barriers)
    let calls = compilation.stages.programs.reduce(0) { $0 + $1.kernels.calls.count }
    let packed = compilation.stages.module.packed.count
    // The update is the one piece more.
    #expect(
      count("profile_clock = profile_add(", in: profiled) == calls + packed + barriers + 1)
  }

  @Test("a profiled step computes the same, and its pieces add up to no more than the step")
  func run() async throws {
    let compilation = try Self.compile()
    let toolchain = try await Toolchain.find()
    let profiled = try await compilation.loadProfiled(toolchain: toolchain)
    let parameters = try Initialization(seed: 0).parameters(of: compilation.graph)
    let image = [Float](repeating: 0.5, count: 4 * 784)
    let labels: [Int32] = [1, 2, 3, 4]
    func losses(of program: Program) throws -> [[Float]] {
      let session = try Session(program)
      try session.setParameterBlock(parameters)
      return try image.withUnsafeBytes { image in
        try labels.withUnsafeBytes { labels in
          let input = try #require(image.baseAddress)
          let target = try #require(labels.baseAddress)
          return try (0..<3).map { _ in
            try session.step(
              inputs: [input], targets: [target], batch: 4,
              options: StepOptions(rate: 0.01, momentum: 0.9, threads: 2))
          }
        }
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    let clocked = try losses(of: profiled.program)
    let seconds = (clock.now - start) / .seconds(1)
    let plain = try await compilation.load(toolchain: toolchain)
    #expect(try losses(of: plain) == clocked)

    let profile = profiled.profile(of: [profiled.take()], threads: 2)
    let names = profile.pieces.map(\.name)
    let calls = compilation.stages.programs[1].kernels.calls.map(\.name)
    #expect(Set(calls).isSubset(of: names))
    #expect(names.contains("update"))
    #expect(profile.pieces.reduce(0) { $0 + $1.threadSeconds } <= 2 * seconds)
    let conv = try #require(profile.pieces.first { $0.name.hasPrefix("conv2") })
    #expect(conv.flops == 4 * 2 * 240_000)
    #expect(conv.bytes > 0)
    #expect(profiled.profile(of: [profiled.take()], threads: 2).pieces.isEmpty)
  }
}
