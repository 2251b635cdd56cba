import ConvcIR

/// The calls of a program, in the order in which they run.
///
/// Whoever makes a buffer adds the call that fills it: weights in another order, a reorder, the zeros of a halo stand
/// right before the kernels that asked for them.
final class CallList {
  private(set) var calls: [KernelCall] = []

  func append(_ call: KernelCall) { calls.append(call) }
  func append(_ more: [KernelCall]) { calls += more }
}
