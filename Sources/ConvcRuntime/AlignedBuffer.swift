import ConvcABI
import Glibc

/// Zeroed memory for one of a model's blocks, freed with the last reference.
///
/// It starts at a page, so at a multiple of `CONVC_ALIGNMENT`. The system gives real memory to a
/// page when it is first touched: a block that is never used costs nothing.
final class AlignedBuffer {
  let address: UnsafeMutableRawPointer
  /// Size in bytes, at least 1.
  let count: Int

  /// Nil when there is not that much memory.
  init?(byteCount: Int) {
    count = max(1, byteCount)
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let memory = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED
    else { return nil }
    precondition(
      Int(bitPattern: memory) % Int(CONVC_ALIGNMENT) == 0, "internal error: page not aligned")
    address = memory
  }

  deinit {
    munmap(address, count)
  }

  /// The block as floats.
  var floats: UnsafeMutableBufferPointer<Float> {
    let bound = address.bindMemory(to: Float.self, capacity: count / 4)
    return UnsafeMutableBufferPointer(start: bound, count: count / 4)
  }
}
