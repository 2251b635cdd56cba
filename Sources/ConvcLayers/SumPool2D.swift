import ConvcIR
import ConvcReference

/// Sums each window of a map: average pooling without its divisor.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, C, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``, which rounds as the window says.
/// - Gradient: each cell gets the sum of the gradients of the windows that it is in.
/// - Edges: padding counts as zeros.
/// - Fusion: none.
/// - Errors: input not of rank 4; a window that does not fit; a padding as large as the window.
/// - Source: the lectures' "Average / Sum" pooling; PyTorch `AvgPool2d` with `divisor_override=1`. ONNX `LpPool` with p = 1 for
///   values that are not negative.
public struct SumPool2D: Layer {
  public static let kind = "pool"

  public let window: Window2D

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor
  ) {
    window = Window2D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
  }

  public var summary: String { "SumPool2D \(window.poolingText)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try window.pooledType(of: inputs)
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    window.lostPixels(height: inputs[0].maps.h, width: inputs[0].maps.w)
  }

  public func reach(for inputs: [TensorType]) -> Reach { window.reach }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window, kind: .sum).candidates(for: group)
  }
}

extension Value {
  /// Applies ``SumPool2D``.
  public func sumPool(
    _ kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor,
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      SumPool2D(kernelSize: kernelSize, stride: stride, padding: padding, rounding: rounding),
      name: name, file: file, line: line)
  }
}

extension SumPool2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .kernelSize, .poolingStride, .padding, .rounding,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.poolingStride(),
      padding: try settings.padding2D("padding"), rounding: try settings.choice("rounding"))
  }

  public var settingValues: [String: SettingValue] { window.poolingSettings }

  public static let examples = [
    LayerExample(SumPool2D(kernelSize: 2), inputs: [2, 3, 4, 5])
  ]
}

extension SumPool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    window.forEachWindow(of: call) { output, region in
      region.forEachCell { y.address[output] += call.input.address[$0] }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    window.forEachWindow(of: call) { output, region in
      region.forEachCell { gradient.address[$0] += outputGradient.address[output] }
    }
    return LayerGradients(inputs: [gradient])
  }
}
