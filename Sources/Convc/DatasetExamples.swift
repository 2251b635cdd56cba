import ConvcData
import ConvcIR
import ConvcTraining

/// Images of a data set as examples to train on or to judge by.
///
/// The input is `image`, `[C, H, W]`; the target is the class, `target`.
public struct DatasetExamples: ExampleSource {
  public let inputs: [ModelLayout.Tensor]
  public let targets = [ModelLayout.Tensor(name: "target", element: .int32, shape: [])]
  private let images: ImageSet
  /// Which of the images, in order; nil: all.
  private let selection: [Int]?
  private let scaling: PixelScaling

  public var count: Int { selection?.count ?? images.count }

  /// - Parameters:
  ///   - indices: which of the images; nil: all.
  ///   - preprocessing: how pixels become inputs, the same as in training.
  /// - Throws: a preprocessing for another number of channels.
  public init(
    _ images: ImageSet, indices: [Int]? = nil, preprocessing: InputPreprocessing
  ) throws(DataError) {
    self.images = images
    selection = indices
    scaling = try PixelScaling(preprocessing, channels: images.shape[0])
    inputs = [ModelLayout.Tensor(name: "image", shape: images.shape)]
  }

  public func write(
    _ indices: ArraySlice<Int>, inputs: [UnsafeMutableRawPointer],
    targets: [UnsafeMutableRawPointer]
  ) {
    let chosen = selection.map { selection in indices.map { selection[$0] } } ?? Array(indices)
    scaling.write(
      chosen, of: images,
      to: inputs[0].bindMemory(to: Float.self, capacity: chosen.count * images.imageSize))
    let labels = targets[0].bindMemory(to: Int32.self, capacity: chosen.count)
    for (place, image) in chosen.enumerated() { labels[place] = images.labels[image] }
  }
}

extension TrainingData {
  /// The parts of a data set, with some of the training images kept for validation.
  ///
  /// - Parameters:
  ///   - validationFraction: share of the training images, 0..<1; 0: no validation.
  ///   - seed: chooses which.
  ///   - preprocessing: nil: fitted to the training images.
  /// - Throws: a share that leaves nothing to train on, or a preprocessing for other channels.
  public init(
    dataset: Dataset, validationFraction: Double, seed: UInt64,
    preprocessing: InputPreprocessing? = nil
  ) throws(DataError) {
    let preprocessing = preprocessing ?? dataset.fittedPreprocessing()
    let split = try ValidationSplit(
      labels: dataset.train.labels, fraction: validationFraction, seed: seed)
    let train = try DatasetExamples(
      dataset.train, indices: split.train, preprocessing: preprocessing)
    let validation = try DatasetExamples(
      dataset.train, indices: split.validation, preprocessing: preprocessing)
    self.init(
      name: dataset.name, train: train, validation: validation.count > 0 ? validation : nil,
      test: try DatasetExamples(dataset.test, preprocessing: preprocessing))
  }
}
