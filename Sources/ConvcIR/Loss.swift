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

  /// The sum over a batch's images of the loss of each, in plain Swift: what evaluation reports, without a training step.
  func sum(over batch: JudgedBatch) -> Double

  /// Kernels that write the loss of each image and, scaled by weight and batch, the prediction's gradient.
  func calls(for context: LossContext) -> [KernelCall]
}

/// Outputs of a network and what they should be, for images that stand behind one another.
public struct JudgedBatch {
  public let images: Int
  /// Extents of one image's prediction: `[K]`, `[K, H, W]`.
  public let extents: [Int]
  /// `[images] + extents`.
  public let predictions: UnsafePointer<Float>
  /// Of the type that ``Loss/target(for:)`` says; labels are in range.
  public let targets: UnsafeRawPointer

  public init(
    images: Int, extents: [Int], predictions: UnsafePointer<Float>, targets: UnsafeRawPointer
  ) {
    self.images = images
    self.extents = extents
    self.predictions = predictions
    self.targets = targets
  }

  /// The targets as class labels.
  public var labels: UnsafePointer<Int32> { targets.assumingMemoryBound(to: Int32.self) }
  /// The targets as values.
  public var values: UnsafePointer<Float> { targets.assumingMemoryBound(to: Float.self) }
}
