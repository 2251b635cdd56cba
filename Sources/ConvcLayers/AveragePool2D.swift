import ConvcIR
import ConvcReference

/// Takes the mean of each window of a map.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, C, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``, which rounds as the window says.
/// - Divisor: the whole window, or with `countsPadding` false the cells inside the map.
/// - Gradient: each cell of a window gets the output's, divided by the divisor; overlapping windows add up.
/// - Edges: cells of the padding count as zeros in the sum.
/// - Errors: input not of rank 4; a window that does not fit; a padding as large as the window.
/// - Source: ONNX `AveragePool`, opset 19.
public struct AveragePool2D: Layer {
  public static let kind = "pool"

  public let window: Window2D
  public let countsPadding: Bool

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor,
    countsPadding: Bool = true
  ) {
    window = Window2D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
    self.countsPadding = countsPadding
  }

  public var summary: String {
    "AveragePool2D \(window.poolingText)" + (countsPadding ? "" : ", padding not counted")
  }

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

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window, kind: countsPadding ? .average : .averageInside)
      .candidates(for: group)
  }
}

extension Value {
  /// Applies ``AveragePool2D``.
  public func averagePool(
    _ kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor,
    countsPadding: Bool = true, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      AveragePool2D(
        kernelSize: kernelSize, stride: stride, padding: padding, rounding: rounding,
        countsPadding: countsPadding), name: name, file: file, line: line)
  }
}

extension AveragePool2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .kernelSize, .poolingStride, .padding, .rounding,
    SettingSpec(
      "countsPadding", .boolean, default: .boolean(true),
      "whether the divisor counts cells of the padding"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.poolingStride(),
      padding: try settings.padding2D("padding"), rounding: try settings.choice("rounding"),
      countsPadding: try settings.boolean("countsPadding"))
  }

  public var settingValues: [String: SettingValue] {
    window.poolingSettings.merging(["countsPadding": .boolean(countsPadding)]) { $1 }
  }

  public static let examples = [
    LayerExample(AveragePool2D(kernelSize: 2), inputs: [2, 3, 4, 5]),
    LayerExample(
      AveragePool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil, countsPadding: false),
      inputs: [2, 3, 6, 5]),
  ]
}

extension AveragePool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input.address
    let y = DoubleTensor(shape: call.outputShape)
    window.forEachWindow(of: call) { output, region in
      var sum = 0.0
      region.forEachCell { sum += x[$0] }
      y.address[output] = sum / divisor(region)
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let inputGradient = DoubleTensor(shape: call.input.shape)
    window.forEachWindow(of: call) { output, region in
      let share = outputGradient.address[output] / divisor(region)
      region.forEachCell { inputGradient.address[$0] += share }
    }
    return LayerGradients(inputs: [inputGradient])
  }

  private func divisor(_ region: WindowRegion) -> Double {
    Double(countsPadding ? region.paddedCells : region.rows.count * region.columns.count)
  }
}
