import FoundationEssentials

/// A line of `log.jsonl`: what was known after an epoch.
public struct LogRow: Sendable, Hashable, Codable {
  /// 0: the untrained network.
  public var epoch: Int
  /// Steps made so far in the whole training.
  public var step: Int
  /// Means over the epoch's steps, each measured before its update. For epoch 0 the network is
  /// measured on some training images.
  public var train: Metrics
  /// Nil: nothing was kept for validation.
  public var validation: Metrics?
  /// Stands on the last line alone: the best checkpoint on the test part.
  public var test: Metrics?
  /// The rate of the epoch's last step.
  public var rate: Float
  /// Training images a second, preparation of the batches included; 0 for epoch 0.
  public var imagesPerSecond: Double
  /// Time since the training began, validation included; a resumed training counts on.
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case epoch, step, train, validation, test, rate, seconds
    case imagesPerSecond = "images_per_s"
  }

  public init(
    epoch: Int, step: Int, train: Metrics, validation: Metrics? = nil, test: Metrics? = nil,
    rate: Float, imagesPerSecond: Double, seconds: Double
  ) {
    self.epoch = epoch
    self.step = step
    self.train = train
    self.validation = validation
    self.test = test
    self.rate = rate
    self.imagesPerSecond = imagesPerSecond
    self.seconds = seconds
  }

  /// By what checkpoints are compared: validation, or without it training.
  var judged: Metrics { validation ?? train }

  /// The line, with sorted keys and its end.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self), let text = String(data: data, encoding: .utf8)
    else { preconditionFailure("internal error: a log row that is no JSON") }
    return text + "\n"
  }

  /// Reads the rows of a log.
  ///
  /// - Throws: what `JSONDecoder` throws for a line that is no row.
  public static func rows(of text: String) throws -> [LogRow] {
    try text.split(separator: "\n").map {
      try JSONDecoder().decode(LogRow.self, from: Data($0.utf8))
    }
  }
}
