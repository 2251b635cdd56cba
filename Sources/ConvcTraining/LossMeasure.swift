import Glibc

/// A loss as it is measured without training: its sum over the images of a batch.
///
/// The raw value is the kind of the loss in the network.
public enum LossMeasure: String, Sendable, Hashable, CaseIterable {
  case softmaxCrossEntropy = "softmax-cross-entropy"
  case meanSquaredError = "mean-squared-error"

  /// The sum over `images` of cross-entropy between the softmax of scores and labels.
  ///
  /// - Parameters:
  ///   - scores: `[images, classes]`.
  ///   - labels: `[images]`, each in `0..<classes`.
  static func crossEntropy(
    scores: UnsafePointer<Float>, labels: UnsafePointer<Int32>, images: Int, classes: Int
  ) -> Double {
    var total = 0.0
    for image in 0..<images {
      let row = scores + image * classes
      var highest = row[0]
      for index in 1..<classes where row[index] > highest { highest = row[index] }
      var sum = 0.0
      for index in 0..<classes { sum += exp(Double(row[index] - highest)) }
      total += log(sum) - Double(row[Int(labels[image])] - highest)
    }
    return total
  }

  /// The sum over `images` of the mean squared difference of `values` values each.
  static func squaredError(
    predictions: UnsafePointer<Float>, targets: UnsafePointer<Float>, images: Int, values: Int
  ) -> Double {
    var total = 0.0
    for index in 0..<(images * values) {
      let difference = Double(predictions[index]) - Double(targets[index])
      total += difference * difference
    }
    return total / Double(values)
  }

  /// The index of the highest of `classes` scores; the first of equal ones.
  static func winner(_ scores: UnsafePointer<Float>, classes: Int) -> Int {
    var winner = 0
    for index in 1..<classes where scores[index] > scores[winner] { winner = index }
    return winner
  }
}
