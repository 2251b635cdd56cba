import ConvcIR
import ConvcReference
import Glibc

/// Cross-entropy of the softmax of scores against class labels, computed as one stable expression:
/// `log Σ exp(x_d − max) − (x_label − max)`.
///
/// - Prediction: scores (logits) `[N, K]`, or a score for each pixel `[N, K, H, W]`.
/// - Target: labels `[N]` or `[N, H, W]`, `int32` in `0..<K`.
/// - Value: mean over the batch, and over the pixels. Gradient: `weight · (softmax(x) − onehot) / (N · H · W)`.
/// - Errors: prediction of another rank or of more than 4096 columns; a label out of range, before anything runs.
/// - Source: ONNX `SoftmaxCrossEntropyLoss`, opset 13.
public struct SoftmaxCrossEntropy: Loss {
  public static let kind = "softmax-cross-entropy"

  public init() {}

  public func target(for prediction: TensorType) throws(LayerError) -> TensorType {
    guard prediction.shape.count == 2 || prediction.shape.count == 4 else {
      throw .rank(
        expected: 2, got: prediction.shape,
        wayOut: "judge scores [N, K], or of pixels [N, K, H, W]; end the network with Dense")
    }
    guard prediction.shape[1] >= 2 else {
      throw .setting("a softmax over one class is always 1; give the last layer at least 2 outputs")
    }
    // Kernels keep rows of pixels, of all images of a vector, on the stack.
    let columns = prediction.maps.w
    guard columns <= 1 << 12 else {
      throw .setting(
        "scores of \(columns) columns are too wide; at most \(1 << 12) work: cut the image into pieces"
      )
    }
    return TensorType(
      shape: [prediction.shape[0]] + prediction.shape.dropFirst(2), element: .int32)
  }

  public func classes(for prediction: TensorType) -> Int? { prediction.shape[1] }

  public func sum(over batch: JudgedBatch) -> Double {
    let classes = batch.extents[0]
    // Scores of one pixel lie a map apart; without maps there is one pixel.
    let pixels = batch.extents.dropFirst().reduce(1, *)
    var total = 0.0
    for place in 0..<batch.images * pixels {
      let row = batch.predictions + place / pixels * classes * pixels + place % pixels
      var highest = row[0]
      for label in 1..<classes { highest = max(highest, row[label * pixels]) }
      var sum = 0.0
      for label in 0..<classes { sum += exp(Double(row[label * pixels] - highest)) }
      total += log(sum) - Double(row[Int(batch.labels[place]) * pixels] - highest)
    }
    return total / Double(pixels)
  }
}

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

extension SoftmaxCrossEntropy: ScoreLoss {}
