import ConvcIR
import Foundation

/// Writes the operators of one layer.
struct LayerWriter {
  /// The value of an operator's attribute.
  enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
    case text(String)
  }

  let node: Node
  let model: ModelWriter

  // MARK: Reading

  /// Types of the layer's inputs, at a batch of one.
  var inputTypes: [TensorType] { model.graph.inputTypes(of: node) }
  /// Type of the layer's first input.
  var inputType: TensorType { inputTypes[0] }
  var outputType: TensorType { model.graph[node.output].type }

  /// What the model calls the layer's inputs.
  var inputs: [String] { node.inputs.map { model.name(of: $0) } }
  /// What the model calls the layer's first input.
  var input: String { inputs[0] }

  /// A type's shape where 0 stands for the extent of axis 0, as operators take it.
  func shape(_ type: TensorType) -> [Int] { [0] + type.shape.dropFirst() }

  // MARK: Constants

  /// Adds a parameter of the layer to the model's initializers, and returns its name there.
  ///
  /// - Parameters:
  ///   - name: the parameter's name within the layer.
  ///   - dims: its dimensions in the model; nil: the layer's.
  ///   - change: what becomes of the values.
  func parameter(
    _ name: String, dims: [Int]? = nil, changedBy change: (([Float]) -> [Float])? = nil
  ) -> String {
    guard
      let parameter = node.parameters.map({ model.graph.parameters[$0] })
        .first(where: { $0.spec.name == name })
    else { preconditionFailure("internal error: layer \(node.name) has no parameter \(name)") }
    let range = parameter.offset..<parameter.offset + parameter.spec.count
    let values: ExportedTensor.Values =
      change.map { .floats($0(Array(model.parameters[range]))) } ?? .parameters(range)
    return append(parameter.name, dims ?? parameter.spec.shape, values)
  }

  /// Adds numbers to the model's initializers.
  ///
  /// - Parameter dims: nil: a single value.
  func constant(_ name: String, _ values: [Float], dims: [Int] = []) -> String {
    append("\(node.name).\(name)", dims, .floats(values))
  }

  /// Adds a list of whole numbers to the model's initializers.
  func constant(_ name: String, _ values: [Int]) -> String {
    append("\(node.name).\(name)", [values.count], .integers(values.map(Int64.init)))
  }

  private func append(
    _ name: String, _ dims: [Int], _ values: ExportedTensor.Values
  ) -> String {
    let name = model.unique(name)
    model.append(ExportedTensor(name: name, dims: dims, values: values))
    return name
  }

  // MARK: Operators

  /// Writes the operator whose result is the layer's.
  func result(
    _ op: String, _ inputs: [String], _ attributes: [String: Attribute] = [:]
  ) {
    append(op, node.name, inputs, [model.name(of: node.output)], attributes)
  }

  /// Writes an operator on the way to the layer's result, and returns the name of its result.
  ///
  /// - Parameter part: what it computes, in a word.
  func part(
    _ part: String, _ op: String, _ inputs: [String], _ attributes: [String: Attribute] = [:]
  ) -> String {
    let name = model.unique("\(node.name).\(part)")
    append(op, name, inputs, [name], attributes)
    return name
  }

  /// Writes an operator of two results, and returns the name of the second.
  func secondResult(
    _ part: String, _ op: String, _ inputs: [String], _ attributes: [String: Attribute] = [:]
  ) -> String {
    let names = [model.unique("\(node.name).\(part)_values"), model.unique("\(node.name).\(part)")]
    append(op, names[1], inputs, names, attributes)
    return names[1]
  }

  private func append(
    _ op: String, _ name: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [String: Attribute]
  ) {
    var node = Onnx_NodeProto(op, name: name, inputs: inputs, outputs: outputs)
    node.attribute = attributes.sorted { $0.key < $1.key }.map { name, value in
      Onnx_AttributeProto(name, value)
    }
    model.append(node)
  }
}

extension Onnx_AttributeProto {
  fileprivate init(_ name: String, _ value: LayerWriter.Attribute) {
    self.init()
    self.name = name
    switch value {
    case .int(let value):
      type = .int
      i = Int64(value)
    case .ints(let values):
      type = .ints
      ints = values.map(Int64.init)
    case .float(let value):
      type = .float
      f = value
    case .text(let text):
      type = .string
      s = Data(text.utf8)
    }
  }
}
