import ConvcIR
import ConvcReference

/// Takes the mean of each window of a sequence.
///
/// - Input: `[N, C, L]`.
/// - Output: `[N, C, OL]`, `OL = 1 + (L + P_left + P_right − K)/stride`, rounded as the setting says.
/// - Gradient: each cell of a window gets the output's gradient over the divisor.
/// - Edges: the divisor is the whole window, or with `countsPadding` false the cells inside the sequence.
/// - Fusion: none; it uses the kernels of ``AveragePool2D`` on maps of one row.
/// - Errors: input not of rank 3; a window that does not fit; a padding as large as the window.
/// - Source: ONNX `AveragePool`, opset 19; PyTorch `AvgPool1d`.
public struct AveragePool1D: SequenceLayer {
  public static let kind = "pool"

  public let window: Window1D
  public let countsPadding: Bool

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Int, stride: Int? = nil, padding: Padding1D = 0, rounding: Rounding = .floor,
    countsPadding: Bool = true
  ) {
    window = Window1D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
    self.countsPadding = countsPadding
  }

  public var mapLayer: AveragePool2D {
    let maps = window.maps
    return AveragePool2D(
      kernelSize: maps.kernelSize, stride: maps.stride, padding: maps.padding,
      rounding: maps.rounding, countsPadding: countsPadding)
  }

  public func check(length: Int) throws(LayerError) { try window.check(length: length) }

  public var summary: String {
    "AveragePool1D \(window.poolingText)" + (countsPadding ? "" : ", padding not counted")
  }
}

extension Value {
  /// Applies ``AveragePool1D``.
  public func averagePool1d(
    _ kernelSize: Int, stride: Int? = nil, padding: Padding1D = 0, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      AveragePool1D(kernelSize: kernelSize, stride: stride, padding: padding), name: name,
      file: file, line: line)
  }
}

extension AveragePool1D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .kernelLength, .poolingStrideLength, .sides, .rounding,
    SettingSpec(
      "countsPadding", .boolean, default: .boolean(true),
      "whether the divisor counts cells of the padding"),
  ]

  public init(settings: Settings) throws(SettingError) {
    let window = try settings.poolingWindow1D()
    self.init(
      kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
      rounding: window.rounding, countsPadding: try settings.boolean("countsPadding"))
  }

  public var settingValues: [String: SettingValue] {
    window.poolingSettings.merging(["countsPadding": .boolean(countsPadding)]) { $1 }
  }

  public static let examples = [
    LayerExample(AveragePool1D(kernelSize: 2), inputs: [2, 3, 9]),
    LayerExample(
      AveragePool1D(kernelSize: 3, stride: 2, padding: 1, countsPadding: false),
      inputs: [2, 3, 8]),
  ]
}
