import ConvcIR

/// Decides how many images of a batch go through all layers of inference before the next ones.
///
/// What layers hand on to each other should stay in the last-level cache, and the arena gets as much smaller. Every slice
/// reads the weights once more, so networks of large weights and small maps take their batch as a whole.
struct SliceBatch {
  /// Bytes of arena that count as near.
  let near: Int
  /// Images that share out evenly among threads and fill vectors.
  private let unit = 8

  /// Images of a slice; nil: the whole batch.
  func slice(of plan: MemoryPlan) -> Int? {
    let kernels = plan.kernels
    let batch = kernels.graph.batch
    guard plan.bytes > near, batch > unit else { return nil }
    let images = max(unit, near / (plan.bytes / batch) / unit * unit)
    guard images < batch else { return nil }
    let slices = (batch + images - 1) / images
    let weights = kernels.packed.reduce(0) { $0 + $1.bytes }
    let handedOn = plan.slots.reduce(0) { $0 + $1.bytes }
    return slices * weights < handedOn ? images : nil
  }
}
