/// Settings of a training run.
///
/// In a file each has the name given in brackets; see ``Changes`` for the forms of such files.
public struct Recipe: Sendable, Hashable {
  /// Length of the warm-up.
  public enum WarmUp: Sendable, Hashable {
    /// A share of all steps, 0...1, rounded to the nearest number of steps.
    case fraction(Double)
    case steps(Int)
  }

  /// How often every training image is seen (`epochs`).
  public var epochs: Int
  /// Images of a step (`batch`); the last step of an epoch takes what is left.
  public var batch: Int
  /// The highest learning rate (`rate`).
  public var rate: Double
  /// `v = momentum · v + gradient; parameter −= rate · v` (`momentum`): the rate of the step scales
  /// the whole velocity.
  public var momentum: Double
  /// `gradient += weightDecay · parameter` for weights, not biases and normalisation
  /// (`weight_decay`).
  public var weightDecay: Double
  /// Length of the linear rise of the rate (`warm_up_fraction` or `warm_up_steps`).
  public var warmUp: WarmUp
  /// The rate of the last step, to which it falls linearly (`end_rate`).
  public var endRate: Double
  /// The seed of initial weights, split, order and dropout (`seed`).
  public var seed: UInt64
  /// Share of the training images that are kept for validation, 0..<1 (`validation_fraction`).
  public var validationFraction: Double
  /// Threads; 0: as many as OpenMP takes by default (`threads`). The results do not depend on it.
  public var threads: Int

  public init(
    epochs: Int = 10, batch: Int = 64, rate: Double = 0.05, momentum: Double = 0.9,
    weightDecay: Double = 5e-4, warmUp: WarmUp = .fraction(0.1), endRate: Double = 0,
    seed: UInt64 = 0, validationFraction: Double = 0.1, threads: Int = 0
  ) {
    self.epochs = epochs
    self.batch = batch
    self.rate = rate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.warmUp = warmUp
    self.endRate = endRate
    self.seed = seed
    self.validationFraction = validationFraction
    self.threads = threads
  }

  /// Steps of an epoch over `images` training images.
  public func stepsPerEpoch(images: Int) -> Int { (images + batch - 1) / batch }

  /// The learning rate of every step of a training of `steps` steps.
  public func schedule(steps: Int) -> RateSchedule {
    let warmUpSteps =
      switch warmUp {
      case .steps(let count): count
      case .fraction(let share): Int((share * Double(steps)).rounded())
      }
    return RateSchedule(rate: rate, endRate: endRate, warmUpSteps: warmUpSteps, steps: steps)
  }

  /// What is unusual, a line each.
  public var hints: [String] {
    guard !(10...500).contains(batch) else { return [] }
    return ["batch \(batch) is outside of the usual 10 to a few hundred images"]
  }

  /// Checks every setting.
  ///
  /// - Throws: the first setting out of its range, with the range.
  public func validate() throws(RecipeError) {
    func check(_ isValid: Bool, _ name: String, _ value: Any, _ range: String)
      throws(RecipeError)
    {
      guard isValid else { throw .outOfRange(name: name, value: "\(value)", range: range) }
    }
    try check((1...100_000).contains(epochs), "epochs", epochs, "1...100000")
    try check((1...65_536).contains(batch), "batch", batch, "1...65536")
    try check(rate > 0 && rate.isFinite, "rate", rate, "a number above 0")
    try check(momentum >= 0 && momentum < 1, "momentum", momentum, "0 to below 1")
    try check(
      weightDecay >= 0 && weightDecay.isFinite, "weight_decay", weightDecay, "a number from 0 on")
    try check(endRate >= 0 && endRate <= rate, "end_rate", endRate, "0 to the rate, \(rate)")
    try check(
      validationFraction >= 0 && validationFraction < 1, "validation_fraction",
      validationFraction, "0 to below 1")
    try check((0...4096).contains(threads), "threads", threads, "0...4096")
    switch warmUp {
    case .fraction(let share):
      try check(share >= 0 && share <= 1, "warm_up_fraction", share, "0 to 1")
    case .steps(let count):
      try check(count >= 0, "warm_up_steps", count, "0 or more")
    }
  }
}

/// Why a recipe cannot be used. The description is one line.
public enum RecipeError: Error, Sendable, Hashable, CustomStringConvertible {
  case outOfRange(name: String, value: String, range: String)
  case unknownKey(String, line: Int, known: [String])
  case badValue(key: String, value: String, line: Int, expected: String)
  case syntax(line: Int, text: String)
  case repeatedKey(String, line: Int)
  case twoWarmUps

  public var description: String {
    switch self {
    case .outOfRange(let name, let value, let range):
      "recipe: \(name) is \(value), expected \(range)"
    case .unknownKey(let key, let line, let known):
      "recipe, line \(line): unknown setting '\(key)'; there are \(known.joined(separator: ", "))"
    case .badValue(let key, let value, let line, let expected):
      "recipe, line \(line): \(key) is '\(value)', expected \(expected)"
    case .syntax(let line, let text):
      "recipe, line \(line): '\(text)' is no setting; write one 'name: value' a line"
    case .repeatedKey(let key, let line):
      "recipe, line \(line): \(key) stands there twice; remove one"
    case .twoWarmUps:
      "recipe: warm_up_fraction and warm_up_steps are both given; remove one"
    }
  }
}
