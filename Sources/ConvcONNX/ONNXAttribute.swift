/// The value of an attribute.
public enum ONNXAttribute: Sendable {
  case int(Int64)
  case float(Float)
  /// Text, or bytes that are none.
  case string([UInt8])
  case tensor(ONNXTensor)
  case graph(ONNXSubgraph)
  case ints([Int64])
  case floats([Float])
  case strings([[UInt8]])
  case tensors([ONNXTensor])
  case graphs([ONNXSubgraph])
  /// Within a function of the model: an attribute of the node that calls it.
  case reference(String)
  /// A kind that convc does not read, such as a sparse tensor.
  case unreadable(String)

  /// The kind in words.
  var kind: String {
    switch self {
    case .int: "an integer"
    case .float: "a number"
    case .string: "text"
    case .tensor: "a tensor"
    case .graph: "a graph"
    case .ints: "integers"
    case .floats: "numbers"
    case .strings: "texts"
    case .tensors: "tensors"
    case .graphs: "graphs"
    case .reference: "a function's attribute"
    case .unreadable(let kind): kind
    }
  }

  var subgraphs: [ONNXSubgraph] {
    switch self {
    case .graph(let graph): [graph]
    case .graphs(let graphs): graphs
    default: []
    }
  }
}

/// Attributes by name. Each throws where the attribute is there and of another kind.
extension ONNXNode {
  public func int(_ name: String) throws(ONNXError) -> Int? {
    guard let attribute = attributes[name] else { return nil }
    guard case .int(let value) = attribute else { throw wrong(name, attribute, "an integer") }
    return Int(value)
  }

  public func int(_ name: String, default value: Int) throws(ONNXError) -> Int {
    try int(name) ?? value
  }

  public func ints(_ name: String) throws(ONNXError) -> [Int]? {
    guard let attribute = attributes[name] else { return nil }
    guard case .ints(let values) = attribute else { throw wrong(name, attribute, "integers") }
    return values.map { Int($0) }
  }

  public func float(_ name: String) throws(ONNXError) -> Float? {
    guard let attribute = attributes[name] else { return nil }
    guard case .float(let value) = attribute else { throw wrong(name, attribute, "a number") }
    return value
  }

  public func float(_ name: String, default value: Float) throws(ONNXError) -> Float {
    try float(name) ?? value
  }

  public func floats(_ name: String) throws(ONNXError) -> [Float]? {
    guard let attribute = attributes[name] else { return nil }
    guard case .floats(let values) = attribute else { throw wrong(name, attribute, "numbers") }
    return values
  }

  /// Text; bytes that are no UTF-8 are replaced.
  public func string(_ name: String) throws(ONNXError) -> String? {
    guard let attribute = attributes[name] else { return nil }
    guard case .string(let value) = attribute else { throw wrong(name, attribute, "text") }
    return String(decoding: value, as: UTF8.self)
  }

  public func string(_ name: String, default value: String) throws(ONNXError) -> String {
    try string(name) ?? value
  }

  public func strings(_ name: String) throws(ONNXError) -> [String]? {
    guard let attribute = attributes[name] else { return nil }
    guard case .strings(let values) = attribute else { throw wrong(name, attribute, "texts") }
    return values.map { String(decoding: $0, as: UTF8.self) }
  }

  public func tensor(_ name: String) throws(ONNXError) -> ONNXTensor? {
    guard let attribute = attributes[name] else { return nil }
    guard case .tensor(let value) = attribute else { throw wrong(name, attribute, "a tensor") }
    return value
  }

  public func graph(_ name: String) throws(ONNXError) -> ONNXSubgraph? {
    guard let attribute = attributes[name] else { return nil }
    guard case .graph(let value) = attribute else { throw wrong(name, attribute, "a graph") }
    return value
  }

  private func wrong(_ name: String, _ attribute: ONNXAttribute, _ expected: String) -> ONNXError {
    error(
      "attribute \(ONNXError.quoted(name)) is \(attribute.kind), expected \(expected); "
        + ONNXError.exportAgain)
  }
}
