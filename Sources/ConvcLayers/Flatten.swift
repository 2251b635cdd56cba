import ConvcIR
import ConvcReference

/// Turns maps into features, in NCHW order.
///
/// - Input: `[N, ...]`. Output: `[N, F]`, F the product of the other extents.
/// - Fusion: a view; it costs nothing where the layout keeps NCHW order within an image.
/// - Gradient: that of the output, in the input's shape.
/// - Source: ONNX `Flatten`, opset 13.
public struct Flatten: Layer {
  public static let kind = "flatten"

  public init() {}

  public var summary: String { "Flatten" }
  public var traits: LayerTraits { .anyElement }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    return input.with(shape: [input.shape[0], input.shape.dropFirst().reduce(1, *)])
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
}

extension Value {
  /// Applies ``Flatten``.
  public func flatten(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Flatten(), name: name, file: file, line: line)
  }
}

extension Flatten: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Flatten(), inputs: [2, 3, 4, 5])]
}

extension Flatten: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: call.input.reshaped(call.outputShape))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [outputGradient.reshaped(call.input.shape)])
  }
}
