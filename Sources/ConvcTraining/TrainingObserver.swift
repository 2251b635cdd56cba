/// How far a training is, after a step.
public struct TrainingProgress: Sendable, Hashable {
  /// The epoch in progress, from 1.
  public let epoch: Int
  public let epochs: Int
  /// Steps made in this epoch, of ``stepsPerEpoch``.
  public let step: Int
  public let stepsPerEpoch: Int
  /// The mean loss of the epoch so far.
  public let loss: Double
  /// The mean penalty on weights of the epoch so far; nil: the network has none.
  public let regularization: Double?
  /// Images a second in this epoch so far.
  public let imagesPerSecond: Double
  /// Estimate for the rest of the whole training.
  public let secondsLeft: Double

  public init(
    epoch: Int, epochs: Int, step: Int, stepsPerEpoch: Int, loss: Double,
    regularization: Double? = nil, imagesPerSecond: Double, secondsLeft: Double
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
    self.loss = loss
    self.regularization = regularization
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }
}

/// Follows a training, on the thread that trains.
public protocol TrainingObserver: AnyObject {
  /// A phase of the recipe begins: `initial validation`, `training`, `validation`, `test`.
  func began(_ phase: String)
  /// A step was made.
  func advanced(to progress: TrainingProgress)
  /// An epoch is over and logged; epoch 0 is the untrained network.
  func finished(_ row: LogRow, epochs: Int)
  /// Something is not as it usually is, though the training goes on: one line.
  func warned(_ text: String)
  /// The training ends, in whatever way.
  func ended()
}

extension TrainingObserver {
  public func warned(_ text: String) {}
}
