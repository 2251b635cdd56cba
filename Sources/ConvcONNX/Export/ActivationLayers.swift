import ConvcIR
import ConvcLayers

/// Functions of one value at a time.

extension ReLU: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Relu", onnx.inputs) }
}

extension LeakyReLU: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("LeakyRelu", onnx.inputs, ["alpha": .float(slope)])
  }
}

extension PReLU: ExportableLayer {
  /// Slopes stand before the axes in space, as the standard's broadcasting asks for.
  func write(to onnx: LayerWriter) {
    let space = onnx.inputType.shape.dropFirst(2).map { _ in 1 }
    let dims = isShared ? [1] : [onnx.inputType.shape[1]] + space
    onnx.result("PRelu", onnx.inputs + [onnx.parameter("slope", dims: dims)])
  }
}

extension Clip: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "Clip",
      onnx.inputs + [onnx.constant("minimum", [minimum]), onnx.constant("maximum", [maximum])])
  }
}

extension ReLU6: ExportableLayer {
  func write(to onnx: LayerWriter) { clip.write(to: onnx) }
}

extension ELU: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Elu", onnx.inputs, ["alpha": .float(alpha)]) }
}

extension SELU: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "Selu", onnx.inputs,
      ["alpha": .float(1.673_263_242_354_377_2), "gamma": .float(1.050_700_987_355_480_5)])
  }
}

extension GELU: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("Gelu", onnx.inputs, ["approximate": .text(approximation.rawValue)])
  }
}

extension SiLU: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let gate = onnx.part("sigmoid", "Sigmoid", onnx.inputs)
    onnx.result("Mul", [onnx.input, gate])
  }
}

extension Sigmoid: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Sigmoid", onnx.inputs) }
}

extension HardSigmoid: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "HardSigmoid", onnx.inputs, ["alpha": .float(slope), "beta": .float(offset)])
  }
}

extension HardSwish: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("HardSwish", onnx.inputs) }
}

extension Tanh: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Tanh", onnx.inputs) }
}

extension Softplus: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Softplus", onnx.inputs) }
}

extension Softsign: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Softsign", onnx.inputs) }
}

extension Softmax: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Softmax", onnx.inputs, ["axis": .int(axis)]) }
}

extension LogSoftmax: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("LogSoftmax", onnx.inputs, ["axis": .int(axis)])
  }
}

extension Dropout: ExportableLayer {
  /// The operator does nothing outside of training.
  func write(to onnx: LayerWriter) {
    onnx.result("Dropout", onnx.inputs + [onnx.constant("ratio", [Float(rate)])])
  }
}

extension Elementary: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result(function.operatorName, onnx.inputs) }
}

extension Elementary.Function {
  fileprivate var operatorName: String {
    switch self {
    case .exp: "Exp"
    case .log: "Log"
    case .sqrt: "Sqrt"
    case .abs: "Abs"
    case .negate: "Neg"
    case .reciprocal: "Reciprocal"
    case .floor: "Floor"
    case .ceil: "Ceil"
    case .round: "Round"
    case .sign: "Sign"
    case .sin: "Sin"
    case .cos: "Cos"
    case .erf: "Erf"
    }
  }
}
