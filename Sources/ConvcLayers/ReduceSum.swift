import ConvcIR
import ConvcReference

/// Takes the sum over axes behind the batch.
///
/// - Input: rank 2 to 4.
/// - Output: the same with one cell on those axes, or without them.
/// - Gradient: each cell gets the output's gradient.
/// - Fusion: none.
/// - Errors: input of another rank; axis 0, which is the batch; axes named twice; an image that would lose all its axes.
/// - Source: ONNX `ReduceSum`, opset 13; PyTorch `sum` with `dim` and `keepdim`. Over rows and columns it is a global sum.
public struct ReduceSum: Layer, Reduction {
  public static let kind = "sum"

  /// Counted with the batch: 1 for the channels.
  public let axes: [Int]
  /// Whether the axes stay, with one cell.
  public let keepsDimensions: Bool

  static let isMean = false

  public init(axes: [Int], keepsDimensions: Bool = true) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }
}

extension Value {
  /// Applies ``ReduceSum``.
  public func reduceSum(
    axes: [Int], keepsDimensions: Bool = true, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(
      ReduceSum(axes: axes, keepsDimensions: keepsDimensions), name: name, file: file, line: line)
  }
}

extension ReduceSum: RegisteredLayer {
  public static let settings: [SettingSpec] = [.axes, .keepsDimensions]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      axes: try settings.integers("axes"),
      keepsDimensions: try settings.boolean("keepsDimensions"))
  }

  public var settingValues: [String: SettingValue] {
    ["axes": SettingValue(axes), "keepsDimensions": .boolean(keepsDimensions)]
  }

  public static let examples = [
    LayerExample(ReduceSum(axes: [2]), inputs: [2, 3, 4, 5]),
    LayerExample(ReduceSum(axes: [1, 3], keepsDimensions: false), inputs: [2, 3, 4, 5]),
  ]
}
