import ConvcIR

/// Decides which kernels share their work, and where threads have to wait for each other.
///
/// Before: calls in order, buffers with offsets. After: the body of one parallel region. No kernel waits at its end; a
/// barrier stands only where a call reads or writes what another call since the last barrier wrote, or overwrites what
/// one read, be it through data or through arena memory that is used again. Kernels too small to share run one after
/// the other on a single thread, without barriers between them. Shared all the same are zeros around maps, wherever the
/// maps are, and a small kernel that stands alone, so that lines of memory stay with one thread. Needs offsets: reuse of
/// memory is a dependence too.
public struct PlanParallelism: Pass {
  public static let name = "plan-parallelism"

  /// Kernels under this many microseconds run on one thread.
  public static let smallest = 10.0
  /// The same for a kernel that stands alone between shared ones: sharing it takes no further barrier, and what it works on
  /// stays with its thread.
  public static let smallestAlone = 1.0

  public init() {}

  public func run(_ plan: MemoryPlan) -> Schedule {
    let kernels = plan.kernels
    let places = Places(plan: plan)
    let areSmall = smallCalls(of: kernels)
    var steps: [ScheduleStep] = []
    var open: [Int] = []
    var single: [Int] = []
    for (index, call) in kernels.calls.enumerated() {
      let isSmall = areSmall[index]
      // Within one single block, the last of the open calls, they run in order: only what happened outside of it can be
      // in the way.
      let rivals = isSmall ? open.dropLast(single.count) : open[...]
      if let reason = places.conflict(of: call, with: rivals) {
        if !single.isEmpty { steps.append(.single(calls: single)) }
        single = []
        steps.append(.barrier(reason: reason))
        open = []
      }
      if isSmall {
        single.append(index)
      } else {
        if !single.isEmpty { steps.append(.single(calls: single)) }
        single = []
        steps.append(.shared(call: index))
      }
      open.append(index)
    }
    if !single.isEmpty { steps.append(.single(calls: single)) }
    return Schedule(plan: plan, steps: sharingThoseAlone(steps, of: kernels))
  }

  private func sharingThoseAlone(_ steps: [ScheduleStep], of kernels: KernelGraph)
    -> [ScheduleStep]
  {
    let firstShared = steps.firstIndex { if case .shared = $0 { true } else { false } }
    guard let firstShared else { return steps }
    return steps.enumerated().map { index, step in
      guard case .single(let calls) = step, calls.count == 1, index > firstShared else {
        return step
      }
      let call = kernels.calls[calls[0]]
      guard call.isParallel, call.work.microseconds(on: kernels.target) >= Self.smallestAlone
      else { return step }
      return .shared(call: calls[0])
    }
  }

  /// Which calls run on a single thread.
  private func smallCalls(of kernels: KernelGraph) -> [Bool] {
    let areSmall = kernels.calls.map {
      !$0.isParallel || $0.work.microseconds(on: kernels.target) < Self.smallest
    }
    var shared: Set<Buffer.ID> = []
    for (call, isSmall) in zip(kernels.calls, areSmall) where !isSmall {
      shared.formUnion(call.arguments.filter(\.access.writes).map(\.buffer))
    }
    return zip(kernels.calls, areSmall).map { call, isSmall in
      let isHalo = call.arguments.contains { $0.access == .halo && shared.contains($0.buffer) }
      return isSmall && !(call.isParallel && isHalo)
    }
  }
}

/// Where the arguments of calls lie.
private struct Places {
  let plan: MemoryPlan

  /// Why a call has to wait for one of the others; nil: it need not.
  func conflict(of call: KernelCall, with others: ArraySlice<Int>) -> String? {
    let kernels = plan.kernels
    for index in others {
      let other = kernels.calls[index]
      for mine in call.arguments {
        for theirs in other.arguments
        where (mine.access.writes || theirs.access.writes)
          && plan.overlap(mine.buffer, theirs.buffer)
        {
          // A halo and the maps inside it are written independently.
          if mine.buffer == theirs.buffer,
            [mine.access, theirs.access] == [.halo, .write]
              || [mine.access, theirs.access] == [.write, .halo]
          {
            continue
          }
          if mine.buffer != theirs.buffer, plan.slot(of: mine.buffer) != nil {
            return "\(kernels[mine.buffer].name) takes the place of \(kernels[theirs.buffer].name)"
          }
          let name = kernels[theirs.buffer].name
          return theirs.access.writes ? "\(name) is complete" : "\(name) is read to the end"
        }
      }
    }
    return nil
  }
}
