import ConvcABI

/// Settings of one training step.
public struct StepOptions: Sendable, Equatable {
  /// The learning rate.
  public var rate: Float
  /// `v = momentum * v + gradient; parameter -= rate * v`. 0: none.
  public var momentum: Float
  /// `gradient += weightDecay * parameter`, except for biases and normalisation.
  public var weightDecay: Float
  /// Whether gradients add to what the gradient block holds, instead of replacing it.
  public var accumulate: Bool
  /// 0: as many as OpenMP takes by default. The results are the same for any number.
  public var threads: Int
  /// The seed of dropout, together with ``step``.
  public var seed: UInt64
  /// The number of the step, from 0.
  public var step: UInt64

  public init(
    rate: Float = 0.01, momentum: Float = 0, weightDecay: Float = 0, accumulate: Bool = false,
    threads: Int = 0, seed: UInt64 = 0, step: UInt64 = 0
  ) {
    self.rate = rate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.accumulate = accumulate
    self.threads = threads
    self.seed = seed
    self.step = step
  }

  var abi: convc_options {
    convc_options(
      struct_size: MemoryLayout<convc_options>.size, rate: rate, momentum: momentum,
      weight_decay: weightDecay, accumulate: accumulate ? 1 : 0,
      threads: Int32(clamping: max(0, threads)), reserved: 0, seed: seed, step: step)
  }
}
