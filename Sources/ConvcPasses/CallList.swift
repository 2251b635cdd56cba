import ConvcIR

/// The calls of a program, in the order in which they run.
///
/// Whoever makes a buffer adds the call that fills it: weights in another order, a reorder, the zeros of a halo stand
/// right before the kernels that asked for them.
final class CallList {
  private(set) var calls: [KernelCall] = []
  /// Whether tensors have extents of their own in axis 0.
  private let isUnbatched: Bool

  init(isUnbatched: Bool) { self.isUnbatched = isUnbatched }

  func append(_ call: KernelCall) { calls.append(call) }

  /// Adds calls that work on tensors of a type.
  func append(_ more: [KernelCall], on type: TensorType) {
    calls += isUnbatched ? more.map { $0.onImages(type.shape[0]) } : more
  }
}
