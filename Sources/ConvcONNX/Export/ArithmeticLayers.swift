import ConvcIR
import ConvcLayers

/// Layers of two or more values at each place, and products of matrices.

extension Add: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(onnx.inputs.count == 2 ? "Add" : "Sum", onnx.inputs)
  }
}

extension Multiply: ExportableLayer {
  /// The operator takes two values: products of more are computed one after another.
  func write(to onnx: LayerWriter) {
    var product = onnx.input
    for factor in onnx.inputs.dropFirst().dropLast() {
      product = onnx.part("product", "Mul", [product, factor])
    }
    onnx.result("Mul", [product] + onnx.inputs.suffix(1))
  }
}

extension Arithmetic: ExportableLayer {
  func write(to onnx: LayerWriter) {
    guard constants != nil else { return onnx.result(operation.operatorName, onnx.inputs) }
    let value = onnx.parameter("value")
    onnx.result(
      operation.operatorName, side == .right ? onnx.inputs + [value] : [value] + onnx.inputs)
  }
}

extension Arithmetic.Operation {
  fileprivate var operatorName: String {
    switch self {
    case .add: "Add"
    case .subtract: "Sub"
    case .multiply: "Mul"
    case .divide: "Div"
    case .maximum: "Max"
    case .minimum: "Min"
    case .power: "Pow"
    }
  }
}

extension PositionBias: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Add", onnx.inputs + [onnx.parameter("bias")]) }
}

extension Dense: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let parameters = (hasBias ? ["weight", "bias"] : ["weight"]).map { onnx.parameter($0) }
    onnx.result("Gemm", onnx.inputs + parameters, ["transB": .int(1)])
  }
}

extension ReduceMean: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "ReduceMean", onnx.inputs + [onnx.constant("axes", axes)],
      ["keepdims": .int(keepsDimensions ? 1 : 0)])
  }
}

extension ReduceSum: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "ReduceSum", onnx.inputs + [onnx.constant("axes", axes)],
      ["keepdims": .int(keepsDimensions ? 1 : 0)])
  }
}
