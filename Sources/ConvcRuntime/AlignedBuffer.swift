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

  /// Moves what has been touched to pages of 2 MiB, so that walks over many maps do not wait for the translation of
  /// addresses. Where the system has no such pages or they are off, nothing happens.
  func moveToLargePages() {
    guard count >= 4 << 20 else { return }
    madvise(address, count, MADV_HUGEPAGE)
    let collapse: Int32 = 25  // MADV_COLLAPSE, since Linux 6.1, which older headers lack
    madvise(address, count, collapse)
  }

  /// The block as floats.
  var floats: UnsafeMutableBufferPointer<Float> {
    let bound = address.bindMemory(to: Float.self, capacity: count / 4)
    return UnsafeMutableBufferPointer(start: bound, count: count / 4)
  }
}
