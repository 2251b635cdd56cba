import ConvcIR
import ConvcReference
import Glibc

/// Takes the logarithm of ``Softmax``, without leaving the range of numbers where a share is tiny.
///
/// - Input and output: `[N, F]`, `[N, C, L]` or `[N, C, H, W]`; with axis 1, maps are normalised pixel by pixel.
/// - Formula: `y = (x − m) − ln Σ e^(x − m)` with `m` the largest score on the line.
/// - Gradient: `d_x = d_y − e^y Σ d_y`, the sum over the axis.
/// - Edges: scores far below the largest stay exact where ``Softmax`` gives 0; NaN makes its line NaN.
/// - Fusion: none, a group of its own.
/// - Errors: an axis that the input does not have, or the batch; more than four axes.
/// - Source: ONNX `LogSoftmax`, opset 13, whose axis is the last by default; PyTorch `torch.log_softmax`.
public struct LogSoftmax: Layer {
  public static let kind = "logsoftmax"

  /// The axis along which the shares sum to 1, counted in the input with its batch; from the end where negative.
  public let axis: Int

  public init(axis: Int = 1) {
    self.axis = axis
  }

  public var summary: String { "LogSoftmax" + (axis == 1 ? "" : ", axis \(axis)") }

  public var outputKind: OutputKind { .logProbabilities }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try SoftmaxKernels.output(for: inputs, axis: axis)
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .activation }

  public func reach(for inputs: [TensorType]) -> Reach {
    SoftmaxKernels.reach(axis, of: inputs[0])
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    SoftmaxKernels(axis: axis, isLogarithm: true).candidates(for: group)
  }
}

extension Value {
  /// Applies ``LogSoftmax``.
  public func logSoftmax(
    axis: Int = 1, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(LogSoftmax(axis: axis), name: name, file: file, line: line)
  }
}

extension LogSoftmax: RegisteredLayer {
  public static let settings: [SettingSpec] = [.softmaxAxis]

  public init(settings: Settings) throws(SettingError) {
    self.init(axis: try settings.integer("axis"))
  }

  public var settingValues: [String: SettingValue] { ["axis": .integer(axis)] }

  public static let examples = [
    LayerExample(LogSoftmax(), inputs: [2, 5]),
    LayerExample(LogSoftmax(), inputs: [2, 3, 4, 5]),
    LayerExample(LogSoftmax(axis: 2), inputs: [2, 3, 4, 5]),
  ]
}

extension LogSoftmax: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let (x, y) = (call.input, DoubleTensor(shape: call.outputShape))
    let lines = AxisLines(axis, of: x.shape)
    lines.forEachLine { first in
      let places = (0..<lines.count).map { first + $0 * lines.stride }
      let largest = places.map { x.address[$0] }.max() ?? 0
      let sum = places.reduce(0.0) { $0 + exp(x.address[$1] - largest) }
      for i in places { y.address[i] = x.address[i] - largest - log(sum) }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let y = forward(call).output
    let inputGradient = DoubleTensor(shape: y.shape)
    let lines = AxisLines(axis, of: y.shape)
    lines.forEachLine { first in
      let places = (0..<lines.count).map { first + $0 * lines.stride }
      let sum = places.reduce(0.0) { $0 + outputGradient.address[$1] }
      for i in places {
        inputGradient.address[i] = outputGradient.address[i] - exp(y.address[i]) * sum
      }
    }
    return LayerGradients(inputs: [inputGradient])
  }
}
