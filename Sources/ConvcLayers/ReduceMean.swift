import ConvcIR
import ConvcReference

/// Takes the mean over axes behind the batch.
///
/// - Input: rank 2 to 4.
/// - Output: the same with one cell on those axes, or without them.
/// - Gradient: each cell gets the output's gradient, divided by the number of cells.
/// - Fusion: none.
/// - Errors: input of another rank; axis 0, which is the batch; axes named twice; an image that would lose all its axes.
/// - Source: ONNX `ReduceMean`, opset 18; PyTorch `mean` with `dim` and `keepdim`. Over rows and columns it is ``GlobalAveragePool``.
public struct ReduceMean: Layer, Reduction {
  public static let kind = "mean"

  /// Counted with the batch: 1 for the channels.
  public let axes: [Int]
  /// Whether the axes stay, with one cell.
  public let keepsDimensions: Bool

  static let isMean = true

  public init(axes: [Int], keepsDimensions: Bool = true) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }
}

extension Value {
  /// Applies ``ReduceMean``.
  public func reduceMean(
    axes: [Int], keepsDimensions: Bool = true, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(
      ReduceMean(axes: axes, keepsDimensions: keepsDimensions), name: name, file: file, line: line)
  }
}

extension ReduceMean: RegisteredLayer {
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
    LayerExample(ReduceMean(axes: [1]), inputs: [2, 3, 4, 5]),
    LayerExample(ReduceMean(axes: [2, 3], keepsDimensions: false), inputs: [2, 3, 4, 5]),
  ]
}
