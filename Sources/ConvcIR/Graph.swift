/// A tensor of a graph: what one node writes, or an input.
public struct Tensor: Sendable, Identifiable {
  public struct ID: Sendable, Hashable, Comparable {
    public let index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
  }

  public let id: ID
  public let name: String
  public let type: TensorType
  /// The node that writes it; nil: an input of the network.
  public let producer: Node.ID?

  public init(id: ID, name: String, type: TensorType, producer: Node.ID?) {
    self.id = id
    self.name = name
    self.type = type
    self.producer = producer
  }
}

/// A parameter in the table of a graph.
public struct Parameter: Sendable, Hashable {
  /// `conv1.weight`.
  public let name: String
  public let spec: ParameterSpec
  public let kind: ParameterKind
  /// Floats from the start of the parameter block; the gradient block has the same offsets.
  public let offset: Int
  /// The penalty on its values in training; nil: none. Only trainable parameters have one.
  public let regularizer: Regularizer?

  public init(
    name: String, spec: ParameterSpec, kind: ParameterKind, offset: Int,
    regularizer: Regularizer? = nil
  ) {
    self.name = name
    self.spec = spec
    self.kind = kind
    self.offset = offset
    self.regularizer = regularizer
  }
}

/// A layer with the types of its tensors.
public struct Node: Sendable, Identifiable {
  public struct ID: Sendable, Hashable, Comparable {
    public let index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
  }

  public let id: ID
  public let name: String
  public let layer: any Layer
  public let inputs: [Tensor.ID]
  public let output: Tensor.ID
  /// Indices into the graph's parameter table, in the order of the layer's declaration.
  public let parameters: [Int]
  public let isFrozen: Bool
  public let location: SourceLocation?

  public init(
    id: ID, name: String, layer: any Layer, inputs: [Tensor.ID], output: Tensor.ID,
    parameters: [Int], isFrozen: Bool, location: SourceLocation?
  ) {
    self.id = id
    self.name = name
    self.layer = layer
    self.inputs = inputs
    self.output = output
    self.parameters = parameters
    self.isFrozen = isFrozen
    self.location = location
  }
}

/// A loss with the types of what it judges.
public struct LossNode: Sendable {
  public let name: String
  public let loss: any Loss
  public let prediction: Tensor.ID
  /// Index of the output it judges.
  public let output: Int
  /// Index of its target among the graph's targets.
  public let target: Int
  /// Indices of what else it reads: weights.
  public let others: [Int]
  public let weight: Float

  public init(
    name: String, loss: any Loss, prediction: Tensor.ID, output: Int, target: Int,
    others: [Int] = [], weight: Float
  ) {
    self.name = name
    self.loss = loss
    self.prediction = prediction
    self.output = output
    self.target = target
    self.others = others
    self.weight = weight
  }
}

/// A target that the caller passes for training.
public struct TargetTensor: Sendable, Hashable {
  public let name: String
  public let type: TensorType
  /// What class labels may be; nil: these are values.
  public let labels: LabelRange?
  /// What the values may be.
  public let values: TargetValues

  public init(
    name: String, type: TensorType, labels: LabelRange? = nil, values: TargetValues = .any
  ) {
    self.name = name
    self.type = type
    self.labels = labels
    self.values = values
  }

  /// Labels are in `0..<classes`; nil: values.
  public var classes: Int? { labels?.classes }
}

/// The network with every shape known, its nodes in topological order.
public struct Graph: Sendable {
  public let name: String
  /// Images of the largest batch; 1 where the network is unbatched.
  public let batch: Int
  /// Whether tensors have extents of their own in axis 0, and a call is one run.
  public let isUnbatched: Bool
  /// What parameters start from, by their names; the others are drawn.
  public let values: [String: GivenValues]
  public let tensors: [Tensor]
  public let inputs: [Tensor.ID]
  public let nodes: [Node]
  public let outputs: [(name: String, tensor: Tensor.ID)]
  public let losses: [LossNode]
  public let targets: [TargetTensor]
  public let parameters: [Parameter]
  public let preprocessing: InputPreprocessing?
  public let classNames: [String]
  /// What the caller of a program calls the inputs and outputs, in order: text of any kind.
  public let inputLabels: [String]
  public let outputLabels: [String]
  /// Inputs and outputs as he sees them: a single value has rank 0.
  public let inputTypes: [TensorType]
  public let outputTypes: [TensorType]
  private let readers: [Tensor.ID: [Node.ID]]

  public init(
    name: String, batch: Int, tensors: [Tensor], inputs: [Tensor.ID], nodes: [Node],
    outputs: [(name: String, tensor: Tensor.ID)], losses: [LossNode], targets: [TargetTensor],
    parameters: [Parameter], preprocessing: InputPreprocessing?, classNames: [String],
    isUnbatched: Bool = false, values: [String: GivenValues] = [:],
    inputLabels: [String?] = [], outputLabels: [String?] = [], inputShapes: [[Int]?] = [],
    outputShapes: [[Int]?] = []
  ) {
    self.name = name
    self.batch = batch
    self.tensors = tensors
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.losses = losses
    self.targets = targets
    self.parameters = parameters
    self.preprocessing = preprocessing
    self.classNames = classNames
    self.isUnbatched = isUnbatched
    self.values = values
    func given<T>(_ list: [T?], _ index: Int) -> T? { index < list.count ? list[index] : nil }
    self.inputLabels = inputs.indices.map {
      given(inputLabels, $0) ?? tensors[inputs[$0].index].name
    }
    self.outputLabels = outputs.indices.map { given(outputLabels, $0) ?? outputs[$0].name }
    func types(_ ids: [Tensor.ID], _ shapes: [[Int]?]) -> [TensorType] {
      ids.enumerated().map { index, id in
        let type = tensors[id.index].type
        return given(shapes, index).map(type.with) ?? type
      }
    }
    inputTypes = types(inputs, inputShapes)
    outputTypes = types(outputs.map(\.tensor), outputShapes)
    var readers: [Tensor.ID: [Node.ID]] = [:]
    for node in nodes {
      for input in Set(node.inputs) { readers[input, default: []].append(node.id) }
    }
    self.readers = readers
  }

  public subscript(id: Tensor.ID) -> Tensor { tensors[id.index] }
  public subscript(id: Node.ID) -> Node { nodes[id.index] }

  /// Floats of the whole parameter block.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.spec.count } }

  /// Floats of the trainable part, which comes first.
  public var trainableCount: Int {
    parameters.reduce(0) { $0 + ($1.kind == .trainable ? $1.spec.count : 0) }
  }

  /// The nodes that read a tensor, in order.
  public func readers(of tensor: Tensor.ID) -> [Node] {
    (readers[tensor] ?? []).map { self[$0] }
  }

  /// Types of a node's inputs.
  public func inputTypes(of node: Node) -> [TensorType] { node.inputs.map { self[$0].type } }
}

extension [Node] {
  /// Tensors, and all that they are computed from; the nodes stand in topological order.
  public func sources(of tensors: [Tensor.ID]) -> Set<Tensor.ID> {
    var result = Set(tensors)
    for node in reversed() where result.contains(node.output) { result.formUnion(node.inputs) }
    return result
  }
}
