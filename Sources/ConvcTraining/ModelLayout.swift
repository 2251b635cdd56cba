import ConvcIR

/// What training needs to know of a compiled network: its tensors, losses and parameters.
public struct ModelLayout: Sendable {
  /// An input, output or target.
  public struct Tensor: Sendable, Hashable {
    public let name: String
    /// `float32` or `int32`.
    public let element: ElementType
    /// Extents of one image's part: `[C, H, W]`, `[F]`, or `[]` for a label.
    public let shape: [Int]

    public init(name: String, element: ElementType = .float32, shape: [Int]) {
      self.name = name
      self.element = element
      self.shape = shape
    }

    /// Elements of one image's part.
    public var count: Int { shape.reduce(1, *) }

    /// Channels of maps; nil for other tensors.
    var channels: Int? { shape.count == 3 ? shape[0] : nil }
    /// Classes, where these are scores: of an image, or of each pixel.
    var classes: Int { shape.first ?? 1 }
  }

  /// A loss term, by the indices of the output that it judges and of its target.
  public struct Loss: Sendable {
    public let name: String
    /// What measures it.
    public let loss: any ConvcIR.Loss
    /// What its targets may be where they are class labels; nil: they are values.
    public let labels: LabelRange?
    /// Its factor in the sum that training minimises.
    public let weight: Float
    public let output: Int
    public let target: Int
    /// What else it reads, by their indices among the targets: weights.
    public let others: [Int]

    public init(
      name: String, loss: any ConvcIR.Loss, labels: LabelRange?, weight: Float, output: Int,
      target: Int, others: [Int] = []
    ) {
      self.name = name
      self.loss = loss
      self.labels = labels
      self.weight = weight
      self.output = output
      self.target = target
      self.others = others
    }
  }

  public let model: String
  /// The hash of the network that the parameters belong to.
  public let modelHash: String
  /// The batches that every call takes: one value for a network of fixed batch.
  public let batches: ClosedRange<Int>
  public let inputs: [Tensor]
  public let outputs: [Tensor]
  public let targets: [Tensor]
  public let losses: [Loss]
  /// In the order of the parameter block, which they fill without gaps.
  public let parameters: [Parameter]
  /// Floats of the optimiser's state.
  public let optimizerCount: Int
  public let preprocessing: InputPreprocessing?
  public let classNames: [String]

  public init(
    model: String, modelHash: String, batches: ClosedRange<Int>, inputs: [Tensor],
    outputs: [Tensor], targets: [Tensor], losses: [Loss], parameters: [Parameter],
    optimizerCount: Int, preprocessing: InputPreprocessing? = nil, classNames: [String] = []
  ) {
    self.model = model
    self.modelHash = modelHash
    self.batches = batches
    self.inputs = inputs
    self.outputs = outputs
    self.targets = targets
    self.losses = losses
    self.parameters = parameters
    self.optimizerCount = optimizerCount
    self.preprocessing = preprocessing
    self.classNames = classNames
  }

  /// The layout of a graph.
  ///
  /// - Parameters:
  ///   - modelHash: the hash of the network, as the compiled program has it.
  ///   - batches: the batches that the compiled program takes.
  ///   - optimizerCount: floats of the optimiser's state.
  public init(
    graph: Graph, modelHash: String, batches: ClosedRange<Int>, optimizerCount: Int
  ) {
    func tensor(_ name: String, _ type: TensorType) -> Tensor {
      let extents = type.shape.dropFirst(graph.isUnbatched ? 0 : 1)
      return Tensor(name: name, element: type.element, shape: Array(extents))
    }
    let losses = graph.losses.map { node in
      Loss(
        name: node.name, loss: node.loss, labels: graph.targets[node.target].labels,
        weight: node.weight, output: node.output, target: node.target, others: node.others)
    }
    self.init(
      model: graph.name, modelHash: modelHash, batches: batches,
      inputs: graph.inputs.map { tensor(graph[$0].name, graph[$0].type) },
      outputs: graph.outputs.map { tensor($0.name, graph[$0.tensor].type) },
      targets: graph.targets.map { tensor($0.name, $0.type) }, losses: losses,
      parameters: graph.parameters, optimizerCount: optimizerCount,
      preprocessing: graph.preprocessing, classNames: graph.classNames)
  }

  /// Floats of the parameter block.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.spec.count } }

  /// The first loss that compares with class labels: accuracy is measured on its output.
  public var classification: Loss? { losses.first { $0.labels != nil } }

  /// What training minimises, in words: `softmax-cross-entropy, dice smoothing 2.0 (weight 0.5)`.
  var objective: String {
    losses.map { term in
      let loss = [type(of: term.loss).kind, term.loss.summary].filter { !$0.isEmpty }
      return loss.joined(separator: " ") + (term.weight == 1 ? "" : " (weight \(term.weight))")
    }.joined(separator: ", ")
  }

  /// Whether training minimises a penalty on weights beside the losses.
  public var isRegularized: Bool { parameters.contains { $0.regularizer != nil } }

  /// The penalty on weights at a parameter block; nil: the network has none.
  public func regularization(_ block: [Float]) -> Double? {
    guard isRegularized else { return nil }
    let penalty = Regularization(parameters)
    return block.withUnsafeBufferPointer { penalty.value($0) }
  }

  /// The penalty among the values that a training step returned; nil: the network has none.
  func regularization(of step: [Float]) -> Double? {
    isRegularized ? step.last.map(Double.init) : nil
  }

  /// The data loss: the sum of `losses`, each times its weight, without the penalty on weights.
  public func total(_ losses: [Double]) -> Double {
    zip(losses, self.losses).reduce(0) { $0 + $1.0 * Double($1.1.weight) }
  }
}
