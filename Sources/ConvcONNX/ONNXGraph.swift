/// A model as its file says it: nodes in an order in which they can run, and constants.
///
/// Every value is defined once: by an input, an initializer or one node. Functions of the model's own
/// are unfolded. Names are text of any kind.
public struct ONNXGraph: Sendable {
  /// What messages call the model: its file's name.
  public let source: String
  public let irVersion: Int
  /// Operator set versions by domain; the standard's domain is the empty text.
  public let opsets: [String: Int]
  /// The program that wrote the model, as it says.
  public let producer: String
  /// The graph's name, as it says.
  public let name: String
  /// What the caller of the model passes, in order. Initializers that are listed as inputs as well
  /// (IR version 3 asked for that) are constants and do not stand here.
  public var inputs: [ONNXValue]
  /// What the model returns, in order.
  public var outputs: [ONNXValue]
  /// Each node stands behind those whose values it reads.
  public var nodes: [ONNXNode]
  /// Constants by name.
  public var initializers: [String: ONNXTensor]
  /// Names of the initializers, as they stand in the file.
  public var initializerNames: [String]
  /// What the file says of values between nodes; hints, which may be wrong.
  public let valueHints: [String: ONNXValue]
  public let limits: ONNXLimits

  /// Number of nodes by operator, the most frequent first, equal numbers by name.
  public var operatorCounts: [(op: String, count: Int)] {
    Dictionary(grouping: nodes, by: \.title).map { (op: $0.key, count: $0.value.count) }
      .sorted { ($1.count, $0.op) < ($0.count, $1.op) }
  }
}

/// One extent of a value, as a file says it.
public enum ONNXDimension: Sendable, Hashable, CustomStringConvertible {
  case fixed(Int)
  /// Known by name only; equal names are equal extents.
  case symbol(String)
  case unknown

  public var description: String {
    switch self {
    case .fixed(let extent): "\(extent)"
    case .symbol(let name): name
    case .unknown: "?"
    }
  }
}

/// An input or output of a model, or what is said of a value within.
public struct ONNXValue: Sendable, Hashable {
  public let name: String
  /// Nil where nothing is said.
  public let type: ONNXElementType?
  /// Nil where not even the number of axes is said.
  public var dims: [ONNXDimension]?

  public init(name: String, type: ONNXElementType?, dims: [ONNXDimension]?) {
    self.name = name
    self.type = type
    self.dims = dims
  }

  /// All extents, where all are known.
  public var shape: [Int]? {
    guard let dims else { return nil }
    var shape: [Int] = []
    for case .fixed(let extent) in dims { shape.append(extent) }
    return shape.count == dims.count ? shape : nil
  }
}

/// An operator with the values it reads and writes.
public struct ONNXNode: Sendable {
  /// As the file says, or made from operator and number where it says nothing.
  public let name: String
  public let op: String
  /// The empty text for the standard's operators.
  public let domain: String
  /// The version of the operator set that the node belongs to.
  public let opset: Int
  /// Which of several functions of one name the node calls.
  var overload = ""
  /// Names of values; the empty text where an optional one is left out.
  public var inputs: [String]
  public var outputs: [String]
  public var attributes: [String: ONNXAttribute]

  public init(
    name: String, op: String, domain: String = "", opset: Int, inputs: [String],
    outputs: [String], attributes: [String: ONNXAttribute] = [:]
  ) {
    self.name = name
    self.op = op
    self.domain = domain
    self.opset = opset
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  /// What messages call the node: `node 'conv1' (Conv)`.
  public var place: String { "node \(ONNXError.quoted(name)) (\(safeTitle))" }

  /// The operator, with its domain unless that is the standard's.
  public var title: String { domain.isEmpty ? op : "\(domain).\(op)" }

  private var safeTitle: String { ONNXError.plain(title) }

  /// The name of an input; nil where it is left out.
  public func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }

  /// The name of an output; nil where it is left out.
  public func output(_ index: Int) -> String? {
    index < outputs.count && !outputs[index].isEmpty ? outputs[index] : nil
  }

  /// An error at this node.
  public func error(_ message: String) -> ONNXError { ONNXError(place, message) }

  /// Names of values that the node reads, those that its subgraphs take from around them included, and the value that
  /// `Gradient` goes back from, which an attribute names.
  public var reads: [String] {
    var names = inputs.filter { !$0.isEmpty }
    if title == "ai.onnx.preview.training.Gradient", case .string(let bytes)? = attributes["y"] {
      names.append(String(decoding: bytes, as: UTF8.self))
    }
    for (_, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
      for subgraph in attribute.subgraphs { names += subgraph.captures }
    }
    return names
  }
}

/// A graph within a node: a branch of `If`, or the body of a loop.
public struct ONNXSubgraph: Sendable {
  public var inputs: [ONNXValue]
  public var outputs: [ONNXValue]
  public var nodes: [ONNXNode]
  public var initializers: [String: ONNXTensor]

  /// Names of values that come from around the subgraph, each once.
  public var captures: [String] {
    var known = Set(initializers.keys).union(inputs.map(\.name))
    for node in nodes { known.formUnion(node.outputs) }
    var result: [String] = []
    for name in nodes.flatMap(\.reads) + outputs.map(\.name) where known.insert(name).inserted {
      result.append(name)
    }
    return result
  }
}
