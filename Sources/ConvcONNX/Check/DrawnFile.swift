import FoundationEssentials
import SwiftProtobuf

extension DrawnNetwork {
  /// The network as an ONNX file.
  package func file() throws -> [UInt8] {
    var model = Onnx_ModelProto()
    model.irVersion = 8
    var set = Onnx_OperatorSetIdProto()
    set.version = Int64(opset)
    model.opsetImport = [set]
    model.producerName = "convc"
    model.graph.name = "drawn_\(seed)"
    model.graph.input = inputs.map { Self.info($0.name, $0.tensor.shape) }
    model.graph.output = outputs.map { Self.info($0.name, $0.tensor.shape) }
    model.graph.initializer = constants.map { Self.tensor($0.name, $0.constant) }
    model.graph.node = nodes.enumerated().map { Self.node($1, number: $0) }
    return try model.serializedBytes()
  }

  /// A tensor of inputs or outputs as a file of its own.
  package static func file(of tensor: PlainTensor, name: String) throws -> [UInt8] {
    try Self.tensor(name, Constant(tensor: tensor, isInteger: false)).serializedBytes()
  }

  private static func info(_ name: String, _ shape: [Int]) -> Onnx_ValueInfoProto {
    var info = Onnx_ValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = Int32(ONNXElementType.float.rawValue)
    info.type.tensorType.shape.dim = shape.map { extent in
      var dimension = Onnx_TensorShapeProto.Dimension()
      dimension.dimValue = Int64(extent)
      return dimension
    }
    return info
  }

  private static func tensor(_ name: String, _ constant: Constant) -> Onnx_TensorProto {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = constant.tensor.shape.map(Int64.init)
    let type: ONNXElementType = constant.isInteger ? .int64 : .float
    tensor.dataType = Int32(type.rawValue)
    tensor.rawData = Data(
      constant.isInteger
        ? ONNXTensor.bytes(constant.tensor.values.map { Int64($0) }, .int64)
        : ONNXTensor.bytes(constant.tensor.values, .float))
    return tensor
  }

  private static func node(_ drawn: PlainNode, number: Int) -> Onnx_NodeProto {
    var node = Onnx_NodeProto()
    node.opType = drawn.op
    node.name = "\(drawn.op)_\(number)"
    node.input = drawn.inputs
    node.output = drawn.outputs
    node.attribute = drawn.attributes.sorted { $0.key < $1.key }.map { name, value in
      var attribute = Onnx_AttributeProto()
      attribute.name = name
      switch value {
      case .int(let value):
        attribute.type = .int
        attribute.i = Int64(value)
      case .ints(let values):
        attribute.type = .ints
        attribute.ints = values.map(Int64.init)
      case .float(let value):
        attribute.type = .float
        attribute.f = value
      case .text(let text):
        attribute.type = .string
        attribute.s = Data(text.utf8)
      }
      return attribute
    }
    return node
  }
}
