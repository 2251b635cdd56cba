import ConvcIR

/// Examples to train on or to judge by: inputs and targets, ready for the network.
public protocol ExampleSource: Sendable {
  /// Number of examples.
  var count: Int { get }
  /// The inputs, in the order of the network's.
  var inputs: [ModelLayout.Tensor] { get }
  /// The targets, in the order of the network's.
  var targets: [ModelLayout.Tensor] { get }

  /// Writes examples one after another.
  ///
  /// - Parameters:
  ///   - indices: which, in `0..<count`.
  ///   - inputs: an address for each input, with room for all of them.
  ///   - targets: an address for each target, likewise.
  func write(
    _ indices: ArraySlice<Int>, inputs: [UnsafeMutableRawPointer],
    targets: [UnsafeMutableRawPointer]
  ) throws
}

/// The parts of a data set.
public struct TrainingData: Sendable {
  /// The data set's name, for reports.
  public let name: String
  public let train: any ExampleSource
  /// Nil: the last checkpoint counts as the best.
  public let validation: (any ExampleSource)?
  /// Measured once, at the end.
  public let test: (any ExampleSource)?

  public init(
    name: String, train: any ExampleSource, validation: (any ExampleSource)? = nil,
    test: (any ExampleSource)? = nil
  ) {
    self.name = name
    self.train = train
    self.validation = validation
    self.test = test
  }
}

/// Examples held in memory: one input of floats, and labels or values as the target.
public struct ArrayExamples: ExampleSource {
  private enum Values {
    case labels([Int32])
    case floats([Float])
  }

  public let count: Int
  public let inputs: [ModelLayout.Tensor]
  public let targets: [ModelLayout.Tensor]
  private let images: [Float]
  private let values: Values

  /// Labelled examples.
  ///
  /// - Parameters:
  ///   - images: one input an example, row-major.
  ///   - shape: extents of one input, `[C, H, W]` or `[F]`.
  ///   - labels: a label an example, or one for each of its pixels.
  ///   - labelShape: extents of one example's labels: `[H, W]`, or none for a single one.
  public init(images: [Float], shape: [Int], labels: [Int32], labelShape: [Int] = []) {
    let target = ModelLayout.Tensor(name: "target", element: .int32, shape: labelShape)
    self.init(
      images: images, shape: shape, count: labels.count / max(1, target.count),
      values: .labels(labels), target: target)
  }

  /// Examples with values to be predicted.
  ///
  /// - Parameters:
  ///   - images: one input an example, row-major.
  ///   - shape: extents of one input, `[C, H, W]` or `[F]`.
  ///   - values: one target an example, row-major.
  ///   - valueShape: extents of one target.
  public init(images: [Float], shape: [Int], values: [Float], valueShape: [Int]) {
    let target = ModelLayout.Tensor(name: "target", shape: valueShape)
    self.init(
      images: images, shape: shape, count: values.count / max(1, target.count),
      values: .floats(values), target: target)
  }

  private init(
    images: [Float], shape: [Int], count: Int, values: Values, target: ModelLayout.Tensor
  ) {
    let input = ModelLayout.Tensor(name: "image", shape: shape)
    precondition(
      images.count == count * input.count,
      "\(images.count) input values for \(count) examples of \(input.count); give as many inputs as targets"
    )
    self.count = count
    self.images = images
    self.values = values
    inputs = [input]
    targets = [target]
  }

  public func write(
    _ indices: ArraySlice<Int>, inputs: [UnsafeMutableRawPointer],
    targets: [UnsafeMutableRawPointer]
  ) {
    images.withUnsafeBytes {
      Self.gather(indices, from: $0, to: inputs[0], bytes: 4 * self.inputs[0].count)
    }
    let bytes = 4 * self.targets[0].count
    switch values {
    case .labels(let labels):
      labels.withUnsafeBytes { Self.gather(indices, from: $0, to: targets[0], bytes: bytes) }
    case .floats(let floats):
      floats.withUnsafeBytes { Self.gather(indices, from: $0, to: targets[0], bytes: bytes) }
    }
  }

  private static func gather(
    _ indices: ArraySlice<Int>, from source: UnsafeRawBufferPointer,
    to destination: UnsafeMutableRawPointer, bytes: Int
  ) {
    guard let start = source.baseAddress else { return }
    for (place, index) in indices.enumerated() {
      precondition(
        index >= 0 && (index + 1) * bytes <= source.count, "internal error: no example \(index)")
      (destination + place * bytes).copyMemory(from: start + index * bytes, byteCount: bytes)
    }
  }
}
