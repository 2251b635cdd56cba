/// Makes a graph of a decoded model.
struct ModelReader {
  private let source: ByteSource
  private let limits: ONNXLimits
  private var tensors: TensorReader

  init(_ source: ByteSource, folder: String?, limits: ONNXLimits) {
    self.source = source
    self.limits = limits
    tensors = TensorReader(source, folder: folder, limits: limits)
  }

  mutating func graph(_ model: Onnx_ModelProto) throws(ONNXError) -> ONNXGraph {
    guard model.hasGraph else {
      throw error("is no ONNX model: it has no graph; give the path of an ONNX file")
    }
    guard model.irVersion >= ONNXFile.firstIRVersion else {
      throw error(
        "has IR version \(model.irVersion), expected \(ONNXFile.firstIRVersion) or newer; "
          + "export the model again with a newer exporter")
    }
    let opsets = try Self.opsets(model.opsetImport, place: source.name)
    // A model of operators from other sets alone need not name the standard's.
    if let version = opsets[""], !ONNXFile.opsets.contains(version) {
      throw error(
        "has operator set \(version), expected \(ONNXFile.opsets.lowerBound) to "
          + "\(ONNXFile.opsets.upperBound); convert it with onnx.version_converter")
    }
    var functions: [ONNXFunction.Key: ONNXFunction] = [:]
    for proto in model.functions {
      let function = try function(proto, opsets)
      guard functions.updateValue(function, forKey: function.key) == nil else {
        throw ONNXError(function.place, "is defined twice; \(ONNXError.exportAgain)")
      }
    }
    let read = try subgraph(model.graph, opsets, place: source.name)
    let constants = read.initializers
    let graph = ONNXGraph(
      source: source.name, irVersion: Int(model.irVersion), opsets: opsets,
      producer: model.producerName, name: model.graph.name,
      inputs: read.inputs.filter { constants[$0.name] == nil }, outputs: read.outputs,
      nodes: read.nodes, initializers: constants,
      initializerNames: model.graph.initializer.map(\.name),
      valueHints: Self.hints(model.graph.valueInfo), limits: limits)
    return try SortNodes().run(try InlineFunctions(functions: functions).run(graph))
  }

  /// Versions by domain; `ai.onnx` is another name of the standard's.
  private static func opsets(
    _ imports: [Onnx_OperatorSetIdProto], place: String
  ) throws(ONNXError) -> [String: Int] {
    var result: [String: Int] = [:]
    for entry in imports {
      let domain = standard(entry.domain)
      let version = Int(entry.version)
      if let other = result.updateValue(version, forKey: domain), other != version {
        throw ONNXError(
          place,
          "names versions \(other) and \(version) of operator set "
            + "\(ONNXError.quoted(domain)); \(ONNXError.exportAgain)")
      }
    }
    return result
  }

  private static func standard(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

  private static func hints(_ values: [Onnx_ValueInfoProto]) -> [String: ONNXValue] {
    var result: [String: ONNXValue] = [:]
    for proto in values {
      if let value = try? value(proto, "value") { result[value.name] = value }
    }
    return result
  }

  private mutating func function(
    _ proto: Onnx_FunctionProto, _ modelOpsets: [String: Int]
  ) throws(ONNXError) -> ONNXFunction {
    let place = "function \(ONNXError.quoted(proto.name))"
    let own = try Self.opsets(proto.opsetImport, place: place)
    let opsets = modelOpsets.merging(own) { $1 }
    var defaults: [String: ONNXAttribute] = [:]
    for attribute in proto.attributeProto {
      defaults[attribute.name] = try self.attribute(attribute, opsets, place: place)
    }
    return ONNXFunction(
      key: .init(
        domain: Self.standard(proto.domain), name: proto.name, overload: proto.overload),
      inputs: proto.input, outputs: proto.output, defaults: defaults,
      nodes: try nodes(proto.node, opsets))
  }

  private mutating func subgraph(
    _ proto: Onnx_GraphProto, _ opsets: [String: Int], place: String
  ) throws(ONNXError) -> ONNXSubgraph {
    if let sparse = proto.sparseInitializer.first {
      throw ONNXError(
        "initializer \(ONNXError.quoted(sparse.values.name))",
        "is sparse, which convc does not read; store it as a dense initializer")
    }
    var initializers: [String: ONNXTensor] = [:]
    for tensor in proto.initializer {
      let place = "initializer \(ONNXError.quoted(tensor.name))"
      guard !tensor.name.isEmpty else {
        throw ONNXError(
          self.source.name, "has an initializer without a name; \(ONNXError.exportAgain)")
      }
      let constant = try tensors.tensor(tensor, place: place)
      guard initializers.updateValue(constant, forKey: tensor.name) == nil else {
        throw ONNXError(place, "is defined twice; \(ONNXError.exportAgain)")
      }
    }
    var inputs: [ONNXValue] = []
    for input in proto.input { inputs.append(try Self.value(input, "input")) }
    var outputs: [ONNXValue] = []
    for output in proto.output { outputs.append(try Self.value(output, "output")) }
    return ONNXSubgraph(
      inputs: inputs, outputs: outputs, nodes: try nodes(proto.node, opsets),
      initializers: initializers)
  }

  private mutating func nodes(
    _ protos: [Onnx_NodeProto], _ opsets: [String: Int]
  ) throws(ONNXError) -> [ONNXNode] {
    var result: [ONNXNode] = []
    result.reserveCapacity(protos.count)
    for (index, proto) in protos.enumerated() {
      let domain = Self.standard(proto.domain)
      let name = proto.name.isEmpty ? "\(proto.opType)_\(index)" : proto.name
      let bare = ONNXNode(
        name: name, op: proto.opType, domain: domain, opset: opsets[domain] ?? 0,
        inputs: proto.input, outputs: proto.output)
      guard !proto.opType.isEmpty else {
        throw bare.error("is node \(index) and has no operator; \(ONNXError.exportAgain)")
      }
      guard opsets[domain] != nil else {
        throw bare.error(
          "belongs to operator set \(ONNXError.quoted(domain)), whose version the model does not "
            + "say; \(ONNXError.exportAgain)")
      }
      var node = bare
      node.overload = proto.overload
      for attribute in proto.attribute {
        let value = try self.attribute(attribute, opsets, place: bare.place)
        guard node.attributes.updateValue(value, forKey: attribute.name) == nil else {
          throw bare.error(
            "has attribute \(ONNXError.quoted(attribute.name)) twice; \(ONNXError.exportAgain)")
        }
      }
      result.append(node)
    }
    return result
  }

  private func error(_ message: String) -> ONNXError { ONNXError(source.name, message) }
}

extension ModelReader {
  private mutating func attribute(
    _ proto: Onnx_AttributeProto, _ opsets: [String: Int], place: String
  ) throws(ONNXError) -> ONNXAttribute {
    guard proto.refAttrName.isEmpty else { return .reference(proto.refAttrName) }
    let place = "\(place), attribute \(ONNXError.quoted(proto.name))"
    switch Self.kind(proto) {
    case .float: return .float(proto.f)
    case .int: return .int(proto.i)
    case .string: return .string([UInt8](proto.s))
    case .tensor: return .tensor(try tensors.tensor(proto.t, place: place))
    case .graph: return .graph(try subgraph(proto.g, opsets, place: place))
    case .floats: return .floats(proto.floats)
    case .ints: return .ints(proto.ints)
    case .strings: return .strings(proto.strings.map { [UInt8]($0) })
    case .tensors:
      var values: [ONNXTensor] = []
      for tensor in proto.tensors { values.append(try tensors.tensor(tensor, place: place)) }
      return .tensors(values)
    case .graphs:
      var values: [ONNXSubgraph] = []
      for graph in proto.graphs { values.append(try subgraph(graph, opsets, place: place)) }
      return .graphs(values)
    case .sparseTensor: return .unreadable("a sparse tensor")
    case .sparseTensors: return .unreadable("sparse tensors")
    case .typeProto: return .unreadable("a type")
    case .typeProtos: return .unreadable("types")
    case .undefined: return .unreadable("empty")
    }
  }

