import Synchronization

/// A wish to stop, which another thread or a signal handler may express.
///
/// Setting it takes no lock and no memory, so a signal handler may do it.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  /// Asks to stop after the current step.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
