import ConvcIR

/// Loss, and accuracy where the network classifies, over some examples.
///
/// The loss is that of the data: a penalty on weights stands apart, and counts in no comparison.
public struct Metrics: Sendable, Hashable, Codable {
  /// The total loss: the mean over the examples of each loss, weighted and summed.
  public let loss: Double
  /// Share of labels, of images or of pixels, whose class has the highest score; nil: the network does not classify.
  public let accuracy: Double?
  /// The penalty on weights, which training minimises beside the loss; nil: the network has none, or it is not known here.
  public let regularization: Double?

  public init(loss: Double, accuracy: Double?, regularization: Double? = nil) {
    self.loss = loss
    self.accuracy = accuracy
    self.regularization = regularization
  }

  /// The same with the penalty on weights.
  func adding(regularization: Double?) -> Metrics {
    Metrics(loss: loss, accuracy: accuracy, regularization: regularization)
  }

  /// Whether these are better than others: by accuracy, then by loss.
  func isBetter(than other: Metrics) -> Bool {
    if let accuracy, let others = other.accuracy, accuracy != others { return accuracy > others }
    return loss < other.loss
  }
}

/// How often each class was taken for each class: images, or pixels where those have labels.
public struct ConfusionMatrix: Sendable, Hashable {
  public let classes: Int
  /// Row-major: row = the true class, column = the predicted one.
  public private(set) var counts: [Int]

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  public subscript(actual: Int, predicted: Int) -> Int { counts[actual * classes + predicted] }

  mutating func count(actual: Int, predicted: Int) { counts[actual * classes + predicted] += 1 }

  /// Examples of a class.
  public func total(of actual: Int) -> Int {
    counts[(actual * classes)..<((actual + 1) * classes)].reduce(0, +)
  }

  /// Examples whose class was found.
  public var correct: Int { (0..<classes).reduce(0) { $0 + self[$1, $1] } }

  /// All examples.
  public var total: Int { counts.reduce(0, +) }

  /// Share of a class's examples that were found (recall); nil: it has none.
  public func accuracy(of actual: Int) -> Double? {
    let total = total(of: actual)
    return total == 0 ? nil : Double(self[actual, actual]) / Double(total)
  }
}

/// What a network achieves on a part of a data set.
public struct Evaluation: Sendable, Hashable {
  /// Number of examples.
  public let images: Int
  public let metrics: Metrics
  /// The mean of each loss over the examples, before its weight.
  public let losses: [Double]
  /// Nil: the network does not classify.
  public let confusion: ConfusionMatrix?
  /// Names of the classes; empty without.
  public let classNames: [String]

  /// Accuracy of each class; nil entries are classes without examples.
  public var perClassAccuracy: [Double?] {
    guard let confusion else { return [] }
    return (0..<confusion.classes).map { confusion.accuracy(of: $0) }
  }
}

/// Measures a network on examples, in the largest batches that it takes.
public struct Evaluator {
  private let runner: any StepRunner
  private let threads: Int
  private let buffers: BatchBuffers

  /// - Parameter threads: 0: as many as OpenMP takes by default.
  public init(_ runner: any StepRunner, threads: Int = 0) {
    self.runner = runner
    self.threads = threads
    buffers = BatchBuffers(runner.layout, batch: runner.layout.batches.upperBound)
  }

  /// Measures a network; nil when it was cancelled.
  ///
  /// - Parameters:
  ///   - examples: what to measure on.
  ///   - limit: take the first so many at most.
  ///   - part: the part's name, for errors: `validation`.
  /// - Throws: examples that do not fit the network, none at all, or a label that is no class.
  public func evaluate(
    _ examples: any ExampleSource, limit: Int? = nil, part: String = "test",
    cancellation: Cancellation? = nil
  ) throws -> Evaluation? {
    let layout = runner.layout
    try layout.check(examples, part: part)
    let count = min(limit ?? examples.count, examples.count)
    var tally = EvaluationTally(layout)
    let batch = layout.batches.upperBound
    for start in stride(from: 0, to: count, by: batch) {
      if cancellation?.isCancelled == true { return nil }
      let end = min(start + batch, count)
      var indices = Array(start..<end)
      // A network of fixed batch gets its last batch filled up; what fills it is not counted.
      while indices.count < layout.batches.lowerBound { indices.append(end - 1) }
      try examples.write(indices[...], inputs: buffers.inputs, targets: buffers.targets)
      try runner.forward(
        inputs: buffers.readInputs, outputs: buffers.outputs, batch: indices.count,
        threads: threads)
      try tally.add(buffers, images: end - start, first: start, part: part)
    }
    return tally.evaluation
  }
}

/// Sums over the batches of an evaluation.
struct EvaluationTally {
  private let layout: ModelLayout
  private var images = 0
  private var sums: [Double]
  private var confusion: ConfusionMatrix?

  init(_ layout: ModelLayout) {
    self.layout = layout
    sums = [Double](repeating: 0, count: layout.losses.count)
    confusion = layout.classification?.labels.map { ConfusionMatrix(classes: $0.classes) }
  }

  /// Adds the outputs of a batch.
  ///
  /// - Parameter first: the position of its first example in the part.
  mutating func add(
    _ buffers: BatchBuffers, images count: Int, first: Int, part: String
  ) throws(TrainingError) {
    images += count
    for (index, loss) in layout.losses.enumerated() {
      let output = layout.outputs[loss.output]
      let target = buffers.targets[loss.target]
      if let range = loss.labels {
        let labels = target.assumingMemoryBound(to: Int32.self)
        let pixels = layout.targets[loss.target].count
        for place in 0..<count * pixels where !range.contains(labels[place]) {
          throw .label(
            Int(labels[place]), position: first + place / pixels, part: part,
            classes: range.classes)
        }
      }
      sums[index] += loss.loss.sum(
        over: JudgedBatch(
          images: count, extents: output.shape,
          predictions: buffers.outputs[loss.output].assumingMemoryBound(to: Float.self),
          targets: target,
          others: loss.others.map { UnsafeRawPointer(buffers.targets[$0]) }))
    }
    guard let loss = layout.classification else { return }
    buffers.forEachLabel(of: loss, layout, images: count) {
      confusion?.count(actual: $0, predicted: $1)
    }
  }

  var evaluation: Evaluation {
    let losses = sums.map { $0 / Double(max(1, images)) }
    let accuracy = confusion.map { Double($0.correct) / Double(max(1, $0.total)) }
    return Evaluation(
      images: images, metrics: Metrics(loss: layout.total(losses), accuracy: accuracy),
      losses: losses, confusion: confusion, classNames: layout.classNames)
  }
}
