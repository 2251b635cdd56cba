import Glibc

/// A loss as it is measured without training: its sum over the images of a batch.
///
/// The raw value is the kind of the loss in the network.
public enum LossMeasure: String, Sendable, Hashable, CaseIterable {
  case softmaxCrossEntropy = "softmax-cross-entropy"
  case meanSquaredError = "mean-squared-error"

  /// The sum over `images` of cross-entropy between the softmax of scores and labels, of each image its pixels' mean.
  ///
  /// - Parameters:
  ///   - scores: `[images, classes, pixels]`.
  ///   - labels: `[images, pixels]`, each in `0..<classes`.
  ///   - pixels: labels of an image.
  static func crossEntropy(
    scores: UnsafePointer<Float>, labels: UnsafePointer<Int32>, images: Int, classes: Int,
    pixels: Int = 1
  ) -> Double {
    var total = 0.0
    for index in 0..<images * pixels {
      let row = scores + index / pixels * classes * pixels + index % pixels
      let highest = row[winner(row, classes: classes, stride: pixels) * pixels]
      var sum = 0.0
      for label in 0..<classes { sum += exp(Double(row[label * pixels] - highest)) }
      total += log(sum) - Double(row[Int(labels[index]) * pixels] - highest)
    }
    return total / Double(pixels)
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

  /// The index of the highest of `classes` scores that lie `stride` apart; the first of equal ones.
  static func winner(_ scores: UnsafePointer<Float>, classes: Int, stride: Int = 1) -> Int {
    var winner = 0
    for index in 1..<classes where scores[index * stride] > scores[winner * stride] {
      winner = index
    }
    return winner
  }
}
