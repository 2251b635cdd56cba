import ConvcIR
import ConvcReference

/// Puts maps or features behind one another, along the channels.
///
/// - Inputs: one or more `[N, C_i, H, W]` or `[N, F_i]`. Output: the same with the sum of the channels.
/// - Gradient: each input gets its part of the output's.
/// - Errors: ranks, heights or widths that differ.
/// - Source: ONNX `Concat` with axis 1, opset 13.
public struct Concat: Layer {
  public static let kind = "concat"

  public init() {}

  public var summary: String { "Concat" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard let first = inputs.first else {
      throw .inputCount(expected: "at least one input", got: 0)
    }
    for input in inputs
    where input.shape.count != first.shape.count
      || input.shape.dropFirst(2) != first.shape.dropFirst(2)
    {
      throw .shapesDiffer(
        first.shape, input.shape, wayOut: "everything but the channels has to agree")
    }
    var shape = first.shape
    shape[1] = inputs.reduce(0) { $0 + $1.shape[1] }
    return first.with(shape: shape)
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}

extension Value {
  /// Applies ``Concat``.
  public func concat(
    _ others: Value..., name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Concat(), with: others, name: name, file: file, line: line)
  }
}

extension Concat: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Concat(), inputs: [2, 3, 4, 5], [2, 1, 4, 5])]
}

extension Concat: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    forEachPart(call) { input, from, to, count in
      (y.address + to).update(from: call.inputs[input].address + from, count: count)
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradients = call.inputs.map { DoubleTensor(shape: $0.shape) }
    forEachPart(call) { input, to, from, count in
      (gradients[input].address + to).update(from: outputGradient.address + from, count: count)
    }
    return LayerGradients(inputs: gradients)
  }

  /// Calls `body` with an input, a place in it, the place in the output, and the number of values between.
  private func forEachPart(_ call: LayerCall, _ body: (Int, Int, Int, Int) -> Void) {
    var place = 0
    for n in 0..<call.outputShape[0] {
      for (index, input) in call.inputs.enumerated() {
        let count = input.count / input.shape[0]
        body(index, n * count, place, count)
        place += count
      }
    }
  }
}
