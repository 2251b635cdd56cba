import ConvcEmit
import ConvcIR
import ConvcRuntime

/// Where the time of steps went, piece by piece.
public struct StepProfile: Sendable {
  /// A kernel's call, or a place where threads wait for each other.
  public struct Piece: Sendable {
    /// Who is busy with it.
    public enum Kind: Sendable, Hashable {
      /// All threads share it.
      case shared
      /// One thread does it, while the others go on.
      case single
      /// Threads wait.
      case barrier
    }

    /// The kernel's name, made of the layers' names and the direction; for a barrier why threads wait.
    public let name: String
    public let kind: Kind
    /// Layers whose work it is; empty for a barrier and for the update.
    public let layers: [String]
    /// Seconds of a step, summed over all threads.
    public let threadSeconds: Double
    /// Floating-point operations of a step at the largest batch.
    public let flops: Double
    /// Bytes of all buffers that it works on, each counted once if read and once if written.
    public let bytes: Double
  }

  /// In the order in which they run; those that never ran are left out.
  public let pieces: [Piece]
  public let threads: Int
}

/// A compiled network with a clock around each call of a kernel.
///
/// It is a build of its own, of the same kernels; the clocks cost about 30 ns for each call. Not for
/// several threads at once: the times are the library's, not a session's.
public final class ProfiledProgram {
  public let program: Program
  private let profile: Profile
  private let seconds: UnsafeMutableBufferPointer<Double>

  /// Threads that can be clocked.
  public static var mostThreads: Int { Profile.threads }

  init(library: LoadedLibrary, compilation: Compilation) throws {
    program = try Program(library: library, prefix: compilation.prefix)
    let symbol = try library.symbol("\(compilation.prefix)_profile")
    profile = Profile(compilation.stages.module)
    typealias Function = @convention(c) () -> UnsafeMutablePointer<Double>
    seconds = UnsafeMutableBufferPointer(
      start: unsafeBitCast(symbol, to: Function.self)(), count: Profile.threads * profile.stride)
  }

  /// The times since this was called last: seconds of all threads for each piece of work.
  public func take() -> [Double] {
    let sums = profile.slots.indices.map { slot in
      (0..<Profile.threads).reduce(0.0) { $0 + seconds[$1 * profile.stride + slot] }
    }
    seconds.update(repeating: 0)
    return sums
  }

  /// The mean of steps.
  ///
  /// - Parameters:
  ///   - steps: what ``take()`` gave after each.
  ///   - threads: threads that each had.
  public func profile(of steps: [[Double]], threads: Int) -> StepProfile {
    let pieces = profile.slots.enumerated().compactMap { index, slot -> StepProfile.Piece? in
      let sum = steps.reduce(0.0) { $0 + $1[index] }
      guard sum > 0 else { return nil }
      return StepProfile.Piece(
        name: slot.name, kind: StepProfile.Piece.Kind(slot.kind), layers: slot.layers,
        threadSeconds: sum / Double(steps.count), flops: slot.flops, bytes: slot.bytes)
    }
    return StepProfile(pieces: pieces, threads: threads)
  }
}

extension StepProfile.Piece.Kind {
  fileprivate init(_ kind: ProfileSlot.Kind) {
    switch kind {
    case .shared: self = .shared
    case .single: self = .single
    case .barrier: self = .barrier
    }
  }
}

extension Compilation {
  /// Compiles the C with clocks into the cache and opens it.
  ///
  /// - Throws: ``ToolchainError`` where the compiler fails.
  public func loadProfiled(
    toolchain: Toolchain, options: LibraryOptions? = nil
  ) async throws -> ProfiledProgram {
    let library = try await toolchain.load(
      sources: sources(profiles: true), options: options ?? libraryOptions)
    return try ProfiledProgram(library: library, compilation: self)
  }
}
