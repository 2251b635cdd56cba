import Dispatch
import Synchronization

/// The results of independent pieces of work, in their order, computed on all cores.
///
/// - Throws: the error of the first piece that has one.
func concurrently<Piece: Sendable>(
  _ count: Int, _ work: @Sendable (Int) throws(TemplateError) -> Piece
) throws(TemplateError) -> [Piece] {
  let results = Mutex([Result<Piece, TemplateError>?](repeating: nil, count: count))
  DispatchQueue.concurrentPerform(iterations: count) { index in
    let result: Result<Piece, TemplateError>
    do throws(TemplateError) {
      result = .success(try work(index))
    } catch {
      result = .failure(error)
    }
    results.withLock { $0[index] = result }
  }
  var pieces: [Piece] = []
  for result in results.withLock({ $0 }) {
    guard let result else { preconditionFailure("internal error: a piece was not computed") }
    pieces.append(try result.get())
  }
  return pieces
}
