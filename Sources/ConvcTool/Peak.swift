import Convc

/// What this machine can do at most: multiply-adds in registers, by a small C program.
struct Peak {
  private typealias Function = @convention(c) (Int, Int32, UnsafeMutablePointer<Float>) -> Void

  /// Keeps the function's code in memory.
  private let library: LoadedLibrary
  private let function: Function
  private let lanes: Int
  private let threads: Int
  private let used: Int

  /// Compiles the program.
  init(_ toolchain: Toolchain, threads: Int, openMP: Bool) async throws {
    lanes = max(4, Target.native.lanes)
    let source = CSource(name: "convc_peak.c", text: Self.text(lanes: lanes))
    library = try await toolchain.load(
      sources: [source], options: LibraryOptions(architecture: .native, openMP: openMP))
    do {
      function = unsafeBitCast(try library.symbol("convc_peak"), to: Function.self)
    } catch {
      throw ToolchainError.library(error)
    }
    self.threads = threads
    used = openMP && toolchain.compiler.openMP != nil ? threads : 1
  }

  /// Billions of floating-point operations a second of so many threads: the best of many
  /// runs of some 2 ms, so that a few are undisturbed on a busy machine.
  func measure() -> Double {
    var sums = [Float](repeating: 0, count: threads)
    let clock = ContinuousClock()
    let rounds = 200_000
    let flops = Double(used) * Double(rounds) * Double(Self.work * lanes)
    return (0..<200).reduce(0.0) { best, _ in
      let start = clock.now
      sums.withUnsafeMutableBufferPointer { sums in
        if let address = sums.baseAddress { function(rounds, Int32(used), address) }
      }
      return max(best, flops / ((clock.now - start) / .seconds(1)) / 1e9)
    }
  }

  /// Operations of a round in each lane.
  private static var work: Int { 2 * accumulators * repeats }

  /// Enough chains to hide the latency of two units, few enough for 16 registers.
  private static let accumulators = 12
  private static let repeats = 4

  private static func text(lanes: Int) -> String {
    let names = (0..<accumulators).map { "a\($0)" }
    let starts = names.enumerated().map { "\($1) = zero + \($0 + 1).0f * 0.01f" }
    let line = names.map { "\($0) = \($0) * factor + term;" }.joined(separator: " ")
    let body = [String](repeating: "            " + line, count: repeats).joined(separator: "\n")
    return """
      // Multiply-adds in registers: what one can do at most.
      typedef float lanes __attribute__((vector_size(\(4 * lanes))));

      __attribute__((visibility("default"))) void convc_peak(long rounds, int threads, float *sums) {
          #ifdef _OPENMP
          #pragma omp parallel for schedule(static, 1) num_threads(threads)
          #endif
          for (int t = 0; t < threads; t++) {
              const lanes zero = {0.0f};
              const lanes factor = zero + 0.999f;
              const lanes term = zero + 0.001f;
              lanes \(starts.joined(separator: ", "));
              for (long i = 0; i < rounds; i++) {
      \(body)
              }
              const lanes sum = \(names.joined(separator: " + "));
              sums[t] = sum[0];
          }
      }

      """
  }
}
