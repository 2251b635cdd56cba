import FoundationEssentials

/// How far a training is: with parameters and optimiser state all that a resumed one needs.
///
/// The order of an epoch's images follows from seed and epoch, the rate from the step.
struct TrainingState: Codable {
  /// The recipe's settings, as in `recipe.json`.
  var recipe: String
  /// What is minimised, in words.
  var objective: String
  var data: String
  var trainImages: Int
  var validationImages: Int
  /// The epoch in progress, from 1; one more than the recipe's when all are over.
  var epoch = 1
  /// Steps made in that epoch.
  var stepInEpoch = 0
  /// Steps made in all.
  var step = 0
  var sums = EpochSums()
  /// Time of the whole training up to here.
  var seconds = 0.0
  var bestEpoch = 0
  var best: Metrics
  var rows: [LogRow]

  /// Whether the test part, if there is one, has been measured.
  func isComplete(epochs: Int, hasTest: Bool) -> Bool {
    epoch > epochs && (!hasTest || rows.last?.test != nil)
  }
}

/// Sums over the steps of an epoch.
struct EpochSums: Codable {
  /// Sum over the images of their loss.
  var loss = 0.0
  /// Sum over the images of the penalty on weights in their step; nil: there is none.
  var regularization: Double?
  /// Images whose class was found; of an image with labelled pixels the share of those.
  var correct = 0.0
  var images = 0
  /// Time spent in steps and the preparation of their batches.
  var seconds = 0.0

  var meanLoss: Double { loss / Double(max(1, images)) }
  var meanRegularization: Double? { regularization.map { $0 / Double(max(1, images)) } }
  var imagesPerSecond: Double { seconds > 0 ? Double(images) / seconds : 0 }

  func metrics(classifies: Bool) -> Metrics {
    Metrics(
      loss: meanLoss, accuracy: classifies ? correct / Double(max(1, images)) : nil,
      regularization: meanRegularization)
  }
}
