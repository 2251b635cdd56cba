import ConvcIR

/// Cross-entropy of the softmax of scores against class labels, computed as one stable expression:
/// `log Σ exp(x_d − max) − (x_label − max)`.
///
/// - Prediction: scores (logits) `[N, K]`. Target: labels `[N]`, `int32` in `0..<K`.
/// - Value: mean over the batch. Gradient: `weight · (softmax(x) − onehot) / N`.
/// - Errors: prediction not of rank 2; a label out of range is refused before anything runs.
/// - Source: ONNX `SoftmaxCrossEntropyLoss`, opset 13.
public struct SoftmaxCrossEntropy: Loss {
  public static let kind = "softmax-cross-entropy"

  public init() {}

  public func target(for prediction: TensorType) throws(LayerError) -> TensorType {
    guard prediction.shape.count == 2 else {
      throw .rank(
        expected: 2, got: prediction.shape,
        wayOut: "judge scores [N, K]; end the network with Dense")
    }
    guard prediction.shape[1] >= 2 else {
      throw .setting("a softmax over one class is always 1; give the last layer at least 2 outputs")
    }
    return TensorType(shape: [prediction.shape[0]], element: .int32)
  }

  public func classes(for prediction: TensorType) -> Int? { prediction.shape[1] }
}
