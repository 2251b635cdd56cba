import ConvcIR

/// Gives every buffer of the arena an offset, so that buffers that are never alive together share memory.
///
/// Before: buffers with sizes. After: offsets at multiples of 64 bytes. A buffer is alive from the first call that
/// uses it to the last; each is placed at the lowest offset where nothing alive at the same time lies, the largest first.
/// Where gaps remain other orders are tried: the longest-lived first, bytes times lifetime, the order of the calls; and while
/// gaps take over a twentieth, the order at hand with the buffer before all others that lay at the end. The smallest arena
/// wins. Small training steps with vectors share no memory: see ``roomy``; large buffers keep apart: see ``stagger``. Needs
/// the final order of the calls: lifetimes are intervals in it.
public struct PlanMemory: Pass {
  public static let name = "plan-memory"

  /// Bytes up to which each buffer of a training step has memory of its own. A store to a line that another thread's core
  /// holds waits for it, and a line of shared memory passes from one thread to the other with every buffer that lies on it.
  public static let roomy = 4 << 20

  /// Bytes left free behind a large buffer on targets with vectors: a third of a page, in whole lines. Maps whose sizes are
  /// powers of two would otherwise start at one place of all pages, and what a kernel reads and writes together would share a few
  /// sets of the caches.
  public static let stagger = 21 * 64

  /// Bytes from which a buffer is large.
  public static let large = 256 << 10

  /// Bytes that the arena may take.
  public let limit: Int

  public init(limit: Int) {
    self.limit = limit
  }

  public func run(_ kernels: KernelGraph) throws(CompileError) -> MemoryPlan {
    let alive = lifetimes(of: kernels)
    let lowerBound = lowerBound(alive, calls: kernels.calls.count)
    var best: [ArenaSlot] = []
    var bytes = Int.max
    func attempt(_ order: [ArenaSlot]) -> [ArenaSlot] {
      let placed = place(order)
      let size = placed.map(Self.end).max() ?? 0
      if size < bytes { (best, bytes) = (placed, size) }
      return placed
    }
    func plan(_ placed: [ArenaSlot], bytes: Int) -> MemoryPlan {
      let slots = placed.map {
        ArenaSlot(
          buffer: $0.buffer, offset: $0.offset, bytes: kernels[$0.buffer].arenaBytes,
          first: $0.first, last: $0.last)
      }
      return MemoryPlan(
        kernels: kernels, slots: slots.sorted { ($0.first, $0.buffer) < ($1.first, $1.buffer) },
        bytes: bytes, lowerBound: lowerBound)
    }
    if let roomy = roomy(alive, kernels) {
      return plan(roomy, bytes: roomy.last.map(Self.end) ?? 0)
    }
    for rank in Self.orders where bytes > lowerBound {
      _ = attempt(alive.sorted { rank($0) < rank($1) })
    }
    var placed = best
    for _ in 0..<Self.attempts where bytes > lowerBound / 20 * 21 {
      guard let top = placed.indices.max(by: { Self.end(placed[$0]) < Self.end(placed[$1]) }) else {
        break
      }
      placed = attempt([placed[top]] + placed[..<top] + placed[(top + 1)...])
    }
    guard bytes <= limit else {
      throw CompileError(
        layer: kernels.graph.name,
        "\(kernels.mode.rawValue) needs an arena of \(bytes >> 20) MiB, over the memory limit of \(limit >> 20) MiB; "
          + "use a smaller batch or image, or raise the limit")
    }
    return plan(best, bytes: bytes)
  }

  /// The buffers one after the other; nil: they take too much.
  private func roomy(_ alive: [ArenaSlot], _ kernels: KernelGraph) -> [ArenaSlot]? {
    let bytes = alive.reduce(0) { $0 + Self.aligned($1.bytes) }
    guard kernels.mode == .training, kernels.target.hasVectors, bytes <= min(Self.roomy, limit)
    else { return nil }
    var offset = 0
    return alive.sorted { ($0.first, $0.buffer) < ($1.first, $1.buffer) }.map { slot in
      defer { offset += Self.aligned(slot.bytes) }
      return ArenaSlot(
        buffer: slot.buffer, offset: offset, bytes: slot.bytes, first: slot.first, last: slot.last)
    }
  }

  /// What buffers are placed by, the smallest first; equal ones in the order of their calls.
  private static let orders: [@Sendable (ArenaSlot) -> (Int, Int, Buffer.ID)] = [
    { (-$0.bytes, $0.first, $0.buffer) },
    { ($0.first - $0.last, -$0.bytes, $0.buffer) },
    { (-$0.bytes * ($0.last - $0.first + 1), $0.first, $0.buffer) },
    { ($0.first, -$0.bytes, $0.buffer) },
  ]

  private func place(_ order: [ArenaSlot]) -> [ArenaSlot] {
    var placed: [ArenaSlot] = []
    for wanted in order {
      let offset = lowestOffset(for: wanted, among: placed)
      placed.append(
        ArenaSlot(
          buffer: wanted.buffer, offset: offset, bytes: wanted.bytes, first: wanted.first,
          last: wanted.last))
    }
    return placed
  }

  /// Orders that are tried after those.
  private static let attempts = 64

  private static func end(_ slot: ArenaSlot) -> Int { aligned(slot.offset + slot.bytes) }

  private static func aligned(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

  /// The buffers of the arena, with the bytes that stay free behind them.
  private func lifetimes(of kernels: KernelGraph) -> [ArenaSlot] {
    var first: [Buffer.ID: Int] = [:]
    var last: [Buffer.ID: Int] = [:]
    for (index, call) in kernels.calls.enumerated() {
      for argument in call.arguments where kernels[argument.buffer].arenaBytes > 0 {
        first[argument.buffer] = first[argument.buffer] ?? index
        last[argument.buffer] = index
      }
    }
    return kernels.buffers.compactMap { buffer in
      guard let begin = first[buffer.id], let end = last[buffer.id] else { return nil }
      let stagger =
        kernels.target.hasVectors && buffer.arenaBytes >= Self.large ? Self.stagger : 0
      return ArenaSlot(
        buffer: buffer.id, offset: 0, bytes: buffer.arenaBytes + stagger, first: begin, last: end)
    }
  }

  private func lowestOffset(for wanted: ArenaSlot, among placed: [ArenaSlot]) -> Int {
    let neighbours = placed.filter { $0.first <= wanted.last && wanted.first <= $0.last }
      .sorted { ($0.offset, $0.bytes) < ($1.offset, $1.bytes) }
    var offset = 0
    for other in neighbours {
      if offset + wanted.bytes <= other.offset { break }
      offset = max(offset, Self.aligned(other.offset + other.bytes))
    }
    return offset
  }

  private func lowerBound(_ alive: [ArenaSlot], calls: Int) -> Int {
    var change = [Int](repeating: 0, count: calls + 1)
    for slot in alive {
      change[slot.first] += Self.aligned(slot.bytes)
      change[slot.last + 1] -= Self.aligned(slot.bytes)
    }
    var sum = 0
    return change.reduce(0) { most, next in
      sum += next
      return max(most, sum)
    }
  }
}
