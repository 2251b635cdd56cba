/// A network as its author wrote it: named layers and edges.
///
/// Shapes are those of one image, and a program takes batches of them. Of an unbatched network shapes are whole: axis 0 is
/// an extent like the others, and a program's call is one run.
public struct Model: Sendable {
  /// An input of the network.
  public struct Input: Sendable {
    public let name: String
    /// What the caller of a program calls it; nil: its name, which has to be a C identifier.
    public var label: String?
    /// Extents of one image: `[C, H, W]`, or `[F]` for features; of an unbatched network all extents.
    public let shape: [Int]
    public let element: ElementType
    /// The whole shape that the caller sees where that is no tensor's: of rank 0, or without elements. nil: the tensor's.
    public var callerShape: [Int]?
    /// Whether the network may leave it unread.
    public var isOptional = false
    public let location: SourceLocation?

    public init(
      name: String, shape: [Int], element: ElementType = .float32, location: SourceLocation?
    ) {
      self.name = name
      self.shape = shape
      self.element = element
      self.location = location
    }
  }

  /// A named layer and what it reads: inputs or layers, by name.
  public struct Node: Sendable {
    public let name: String
    public let layer: any Layer
    public let inputs: [String]
    public let isFrozen: Bool
    /// The penalty on the layer's weights; nil: the model's.
    public let regularizer: Regularizer?
    public let location: SourceLocation?

    public init(
      name: String, layer: any Layer, inputs: [String], isFrozen: Bool,
      regularizer: Regularizer? = nil, location: SourceLocation?
    ) {
      self.name = name
      self.layer = layer
      self.inputs = inputs
      self.isFrozen = isFrozen
      self.regularizer = regularizer
      self.location = location
    }
  }

  /// A layer's result that the network returns.
  public struct Output: Sendable, Hashable {
    public let name: String
    /// What the caller of a program calls it; nil: its name.
    public let label: String?
    public let node: String
    /// The whole shape that the caller sees where that is no tensor's: of rank 0, or without elements. nil: the tensor's.
    public var callerShape: [Int]?

    public init(name: String, label: String? = nil, node: String) {
      self.name = name
      self.label = label
      self.node = node
    }
  }

  /// A loss on an output, with its weight in the sum that is minimised.
  public struct LossTerm: Sendable {
    public let name: String
    public let loss: any Loss
    /// Name of the output it judges.
    public let output: String
    /// Name of the target the caller passes.
    public let target: String
    public let weight: Float
    public let location: SourceLocation?

    public init(
      name: String, loss: any Loss, output: String, target: String, weight: Float,
      location: SourceLocation?
    ) {
      self.name = name
      self.loss = loss
      self.output = output
      self.target = target
      self.weight = weight
      self.location = location
    }
  }

  public var name: String
  public var inputs: [Input]
  public var nodes: [Node]
  public var outputs: [Output]
  public var losses: [LossTerm]
  /// The penalty on the weights of all layers that have none of their own; nil: there is none.
  public var regularizer: Regularizer?
  /// How raw pixels become the first input.
  public var preprocessing: InputPreprocessing?
  public var classNames: [String]
  /// Whether shapes are whole, axis 0 with them.
  public var isUnbatched: Bool
  /// The largest batch of a program where nothing else is said; nil: 64, or the one run of an unbatched network.
  public var usualBatch: Int?
  /// What parameters start from, by their names, `conv1.weight`; the others are drawn.
  public var values: [String: GivenValues] = [:]

  public init(
    name: String, inputs: [Input], nodes: [Node], outputs: [Output], losses: [LossTerm] = [],
    regularizer: Regularizer? = nil, preprocessing: InputPreprocessing? = nil,
    classNames: [String] = [], isUnbatched: Bool = false
  ) {
    self.name = name
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.losses = losses
    self.regularizer = regularizer
    self.preprocessing = preprocessing
    self.classNames = classNames
    self.isUnbatched = isUnbatched
  }
}

/// How raw pixels become an input: `(pixel · scale − mean[c]) / deviation[c]`.
public struct InputPreprocessing: Sendable, Hashable, Codable {
  public let scale: Float
  /// One value a channel.
  public let mean: [Float]
  public let deviation: [Float]

  public init(scale: Float, mean: [Float], deviation: [Float]) {
    self.scale = scale
    self.mean = mean
    self.deviation = deviation
  }
}
