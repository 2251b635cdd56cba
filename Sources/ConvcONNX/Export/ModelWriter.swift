import ConvcIR

/// The model that a network becomes, while it grows.
final class ModelWriter {
  let graph: Graph
  let parameters: [Float]
  private let batch: ONNXDimension
  /// What the model calls the network's tensors.
  private var values: [Tensor.ID: String] = [:]
  private var names = UniqueNames()
  private var nodes: [Onnx_NodeProto] = []
  private var tensors: [ExportedTensor] = []

  init(_ graph: Graph, parameters: [Float], batch: ONNXDimension) {
    self.graph = graph
    self.parameters = parameters
    self.batch = batch
    // Names that the caller of the model sees come first.
    names.take(graph.inputLabels + graph.outputLabels)
    for (input, label) in zip(graph.inputs, graph.inputLabels) { values[input] = label }
    for (output, label) in zip(graph.outputs, graph.outputLabels) where values[output.tensor] == nil
    {
      values[output.tensor] = label
    }
    for node in graph.nodes where values[node.output] == nil {
      values[node.output] = names.unique(node.name)
    }
  }

  /// What the model calls a tensor of the network.
  func name(of tensor: Tensor.ID) -> String {
    guard let name = values[tensor] else {
      preconditionFailure("internal error: a tensor without a name")
    }
    return name
  }

  /// A name that no value of the model has.
  func unique(_ name: String) -> String { names.unique(name) }

  func append(_ node: Onnx_NodeProto) { nodes.append(node) }

  func append(_ tensor: ExportedTensor) { tensors.append(tensor) }

  func finish() throws(ONNXError) -> ExportedModel {
    for (output, label) in zip(graph.outputs, graph.outputLabels)
    where name(of: output.tensor) != label {
      // A tensor that is an output twice.
      append(
        Onnx_NodeProto("Identity", name: label, inputs: [name(of: output.tensor)], outputs: [label])
      )
    }
    var model = Onnx_ModelProto()
    model.irVersion = Int64(ConvertLayers.irVersion)
    model.producerName = "convc"
    var set = Onnx_OperatorSetIdProto()
    set.domain = ""
    set.version = Int64(ConvertLayers.opset)
    model.opsetImport = [set]
    model.graph.name = graph.name
    model.graph.node = nodes
    model.graph.input = zip(graph.inputs, graph.inputLabels).map { value($1, graph[$0].type) }
    model.graph.output = zip(graph.outputs, graph.outputLabels).map {
      value($1, graph[$0.tensor].type)
    }
    let visible = Set(graph.inputLabels + graph.outputLabels)
    model.graph.valueInfo = graph.nodes.compactMap { node in
      let name = name(of: node.output)
      return visible.contains(name) ? nil : value(name, graph[node.output].type)
    }
    return try ExportedModel(model, tensors: tensors, parameters: parameters)
  }

  /// A value's name and type; where the network has a batch, axis 0 is the model's.
  private func value(_ name: String, _ type: TensorType) -> Onnx_ValueInfoProto {
    var dims = type.shape.map { ONNXDimension.fixed($0) }
    if !graph.isUnbatched { dims[0] = batch }
    var value = Onnx_ValueInfoProto()
    value.name = name
    let element = ONNXElementType.allCases.first { $0.tensorElement == type.element } ?? .float
    value.type.tensorType.elemType = Int32(element.rawValue)
    value.type.tensorType.shape.dim = dims.map { dimension in
      var dim = Onnx_TensorShapeProto.Dimension()
      switch dimension {
      case .fixed(let extent): dim.dimValue = Int64(extent)
      case .symbol(let name): dim.dimParam = name
      case .unknown: break
      }
      return dim
    }
    return value
  }
}

extension Onnx_NodeProto {
  init(_ op: String, name: String, inputs: [String], outputs: [String]) {
    self.init()
    opType = op
    self.name = name
    input = inputs
    output = outputs
  }
}
