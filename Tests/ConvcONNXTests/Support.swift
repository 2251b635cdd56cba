import Foundation
import SwiftProtobuf
import Testing

@testable import ConvcONNX

/// Models for tests, built from the schema's own types.
enum Build {
  static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
    _ attributes: [String: Attribute] = [:]
  ) -> Onnx_NodeProto {
    var node = Onnx_NodeProto()
    node.opType = op
    node.input = inputs
    node.output = outputs
    if !name.isEmpty { node.name = name }
    if !domain.isEmpty { node.domain = domain }
    node.attribute = attributes.sorted { $0.key < $1.key }.map { attribute($0.key, $0.value) }
    return node
  }

  enum Attribute {
    case int(Int64)
    case ints([Int64])
    case float(Float)
    case floats([Float])
    case text(String)
    case texts([String])
    case tensor(Onnx_TensorProto)
    case graph(Onnx_GraphProto)
    case reference(String)
  }

  static func attribute(_ name: String, _ value: Attribute) -> Onnx_AttributeProto {
    var proto = Onnx_AttributeProto()
    proto.name = name
    switch value {
    case .int(let value):
      proto.type = .int
      proto.i = value
    case .ints(let values):
      proto.type = .ints
      proto.ints = values
    case .float(let value):
      proto.type = .float
      proto.f = value
    case .floats(let values):
      proto.type = .floats
      proto.floats = values
    case .text(let text):
      proto.type = .string
      proto.s = Data(text.utf8)
    case .texts(let texts):
      proto.type = .strings
      proto.strings = texts.map { Data($0.utf8) }
    case .tensor(let tensor):
      proto.type = .tensor
      proto.t = tensor
    case .graph(let graph):
      proto.type = .graph
      proto.g = graph
    case .reference(let name):
      proto.type = .int
      proto.refAttrName = name
    }
    return proto
  }

  static func tensor(_ name: String, _ dims: [Int64], _ values: [Float]) -> Onnx_TensorProto {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = dims
    tensor.dataType = 1
    tensor.rawData = values.withUnsafeBytes { Data($0) }
    return tensor
  }

  static func tensor(_ name: String, _ dims: [Int64], _ values: [Int64]) -> Onnx_TensorProto {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = dims
    tensor.dataType = 7
    tensor.int64Data = values
    return tensor
  }

  /// - Parameter dims: numbers are extents, other text is a symbol, the empty text is nothing.
  static func value(_ name: String, _ dims: [String], type: Int32 = 1) -> Onnx_ValueInfoProto {
    var value = Onnx_ValueInfoProto()
    value.name = name
    value.type.tensorType.elemType = type
    value.type.tensorType.shape.dim = dims.map { text in
      var dim = Onnx_TensorShapeProto.Dimension()
      if let extent = Int64(text) {
        dim.dimValue = extent
      } else if !text.isEmpty {
        dim.dimParam = text
      }
      return dim
    }
    return value
  }

  static func graph(
    _ nodes: [Onnx_NodeProto], inputs: [Onnx_ValueInfoProto] = [],
    outputs: [Onnx_ValueInfoProto] = [], initializers: [Onnx_TensorProto] = []
  ) -> Onnx_GraphProto {
    var graph = Onnx_GraphProto()
    graph.node = nodes
    graph.input = inputs
    graph.output = outputs
    graph.initializer = initializers
    return graph
  }

  static func model(_ graph: Onnx_GraphProto, opset: Int64 = 13) -> Onnx_ModelProto {
    var model = Onnx_ModelProto()
    model.irVersion = 8
    var set = Onnx_OperatorSetIdProto()
    set.version = opset
    model.opsetImport = [set]
    model.graph = graph
    return model
  }

  /// `y = Relu(x + w)` with two elements of `w`.
  static var small: Onnx_ModelProto {
    model(
      graph(
        [node("Add", ["x", "w"], ["s"], name: "sum"), node("Relu", ["s"], ["y"], name: "relu")],
        inputs: [value("x", ["N", "2"])], outputs: [value("y", ["N", "2"])],
        initializers: [tensor("w", [2], [1, 2] as [Float])]))
  }
}

/// The graph of a model that went through bytes.
func read(
  _ model: Onnx_ModelProto, folder: String? = nil, limits: ONNXLimits = ONNXLimits()
) throws -> ONNXGraph {
  try ONNXFile.read(
    bytes: [UInt8](try model.serializedData(partial: true)), folder: folder, limits: limits)
}

/// The message with which a body fails; nil if it does not.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}

/// The message with which reading a model fails.
func message(
  of model: Onnx_ModelProto, folder: String? = nil, limits: ONNXLimits = ONNXLimits()
) -> String? {
  message { _ = try read(model, folder: folder, limits: limits) }
}
