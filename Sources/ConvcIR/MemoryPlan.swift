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
  private let places: [Buffer.ID: Int]

  public init(kernels: KernelGraph, slots: [ArenaSlot], bytes: Int, lowerBound: Int) {
    self.kernels = kernels
    self.slots = slots
    self.bytes = bytes
    self.lowerBound = lowerBound
    places = Dictionary(uniqueKeysWithValues: slots.enumerated().map { ($1.buffer, $0) })
  }

  /// A buffer's place; nil: it is not in the arena.
  public func slot(of buffer: Buffer.ID) -> ArenaSlot? { places[buffer].map { slots[$0] } }

  /// Whether two buffers have bytes in common.
  public func overlap(_ a: Buffer.ID, _ b: Buffer.ID) -> Bool {
    if a == b { return true }
    if let first = slot(of: a), let second = slot(of: b) {
      return first.offset < second.offset + second.bytes
        && second.offset < first.offset + first.bytes
    }
    switch (kernels[a].kind, kernels[b].kind) {
    case (.gradients, .gradient), (.gradient, .gradients): return true
    default: return false
    }
  }
}
