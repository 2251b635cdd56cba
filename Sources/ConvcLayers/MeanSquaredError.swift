import ConvcIR

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
