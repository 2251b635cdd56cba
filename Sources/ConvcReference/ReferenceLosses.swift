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
    let gradient = DoubleTensor(shape: prediction.shape)
    var total = 0.0
    for n in 0..<batch {
      let scores = prediction.address + n * classes
      let largest = (0..<classes).reduce(scores[0]) { max($0, scores[$1]) }
      let sum = (0..<classes).reduce(0.0) { $0 + exp(scores[$1] - largest) }
      let label = Int(labels[n])
      total += log(sum) - (scores[label] - largest)
      for k in 0..<classes {
        let share = exp(scores[k] - largest) / sum
        gradient.address[n * classes + k] = (share - (k == label ? 1 : 0)) / Double(batch)
      }
    }
    return LossResult(value: total / Double(batch), gradient: gradient)
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
