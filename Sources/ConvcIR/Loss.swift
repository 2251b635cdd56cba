/// A loss: it judges an output against a target, and starts the gradient.
public protocol Loss: Sendable {
  /// Short name: `softmax-cross-entropy`.
  static var kind: String { get }

  /// The target's type for a prediction.
  ///
  /// - Throws: what is wrong with the prediction.
  func target(for prediction: TensorType) throws(LayerError) -> TensorType

  /// Number of classes where targets are class labels: labels are checked to be in `0..<classes`.
  func classes(for prediction: TensorType) -> Int?

  /// Kernels that write the loss of each image and, scaled by weight and batch, the prediction's gradient.
  func calls(for context: LossContext) -> [KernelCall]
}
