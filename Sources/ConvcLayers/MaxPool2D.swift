import ConvcIR
import ConvcReference

/// Takes the maximum of each window of a map.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, C, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``, which rounds as the window says.
/// - Saved for backward: the row-major position of the winner in its window.
/// - Gradient: goes to the winner of each window; where windows overlap, a cell that wins several gets the sum.
/// - Ties: the first cell in row-major order wins. Padding never wins. NaN wins.
/// - Fusion: an epilogue of its producer when windows tile the map: then no cell is computed twice.
/// - Errors: input not of rank 4; a window that does not fit; a padding as large as the window.
/// - Source: ONNX `MaxPool`, opset 12.
public struct MaxPool2D: Layer {
  public static let kind = "pool"

  public let window: Window2D

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor
  ) {
    window = Window2D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
  }

  public var summary: String { "MaxPool2D \(window.poolingText)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try window.pooledType(of: inputs)
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    window.lostPixels(height: inputs[0].maps.h, width: inputs[0].maps.w)
  }

  public func reach(for inputs: [TensorType]) -> Reach { window.reach }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    window.evenPaddingLint
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    let kernel = window.kernelSize
    // Positions in larger windows do not fit the byte that fused kernels save.
    guard window.tiles, kernel.height * kernel.width <= 256 else { return .anchor(accepts: []) }
    return .pooling(Pooling(height: kernel.height, width: kernel.width))
  }

  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window, kind: .maximum).candidates(for: group)
  }
}

extension Value {
  /// Applies ``MaxPool2D``.
  public func maxPool(
    _ kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor,
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      MaxPool2D(kernelSize: kernelSize, stride: stride, padding: padding, rounding: rounding),
      name: name, file: file, line: line)
  }
}

extension MaxPool2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .kernelSize, .poolingStride, .padding, .rounding,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.poolingStride(),
      padding: try settings.padding2D("padding"), rounding: try settings.choice("rounding"))
  }

  public var settingValues: [String: SettingValue] {
    window.poolingSettings
  }

  public static let examples = [
    LayerExample(MaxPool2D(kernelSize: 2), inputs: [2, 3, 4, 5]),
    LayerExample(
      MaxPool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil),
      inputs: [2, 3, 6, 5]),
  ]
}

extension MaxPool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    window.forEachWinner(of: call) { output, winner, distance in
      y.address[output] = call.input.address[winner]
      decisions.note(winner, distance: distance)
    }
    return LayerResult(
      output: y, decisions: decisions.hash, margin: decisions.margin(in: call.input))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let inputGradient = DoubleTensor(shape: call.input.shape)
    window.forEachWinner(of: call) { output, winner, _ in
      inputGradient.address[winner] += outputGradient.address[output]
    }
    return LayerGradients(inputs: [inputGradient])
  }
}
