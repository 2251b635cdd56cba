import ConvcIR
import ConvcReference

/// Convolves sequences with kernels that are not shared: every place of the output has weights of its own.
///
/// - Input: `[N, C, L]`.
/// - Output: `[N, K, OL]`, `OL = 1 + (L + P_left + P_right − D·(S − 1) − 1)/stride` for a kernel of `S` taps, `D` apart.
/// - Parameters: `weight [K, C, S, OL]`, and `bias [K, OL]` unless switched off: `OL` times as many as a convolution has.
/// - Formula: `y[n, k, i] = bias[k, i] + Σ_c Σ_s weight[k, c, s, i] · x[n, c, stride·i + D·s − P_left]`.
/// - Gradient: of the input, the output's gradient spread by each place's kernel; of weight and bias, sums over the images.
/// - Edges: cells beyond the sequence are zeros: weights that meet nothing else have a gradient of zero.
/// - Fusion: none; it uses the kernels of ``LocallyConnected2D`` on maps of one row.
/// - Errors: input not of rank 3; a window that does not fit; rounding ceil.
/// - Source: LeCun 1989, "Generalization and network design strategies"; Keras `LocallyConnected1D`, whose weights stand
///   in the order `[OL, S·C, K]`. ONNX and PyTorch have no such operator.
public struct LocallyConnected1D: SequenceLayer {
  public static let kind = "local"

  public let outputChannels: Int
  public let window: Window1D
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  public init(
    outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    dilation: Int = 1, bias: Bool = true, rounding: Rounding = .floor,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero
  ) {
    self.outputChannels = outputChannels
    window = Window1D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      rounding: rounding)
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public var mapLayer: LocallyConnected2D {
    let maps = window.maps
    return LocallyConnected2D(
      outputChannels: outputChannels, kernelSize: maps.kernelSize, stride: maps.stride,
      padding: maps.padding, dilation: maps.dilation, bias: hasBias, rounding: maps.rounding,
      initializer: initializer, biasInitializer: biasInitializer)
  }

  public func check(length: Int) throws(LayerError) { try window.check(length: length) }

  public var summary: String { "LocallyConnected1D \(window.text)" + (hasBias ? "" : ", no bias") }
}

extension Value {
  /// Applies ``LocallyConnected1D``.
  public func locallyConnected1d(
    _ outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    bias: Bool = true, initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    name: String? = nil, frozen: Bool = false, regularizer: Regularizer? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(
      LocallyConnected1D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        bias: bias, initializer: initializer, biasInitializer: biasInitializer), name: name,
      frozen: frozen, regularizer: regularizer, file: file, line: line)
  }
}

extension LocallyConnected1D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelLength, .strideLength, .sides, .dilationLength, .bias, .rounding,
    .initializer, .biasInitializer,
  ]

  public init(settings: Settings) throws(SettingError) {
    let window = try settings.window1D()
    self.init(
      outputChannels: try settings.integer("outputChannels"), kernelSize: window.kernelSize,
      stride: window.stride, padding: window.padding, dilation: window.dilation,
      bias: try settings.boolean("bias"), rounding: window.rounding,
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"))
  }

  public var settingValues: [String: SettingValue] {
    window.settingValues.merging([
      "outputChannels": .integer(outputChannels), "bias": .boolean(hasBias),
      "initializer": .word(initializer.text), "biasInitializer": .word(biasInitializer.text),
    ]) { $1 }
  }

  public static let examples = [
    LayerExample(LocallyConnected1D(outputChannels: 2, kernelSize: 3), inputs: [2, 3, 7]),
    LayerExample(
      LocallyConnected1D(outputChannels: 3, kernelSize: 2, stride: 2, padding: 1, bias: false),
      inputs: [2, 2, 8]),
  ]
}
