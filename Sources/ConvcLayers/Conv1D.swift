import ConvcIR
import ConvcReference

/// Convolves sequences with learned kernels: without flipping them (cross-correlation), unless told to.
///
/// - Input: `[N, C, L]`.
/// - Output: `[N, K, OL]`, `OL = 1 + (L + P_left + P_right − D·(S − 1) − 1)/stride` for a kernel of `S` taps, `D` apart.
/// - Parameters: `weight [K, C/groups, S]`, and a bias: `perFilter` `[K]`, `perPosition` `[K, OL]`, or `none`.
/// - Formula: `y[n, k, i] = bias[k] + Σ_c Σ_s weight[k, c, s] · x[n, c, stride·i + D·s − P_left]`; a flipped
///   kernel takes `weight[k, c, S − 1 − s]`.
/// - Gradient: of the input, the output's convolved with the reversed kernel; of the weight, the sum over images and places
///   of the input under the tap times the output's gradient; of the bias, the sum of the output's gradient.
/// - Edges: cells beyond the sequence are zeros. Padding `causal` puts `D·(S − 1)` of them on the left alone, so no output
///   depends on a later input; `same` puts half of them on each side, an odd one more on the right.
/// - Fusion: as ``Conv2D``, whose kernels it uses on maps of one row.
/// - Errors: input not of rank 3; channels or outputs that groups do not divide; a window that does not fit.
/// - Source: ONNX `Conv`, opset 11; PyTorch `Conv1d`; causal padding as Keras `Conv1D` names it (van den Oord et al. 2016,
///   "WaveNet: a generative model for raw audio").
public struct Conv1D: SequenceLayer {
  public static let kind = "conv"

  public let outputChannels: Int
  public let window: Window1D
  public let groups: Int
  public let bias: ConvolutionBias
  public let initializer: Initializer
  public let biasInitializer: Initializer
  public let kernel: ConvolutionKernel
  /// Probability with which training sets a weight to zero.
  public let dropConnect: Double

  public init(
    outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    dilation: Int = 1, groups: Int = 1, bias: ConvolutionBias = .perFilter,
    rounding: Rounding = .floor, initializer: Initializer = .heNormal,
    biasInitializer: Initializer = .zero,
    kernel: ConvolutionKernel = .correlation, dropConnect: Double = 0
  ) {
    self.outputChannels = outputChannels
    window = Window1D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      rounding: rounding)
    self.groups = groups
    self.bias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
    self.kernel = kernel
    self.dropConnect = dropConnect
  }

  public var mapLayer: Conv2D {
    let maps = window.maps
    return Conv2D(
      outputChannels: outputChannels, kernelSize: maps.kernelSize, stride: maps.stride,
      padding: maps.padding, dilation: maps.dilation, groups: groups, bias: bias,
      rounding: maps.rounding, initializer: initializer, biasInitializer: biasInitializer,
      kernel: kernel, dropConnect: dropConnect)
  }

  public func check(length: Int) throws(LayerError) { try window.check(length: length) }

  public var summary: String { "Conv1D \(window.text)" + mapLayer.choicesText }
}

extension Conv1D: HeadLayer {
  public var outputCount: Int { outputChannels }

  public func withOutputs(_ count: Int) -> any Layer {
    Conv1D(
      outputChannels: count, kernelSize: window.kernelSize, stride: window.stride,
      padding: window.padding, dilation: window.dilation, groups: groups, rounding: window.rounding,
      initializer: initializer, biasInitializer: biasInitializer, kernel: kernel,
      dropConnect: dropConnect)
  }
}

extension Value {
  /// Applies ``Conv1D``.
  public func conv1d(
    _ outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    dilation: Int = 1, groups: Int = 1, bias: ConvolutionBias = .perFilter,
    kernel: ConvolutionKernel = .correlation, dropConnect: Double = 0,
    initializer: Initializer = .heNormal,
    biasInitializer: Initializer = .zero, name: String? = nil,
    frozen: Bool = false, regularizer: Regularizer? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Conv1D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        dilation: dilation, groups: groups, bias: bias, initializer: initializer,
        biasInitializer: biasInitializer, kernel: kernel, dropConnect: dropConnect),
      name: name, frozen: frozen, regularizer: regularizer, file: file, line: line)
  }
}

extension Conv1D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelLength, .strideLength, .sides, .dilationLength, .groups,
    .convolutionBias, .rounding, .convolutionKernel, .initializer, .biasInitializer, .dropConnect,
  ]

  public init(settings: Settings) throws(SettingError) {
    let window = try settings.window1D()
    self.init(
      outputChannels: try settings.integer("outputChannels"), kernelSize: window.kernelSize,
      stride: window.stride, padding: window.padding, dilation: window.dilation,
      groups: try settings.integer("groups"), bias: try settings.convolutionBias("bias"),
      rounding: window.rounding,
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"),
      kernel: try settings.choice("kernel"),
      dropConnect: try settings.number("dropConnect"))
  }

  public var settingValues: [String: SettingValue] {
    window.settingValues.merging([
      "outputChannels": .integer(outputChannels), "groups": .integer(groups),
      "bias": bias.setting,
      "initializer": .word(initializer.text), "biasInitializer": .word(biasInitializer.text),
      "kernel": .word(kernel.rawValue), "dropConnect": .number(dropConnect),
    ]) { $1 }
  }

  public static let examples = [
    LayerExample(Conv1D(outputChannels: 4, kernelSize: 3, padding: .same), inputs: [2, 3, 9]),
    LayerExample(
      Conv1D(outputChannels: 4, kernelSize: 2, padding: .causal, dilation: 4, bias: false),
      inputs: [2, 2, 11]),
  ]
}
