import ConvcIR

/// The calls of a program, in the order in which they run.
///
/// Whoever makes a buffer adds the call that fills it: weights in another order, a reorder, the zeros of a halo stand
/// right before the kernels that asked for them.
final class CallList {
  private(set) var calls: [KernelCall] = []
  /// Calls that fill a buffer for who reads it first.
  private var waiting: [Buffer.ID: KernelCall] = [:]
  /// Whether tensors have extents of their own in axis 0.
  private let isUnbatched: Bool

  init(isUnbatched: Bool) { self.isUnbatched = isUnbatched }

  func append(_ call: KernelCall) {
    for argument in call.arguments where argument.access.reads {
      if let filling = waiting.removeValue(forKey: argument.buffer) { append(filling) }
    }
    calls.append(call)
  }

  /// Adds a call right before the first one that reads what it writes.
  func fill(_ buffer: Buffer.ID, by call: KernelCall) { waiting[buffer] = call }

  /// Adds calls that work on tensors of a type.
  func append(_ more: [KernelCall], on type: TensorType) {
    for call in more { append(isUnbatched ? call.onImages(type.shape[0]) : call) }
  }
}
