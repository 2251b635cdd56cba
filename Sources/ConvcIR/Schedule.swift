/// A step of the parallel region.
public enum ScheduleStep: Sendable {
  /// All threads share the kernel's parts.
  case shared(call: Int)
  /// One thread runs these small kernels one after the other, while the others go on.
  case single(calls: [Int])
  /// All threads wait; the reason names what is read or written again.
  case barrier(reason: String)
}

/// The kernels with barriers, ready to become the body of one parallel region.
public struct Schedule: Sendable {
  public let plan: MemoryPlan
  public let steps: [ScheduleStep]

  public init(plan: MemoryPlan, steps: [ScheduleStep]) {
    self.plan = plan
    self.steps = steps
  }
}
