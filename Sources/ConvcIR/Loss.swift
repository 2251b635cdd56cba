/// A loss: it judges an output against a target, and starts the gradient.
///
/// **What a mean is.** The value of every loss is `(1/N) Σ_n (1/P) Σ_p w · l`: `l` is the loss of a place (a value, or a
/// pixel), `P` the number of places of an image, `N` that of the batch's images. Weights (of classes, samples and pixels)
/// are factors and no part of the divisor, and a place that is left out (an ignored label, a missing target) counts as zero
/// in the sum and stays in the divisor. So losses and gradients of parts of a batch add up to those of the whole, however
/// it is cut: micro-batches and several machines give the same as one large batch. PyTorch divides by the sum of the
/// weights instead where a batch has class weights or ignored labels; the ratio of the two is the mean weight.
///
/// Some losses take the sum over an image's values instead of their mean, and say so; the mean over the images stays.
public protocol Loss: Sendable {
  /// Short name: `softmax-cross-entropy`.
  static var kind: String { get }

  /// Settings in words, for listings: `delta 2.0`.
  var summary: String { get }

  /// What the judged output has to hold.
  var expectedOutput: ExpectedOutput { get }

  /// What the caller passes for a prediction: first the target, then what else the loss needs.
  ///
  /// - Throws: what is wrong with the prediction or the settings.
  func targets(for prediction: TensorType) throws(LayerError) -> [LossTarget]

  /// The sum over a batch's images of the loss of each, in plain Swift: what evaluation reports, without a training step.
  func sum(over batch: JudgedBatch) -> Double

  /// Kernels that write the loss of each image and, scaled by weight and batch, the prediction's gradient.
  func calls(for context: LossContext) -> [KernelCall]
}

extension Loss {
  public var summary: String { "" }
  public var expectedOutput: ExpectedOutput { .any }
}

/// A tensor that a loss compares the prediction with, or weighs it by.
public struct LossTarget: Sendable, Hashable {
  /// Stands behind the target's name and a `_`: `weights`; nil: this is the target itself.
  public let suffix: String?
  public let type: TensorType
  /// What class labels may be; nil: these are values.
  public let labels: LabelRange?
  /// What the values may be.
  public let values: TargetValues

  public init(
    _ suffix: String? = nil, type: TensorType, labels: LabelRange? = nil,
    values: TargetValues = .any
  ) {
    self.suffix = suffix
    self.type = type
    self.labels = labels
    self.values = values
  }
}

/// What class labels may be, and how a prediction says which class it takes.
public struct LabelRange: Sendable, Hashable {
  /// How the scores of a place choose a class.
  public enum Decision: Sendable, Hashable {
    /// The class with the highest score; the first of equal ones.
    case highest
    /// Of two classes with one score: class 1 where it is above a number.
    case above(Float)
  }

  /// Labels are in `0..<classes`.
  public let classes: Int
  /// A label beside them, of places that are left out.
  public let ignored: Int32?
  public let decision: Decision

  public init(classes: Int, ignored: Int32? = nil, decision: Decision = .highest) {
    self.classes = classes
    self.ignored = ignored
    self.decision = decision
  }

  /// Whether a label is a class, or the one that is left out.
  public func contains(_ label: Int32) -> Bool {
    label == ignored || label >= 0 && label < classes
  }
}

/// What the values of a target may be: who makes up targets, as tests and benchmarks do, keeps to it.
public enum TargetValues: Sendable, Hashable {
  case any
  /// Any; NaN where the value is not known.
  case anyOrMissing
  /// Each in 0...1.
  case shares
  /// Each in 0...1, the values of a pixel's channels (of an image's features) with the sum 1.
  case distribution
  /// At least 0.
  case counts
  /// At least 0, factors of the losses.
  case weights
}

/// Outputs of a network and what they should be, for images that stand behind one another.
public struct JudgedBatch {
  public let images: Int
  /// Extents of one image's prediction: `[K]`, `[K, H, W]`.
  public let extents: [Int]
  /// `[images] + extents`.
  public let predictions: UnsafePointer<Float>
  /// Of the first type that ``Loss/targets(for:)`` says; labels are in range.
  public let targets: UnsafeRawPointer
  /// Of the other types, in order.
  public let others: [UnsafeRawPointer]

  public init(
    images: Int, extents: [Int], predictions: UnsafePointer<Float>, targets: UnsafeRawPointer,
    others: [UnsafeRawPointer] = []
  ) {
    self.images = images
    self.extents = extents
    self.predictions = predictions
    self.targets = targets
    self.others = others
  }

  /// The targets as class labels.
  public var labels: UnsafePointer<Int32> { targets.assumingMemoryBound(to: Int32.self) }
  /// The targets as values.
  public var values: UnsafePointer<Float> { targets.assumingMemoryBound(to: Float.self) }
}
