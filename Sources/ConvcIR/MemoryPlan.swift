/// A buffer's place in the arena and the calls between which it is alive.
public struct ArenaSlot: Sendable, Hashable {
  public let buffer: Buffer.ID
  public let offset: Int
  public let bytes: Int
  /// Indices of the first and the last call that use it.
  public let first: Int
  public let last: Int

  public init(buffer: Buffer.ID, offset: Int, bytes: Int, first: Int, last: Int) {
    self.buffer = buffer
    self.offset = offset
    self.bytes = bytes
    self.first = first
    self.last = last
  }
}

/// The kernels with every buffer's place in one arena.
public struct MemoryPlan: Sendable {
  public let kernels: KernelGraph
  /// In the order of their first use.
  public let slots: [ArenaSlot]
  /// Bytes of the arena.
  public let bytes: Int
  /// The largest sum of buffers alive at once: no arena can be smaller.
  public let lowerBound: Int

  public init(kernels: KernelGraph, slots: [ArenaSlot], bytes: Int, lowerBound: Int) {
    self.kernels = kernels
    self.slots = slots
    self.bytes = bytes
    self.lowerBound = lowerBound
  }

  public func slot(of buffer: Buffer.ID) -> ArenaSlot? { slots.first { $0.buffer == buffer } }
}
