import ConvcIR
import ConvcReference

/// Adds values of equal shape.
///
/// - Inputs: two or more of one shape. Output: the same shape.
/// - Gradient: that of the output, for each input.
/// - Fusion: an epilogue of the input that is computed last.
/// - Errors: fewer than two inputs; shapes that differ (nothing is broadcast).
/// - Source: ONNX `Sum`, opset 13.
public struct Add: Layer {
  public static let kind = "add"

  public init() {}

  public var summary: String { "Add" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard inputs.count >= 2 else {
      throw .inputCount(expected: "at least two inputs", got: inputs.count)
    }
    for input in inputs.dropFirst() where input.shape != inputs[0].shape {
      throw .shapesDiffer(
        inputs[0].shape, input.shape,
        wayOut: "bring both to one shape, for example with a 1x1 convolution")
    }
    return inputs[0]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(Epilogue(template: "add", backwardTemplate: nil, hasVectorForm: true))
  }
}

extension Value {
  /// Applies ``Add``.
  public func add(
    _ others: Value..., name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Add(), with: others, name: name, file: file, line: line)
  }
}

extension Add: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Add(), inputs: [2, 3, 4, 5], [2, 3, 4, 5])]
}

extension Add: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    for input in call.inputs { y.add(input) }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: call.inputs.map { _ in outputGradient })
  }
}
