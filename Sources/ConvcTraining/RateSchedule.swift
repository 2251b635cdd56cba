/// The learning rate of every step: a linear warm-up, then a linear decay.
///
/// With `k` warm-up steps of `n`, peak rate `r`, end rate `e` and `p = max(k − 1, 0)`, step `s`
/// (from 0) has the rate
///
///     s < k:  r · (s + 1) / k                         the warm-up, from the 0 before step 0
///     s ≥ k:  r + (e − r) · (s − p) / (n − 1 − p)      the decay, which reaches e at step n − 1
///
/// so the last step of the warm-up has the rate `r`; without a warm-up step 0 has it. Computed in
/// double precision and rounded once.
public struct RateSchedule: Sendable, Hashable {
  /// The highest rate.
  public let rate: Double
  /// The rate of the last step.
  public let endRate: Double
  /// Steps of the warm-up.
  public let warmUpSteps: Int
  /// Steps of the whole training.
  public let steps: Int

  /// A schedule; a warm-up longer than the training is cut to it.
  public init(rate: Double, endRate: Double, warmUpSteps: Int, steps: Int) {
    self.rate = rate
    self.endRate = endRate
    self.steps = max(1, steps)
    self.warmUpSteps = min(max(0, warmUpSteps), self.steps)
  }

  /// The rate of a step, counted from 0; steps after the last one have the end rate.
  public func rate(at step: Int) -> Float {
    if step < warmUpSteps { return Float(rate * Double(step + 1) / Double(warmUpSteps)) }
    let peak = max(warmUpSteps - 1, 0)
    let last = steps - 1
    guard step < last else { return Float(last == peak && step == last ? rate : endRate) }
    return Float(rate + (endRate - rate) * Double(step - peak) / Double(last - peak))
  }
}
