import Convc
import Dispatch
import Glibc

/// Turns the first Ctrl-C into a wish to stop; the second ends the process.
struct Interrupts {
  private static let signals = [SIGINT, SIGTERM]
  private let sources: [any DispatchSourceSignal]

  init(_ cancellation: Cancellation) {
    sources = Self.signals.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        for number in Self.signals { signal(number, SIG_DFL) }
        cancellation.cancel()
      }
      signal(number, SIG_IGN)
      source.activate()
      return source
    }
  }

  /// Leaves Ctrl-C to the system again.
  func end() {
    for source in sources { source.cancel() }
    for number in Self.signals { signal(number, SIG_DFL) }
  }
}