  /// The kind as stated; old exporters leave it to what is there.
  private static func kind(
    _ proto: Onnx_AttributeProto
  ) -> Onnx_AttributeProto.AttributeType {
    if proto.hasType, proto.type != .undefined { return proto.type }
    if proto.hasF { return .float }
    if proto.hasI { return .int }
    if proto.hasS { return .string }
    if proto.hasT { return .tensor }
    if proto.hasG { return .graph }
    if !proto.floats.isEmpty { return .floats }
    if !proto.ints.isEmpty { return .ints }
    if !proto.strings.isEmpty { return .strings }
    if !proto.tensors.isEmpty { return .tensors }
    if !proto.graphs.isEmpty { return .graphs }
    return .undefined
  }

  /// - Parameter role: "input" or "output", for messages.
  private static func value(
    _ proto: Onnx_ValueInfoProto, _ role: String
  ) throws(ONNXError) -> ONNXValue {
    let place = "\(role) \(ONNXError.quoted(proto.name))"
    func isNoTensor(_ kind: String) -> ONNXError {
      ONNXError(place, "is \(kind), expected a tensor; \(ONNXError.exportAgain) with tensors")
    }
    guard !proto.name.isEmpty else {
      throw ONNXError(place, "has no name; \(ONNXError.exportAgain)")
    }
    switch proto.type.value {
    case nil: return ONNXValue(name: proto.name, type: nil, dims: nil)
    case .sequenceType: throw isNoTensor("a sequence")
    case .mapType: throw isNoTensor("a map")
    case .optionalType: throw isNoTensor("an optional value")
    case .sparseTensorType: throw isNoTensor("a sparse tensor")
    case .opaqueType: throw isNoTensor("an opaque value")
    case .tensorType(let tensor):
      var type: ONNXElementType?
      if tensor.elemType != 0 {
        type = ONNXElementType(rawValue: Int(tensor.elemType))
        guard type != nil else {
          throw ONNXError(
            place,
            "has element type number \(tensor.elemType), which ONNX does not know; "
              + ONNXError.exportAgain)
        }
      }
      return ONNXValue(
        name: proto.name, type: type,
        dims: tensor.hasShape ? try dimensions(tensor.shape, place) : nil)
    }
  }

  private static func dimensions(
    _ shape: Onnx_TensorShapeProto, _ place: String
  ) throws(ONNXError) -> [ONNXDimension] {
    var result: [ONNXDimension] = []
    for dim in shape.dim {
      switch dim.value {
      case .dimValue(let extent):
        // Some exporters write -1 for what they do not know.
        guard extent >= -1 else {
          throw ONNXError(
            place, "has the negative dimension \(extent); \(ONNXError.exportAgain)")
        }
        result.append(extent < 0 ? .unknown : .fixed(Int(extent)))
      // Some exporters call every open extent "?".
      case .dimParam(let name): result.append(["", "?"].contains(name) ? .unknown : .symbol(name))
      case nil: result.append(.unknown)
      }
    }
    return result
  }
}
