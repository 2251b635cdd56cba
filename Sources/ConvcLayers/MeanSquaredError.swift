import ConvcIR
import ConvcReference

/// Mean of the squared differences between prediction and target.
///
/// - Prediction and target: one shape `[N, ...]`.
/// - Value: mean over all values of the batch. Gradient: `weight · 2 (x − t) / (N · values)`.
/// - Source: PyTorch `MSELoss` with reduction `mean`.
public struct MeanSquaredError: Loss {
  public static let kind = "mean-squared-error"

  public init() {}

  public func target(for prediction: TensorType) throws(LayerError) -> TensorType { prediction }

  public func classes(for prediction: TensorType) -> Int? { nil }

  public func sum(over batch: JudgedBatch) -> Double {
    let values = batch.extents.reduce(1, *)
    var total = 0.0
    for index in 0..<batch.images * values {
      let difference = Double(batch.predictions[index]) - Double(batch.values[index])
      total += difference * difference
    }
    return total / Double(values)
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
