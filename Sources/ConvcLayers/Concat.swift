import ConvcIR
import ConvcReference

/// Puts values behind one another along an axis.
///
/// - Inputs: one or more of one shape but for the axis; rank 2 to 4. Output: the same with the axis's sum.
/// - Gradient: each input gets its part of the output's.
/// - Fusion: none.
/// - Errors: axis 0, which is the batch, and axes that the inputs have not; ranks or other extents that differ.
/// - Source: ONNX `Concat`, opset 13; PyTorch `cat`.
public struct Concat: Layer {
  public static let kind = "concat"

  /// Counted with the batch: 1 for the channels.
  public let axis: Int

  public init(axis: Int = 1) { self.axis = axis }

  public var summary: String { "Concat" + (axis == 1 ? "" : " axis \(axis)") }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard let first = inputs.first else {
      throw .inputCount(expected: "at least one input", got: 0)
    }
    try first.checkAxes()
    try first.checkAxis(axis)
    for input in inputs where rest(of: input) != rest(of: first) {
      throw .shapesDiffer(
        first.shape, input.shape, wayOut: "everything but \(axisText) has to agree")
    }
    var shape = first.shape
    shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
    return first.with(shape: shape)
  }

  private var axisText: String { axis == 1 ? "the channels" : "axis \(axis)" }

  /// The extents that have to agree.
  private func rest(of input: TensorType) -> [Int] {
    input.shape.enumerated().map { $0 == axis ? 0 : $1 }
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}

extension Value {
  /// Applies ``Concat``.
  public func concat(
    _ others: Value..., axis: Int = 1, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(Concat(axis: axis), with: others, name: name, file: file, line: line)
  }
}

extension Concat: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec(
      "axis", .integer, default: .integer(1), "counted with the batch: 1 for the channels")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(axis: try settings.integer("axis"))
  }

  public var settingValues: [String: SettingValue] { ["axis": .integer(axis)] }

  public static let examples = [
    LayerExample(Concat(), inputs: [2, 3, 4, 5], [2, 1, 4, 5]),
    LayerExample(Concat(axis: 2), inputs: [2, 3, 4, 5], [2, 3, 1, 5]),
  ]
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
    for outer in 0..<call.outputShape[..<axis].reduce(1, *) {
      for (index, input) in call.inputs.enumerated() {
        let count = input.shape[axis...].reduce(1, *)
        body(index, outer * count, place, count)
        place += count
      }
    }
  }
}
