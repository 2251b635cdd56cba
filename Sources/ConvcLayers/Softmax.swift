import ConvcIR
import ConvcReference
import Glibc

/// Turns scores into shares that sum to 1 along an axis: e^x over the sum of e^x.
///
/// - Input and output: `[N, F]`, `[N, C, L]` or `[N, C, H, W]`; with axis 1, maps are normalised pixel by pixel.
/// - Formula: `y = e^(x − m) / Σ e^(x − m)` with `m` the largest score on the line, so that nothing overflows.
/// - Gradient: `d_x = y (d_y − Σ d_y y)`, the sum over the axis.
/// - Edges: equal scores get equal shares; a score more than 87 below the largest gets 0; NaN makes its line NaN.
/// - Fusion: none, a group of its own. As the last layer of a classifier ``SoftmaxCrossEntropy`` takes the scores themselves.
/// - Errors: an axis that the input does not have, or the batch; more than four axes.
/// - Source: Bridle 1990; ONNX `Softmax`, opset 13, whose axis is the last by default; PyTorch `torch.softmax`.
public struct Softmax: Layer {
  public static let kind = "softmax"

  /// The axis that sums to 1, counted in the input with its batch; from the end where negative.
  public let axis: Int

  public init(axis: Int = 1) {
    self.axis = axis
  }

  public var summary: String { "Softmax" + (axis == 1 ? "" : ", axis \(axis)") }

  public var outputKind: OutputKind { .probabilities }
  public var traits: LayerTraits { .nonNegative }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try SoftmaxKernels.output(for: inputs, axis: axis)
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .activation }

  public func reach(for inputs: [TensorType]) -> Reach {
    SoftmaxKernels.reach(axis, of: inputs[0])
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    SoftmaxKernels(axis: axis, isLogarithm: false).candidates(for: group)
  }
}

extension Value {
  /// Applies ``Softmax``.
  public func softmax(
    axis: Int = 1, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Softmax(axis: axis), name: name, file: file, line: line)
  }
}

extension Softmax: RegisteredLayer {
  public static let settings: [SettingSpec] = [.softmaxAxis]

  public init(settings: Settings) throws(SettingError) {
    self.init(axis: try settings.integer("axis"))
  }

  public var settingValues: [String: SettingValue] { ["axis": .integer(axis)] }

  public static let examples = [
    LayerExample(Softmax(), inputs: [2, 5]),
    LayerExample(Softmax(), inputs: [2, 3, 4, 5]),
    LayerExample(Softmax(axis: -1), inputs: [2, 3, 4, 5]),
  ]
}

extension SettingSpec {
  static let softmaxAxis = SettingSpec(
    "axis", .integer, default: .integer(1), "axis that sums to 1; from the end where negative")
}

extension Softmax: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let (x, y) = (call.input, DoubleTensor(shape: call.outputShape))
    let lines = AxisLines(axis, of: x.shape)
    lines.forEachLine { first in
      let places = (0..<lines.count).map { first + $0 * lines.stride }
      let largest = places.map { x.address[$0] }.max() ?? 0
      let sum = places.reduce(0.0) { $0 + exp(x.address[$1] - largest) }
      for i in places { y.address[i] = exp(x.address[i] - largest) / sum }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let y = forward(call).output
    let inputGradient = DoubleTensor(shape: y.shape)
    let lines = AxisLines(axis, of: y.shape)
    lines.forEachLine { first in
      let places = (0..<lines.count).map { first + $0 * lines.stride }
      let sum = places.reduce(0.0) { $0 + outputGradient.address[$1] * y.address[$1] }
      for i in places {
        inputGradient.address[i] = y.address[i] * (outputGradient.address[i] - sum)
      }
    }
    return LayerGradients(inputs: [inputGradient])
  }
}
