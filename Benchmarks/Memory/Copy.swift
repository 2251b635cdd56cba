import Convc
import Foundation

/// How fast this process can copy memory: what kernels that hardly compute are measured by.
///
/// Two ways are timed, `memcpy` and a loop over whole vectors, and the faster counts. Each copy takes other parts of two
/// large blocks, so that nothing of them is in a cache.
struct Copy {
  private typealias Function =
    @convention(c) (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int, Int32, Float) -> Void
  private typealias Filling = @convention(c) (UnsafeMutablePointer<Float>, Int, UInt32) -> Void

  /// Keeps the functions' code in memory.
  private let library: LoadedLibrary
  private let copies: [Function]
  private let reading: Function
  private let writing: Function
  private let filling: Filling
  private let threads: Int32
  private let from: UnsafeMutablePointer<Float>
  private let to: UnsafeMutablePointer<Float>

  /// Floats of one copy and of a block.
  private static let count = 16 << 20
  private static let parts = 8

  /// Compiles the functions.
  init(_ toolchain: Toolchain, threads: Int) async throws {
    let source = CSource(name: "convc_copy.c", text: Self.text(lanes: max(4, Target.native.lanes)))
    let library = try await toolchain.load(sources: [source])
    self.library = library
    func function(_ name: String) throws -> Function {
      unsafeBitCast(try library.symbol(name), to: Function.self)
    }
    copies = [try function("copy_bytes"), try function("copy_vectors")]
    (reading, writing) = (try function("read_vectors"), try function("write_vectors"))
    filling = unsafeBitCast(try library.symbol("fill"), to: Filling.self)
    self.threads = Int32(threads)
    // In large pages, as a session's blocks are.
    let blocks = (0..<2).map { _ in
      let size = 4 * Self.count * Self.parts
      let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 2 << 20)
      madvise(block, size, MADV_HUGEPAGE)
      return block.bindMemory(to: Float.self, capacity: Self.count * Self.parts)
    }
    (from, to) = (blocks[0], blocks[1])
    filling(from, Self.count * Self.parts, 1)
    filling(to, Self.count * Self.parts, 2)
  }

  /// Values between -1 and 1.
  func random(_ count: Int, seed: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { values, filled in
      if let address = values.baseAddress { filling(address, count, UInt32(seed)) }
      filled = count
    }
  }

  /// Billions of bytes a second, read and written, by the faster way.
  ///
  /// - Parameter round: which part of the blocks is copied.
  func measure(round: Int) -> Double {
    copies.enumerated().map { 2 * speed(of: $1, part: 2 * round + $0) }.max() ?? 0
  }

  /// Billions of bytes a second that are read and that are written where the other is not done.
  func measureAlone(round: Int) -> (read: Double, written: Double) {
    (speed(of: reading, part: round), speed(of: writing, part: round))
  }

  /// Billions of bytes of one block a second.
  private func speed(of function: Function, part: Int) -> Double {
    let first = part % Self.parts * Self.count
    let start = threadSeconds
    function(to + first, from + first, Self.count, threads, 1)
    return Double(4 * Self.count) / (threadSeconds - start) / 1e9
  }

  /// Seconds that this thread has worked: what else the machine does in between is not counted.
  private var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  private static func text(lanes: Int) -> String {
    """
    // Copies of memory.
    #include <stdint.h>
    #include <string.h>

    typedef float lanes __attribute__((vector_size(\(4 * lanes))));
    #define LANES \(lanes)
    #define EXPORTED __attribute__((visibility("default")))

    EXPORTED void copy_bytes(float *to, const float *from, long count, int threads, float factor) {
        (void)factor;
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) num_threads(threads)
        #endif
        for (int t = 0; t < threads; t++) {
            const long first = count * t / threads, end = count * (t + 1) / threads;
            memcpy(to + first, from + first, (end - first) * sizeof(float));
        }
    }

    // The factor is 1, which the compiler does not know.
    EXPORTED void copy_vectors(float *to_, const float *from_, long count, int threads, float factor) {
        lanes *to = (lanes *)to_;
        const lanes *from = (const lanes *)from_;
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) num_threads(threads)
        #endif
        for (long i = 0; i < count / LANES; i++) to[i] = from[i] * factor;
    }

    EXPORTED void read_vectors(float *to_, const float *from_, long count, int threads, float factor) {
        const lanes *from = (const lanes *)from_;
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) num_threads(threads)
        #endif
        for (int t = 0; t < threads; t++) {
            lanes sum[4] = {{0}};
            for (long i = count / LANES / 4 * t / threads; i < count / LANES / 4 * (t + 1) / threads; i++)
                for (int j = 0; j < 4; j++) sum[j] += from[4 * i + j] * factor;
            to_[t] = (sum[0] + sum[1] + sum[2] + sum[3])[0];
        }
    }

    EXPORTED void write_vectors(float *to_, const float *from_, long count, int threads, float factor) {
        (void)from_;
        lanes *to = (lanes *)to_;
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) num_threads(threads)
        #endif
        for (long i = 0; i < count / LANES; i++) to[i] = (lanes){0} + factor;
    }

    EXPORTED void fill(float *values, long count, uint32_t seed) {
        uint32_t state = 2654435769u * seed + 1u;
        for (long i = 0; i < count; i++) {
            state = state * 1664525u + 1013904223u;
            values[i] = (float)(state >> 8) * (2.0f / 16777216.0f) - 1.0f;
        }
    }

    """
  }
}
