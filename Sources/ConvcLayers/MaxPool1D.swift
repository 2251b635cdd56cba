import ConvcIR
import ConvcReference

/// Takes the maximum of each window of a sequence.
///
/// - Input: `[N, C, L]`.
/// - Output: `[N, C, OL]`, `OL = 1 + (L + P_left + P_right − K)/stride`, rounded as the setting says.
/// - Gradient: goes to the winner of each window, whose position forward saves.
/// - Edges: the first cell wins a tie. Padding never wins. NaN wins.
/// - Fusion: as ``MaxPool2D``, whose kernels it uses on maps of one row: an epilogue of its producer when windows tile.
/// - Errors: input not of rank 3; a window that does not fit; a padding as large as the window.
/// - Source: ONNX `MaxPool`, opset 12; PyTorch `MaxPool1d`.
public struct MaxPool1D: SequenceLayer {
  public static let kind = "pool"

  public let window: Window1D

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Int, stride: Int? = nil, padding: Padding1D = 0, rounding: Rounding = .floor
  ) {
    window = Window1D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
  }

  public var mapLayer: MaxPool2D {
    let maps = window.maps
    return MaxPool2D(
      kernelSize: maps.kernelSize, stride: maps.stride, padding: maps.padding,
      rounding: maps.rounding)
  }

  public func check(length: Int) throws(LayerError) { try window.check(length: length) }

  public var summary: String { "MaxPool1D \(window.poolingText)" }
}

extension Value {
  /// Applies ``MaxPool1D``.
  public func maxPool1d(
    _ kernelSize: Int, stride: Int? = nil, padding: Padding1D = 0, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      MaxPool1D(kernelSize: kernelSize, stride: stride, padding: padding), name: name, file: file,
      line: line)
  }
}

extension MaxPool1D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .kernelLength, .poolingStrideLength, .sides, .rounding,
  ]

  public init(settings: Settings) throws(SettingError) {
    let window = try settings.poolingWindow1D()
    self.init(
      kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
      rounding: window.rounding)
  }

  public var settingValues: [String: SettingValue] { window.poolingSettings }

  public static let examples = [
    LayerExample(MaxPool1D(kernelSize: 2), inputs: [2, 3, 9]),
    LayerExample(
      MaxPool1D(kernelSize: 3, stride: 2, padding: .cells(left: 1, right: 0), rounding: .ceil),
      inputs: [2, 3, 8]),
  ]
}
