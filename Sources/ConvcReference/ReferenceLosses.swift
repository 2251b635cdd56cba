import ConvcIR
import ConvcLayers
import Foundation

extension SoftmaxCrossEntropy: ReferenceLoss {
  public func evaluate(
    _ prediction: DoubleTensor, _ target: ReferenceSample.Target
  ) -> LossResult {
    guard case .labels(let labels) = target else {
      preconditionFailure("internal error: \(Self.kind) compares with labels")
    }
    let (batch, classes) = (prediction.shape[0], prediction.shape[1])
    // Scores of one pixel lie a map apart; without maps there is one pixel.
    let pixels = prediction.shape.dropFirst(2).reduce(1, *)
    let count = Double(batch * pixels)
    let gradient = DoubleTensor(shape: prediction.shape)
    var total = 0.0
    for i in 0..<batch * pixels {
      let place = i / pixels * classes * pixels + i % pixels
      let scores = (0..<classes).map { prediction.address[place + $0 * pixels] }
      let largest = scores.reduce(scores[0], max)
      let sum = scores.reduce(0.0) { $0 + exp($1 - largest) }
      let label = Int(labels[i])
      total += log(sum) - (scores[label] - largest)
      for k in 0..<classes {
        let share = exp(scores[k] - largest) / sum
        gradient.address[place + k * pixels] = (share - (k == label ? 1 : 0)) / count
      }
    }
    return LossResult(value: total / count, gradient: gradient)
  }
}

extension MeanSquaredError: ReferenceLoss {
  public func evaluate(
    _ prediction: DoubleTensor, _ target: ReferenceSample.Target
  ) -> LossResult {
    guard case .values(let expected) = target else {
      preconditionFailure("internal error: \(Self.kind) compares with values")
    }
    let gradient = DoubleTensor(shape: prediction.shape)
    var total = 0.0
    for (i, value) in expected.enumerated() {
      let difference = prediction.address[i] - Double(value)
      total += difference * difference
      gradient.address[i] = 2 * difference / Double(prediction.count)
    }
    return LossResult(value: total / Double(prediction.count), gradient: gradient)
  }
}
