import ConvcIR
import ConvcReference

/// Convolves maps with learned kernels (cross-correlation: the kernel is not flipped).
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, K, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``.
/// - Parameters: `weight [K, C/groups, R, S]`, and `bias [K]` unless switched off.
/// - Formula: `y[n, k, i, j] = bias[k] + Σ x[n, c, i·S + r·D − P, j·S + s·D − P] · weight[k, c, r, s]` over c, r and s; cells
///   outside the map are zero.
/// - Gradient: of the input, the output's spread back through the same kernels; of a weight, the sum over images and places
///   of the output's times the cell that the weight met; of a bias, the sum of the output's over images and places.
/// - Fusion: a batch norm becomes part of weights and bias (inference); takes ReLU, addition and, without groups, tiling
///   maximum pooling into its loops.
/// - Errors: input not of rank 4; channels or outputs that groups do not divide; a window that does not fit.
/// - Source: ONNX `Conv`, opset 11.
public struct Conv2D: Layer {
  public static let kind = "conv"

  public let outputChannels: Int
  public let window: Window2D
  public let groups: Int
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  public init(
    outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true, rounding: Rounding = .floor,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero
  ) {
    self.outputChannels = outputChannels
    window = Window2D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      rounding: rounding)
    self.groups = groups
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public var summary: String {
    "Conv2D \(window.text)" + (groups == 1 ? "" : ", groups \(groups)")
      + (hasBias ? "" : ", no bias")
  }

  public var traits: LayerTraits {
    let traits: LayerTraits = groups == 1 ? .linear : []
    return hasBias ? traits.union(.bias) : traits
  }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    window.evenPaddingLint
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    let maps = input.maps
    guard outputChannels > 0, groups > 0 else {
      throw .setting("outputChannels \(outputChannels) and groups \(groups) have to be at least 1")
    }
    guard maps.c % groups == 0, outputChannels % groups == 0 else {
      throw .setting(
        "groups \(groups) does not divide \(maps.c) input channels and \(outputChannels) output channels; "
          + "use a common divisor of both")
    }
    guard window.rounding != .ceil else {
      throw .setting("rounding ceil is for pooling; use floor or exact, and padding for the rest")
    }
    let size = try window.outputSize(height: maps.h, width: maps.w)
    // Kernels keep rows of the output on the stack.
    guard size.width <= 1 << 16 else {
      throw .setting(
        "an output of \(size.width) columns is too wide; at most \(1 << 16) work: use a stride, "
          + "or cut the image into pieces")
    }
    return input.with(shape: [maps.n, outputChannels, size.height, size.width])
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let channels = inputs[0].maps.c / groups
    let taps = window.kernelSize.height * window.kernelSize.width
    let (fanIn, fanOut) = (channels * taps, outputChannels / groups * taps)
    let weight = ParameterSpec(
      "weight",
      shape: [outputChannels, channels, window.kernelSize.height, window.kernelSize.width],
      initializer: initializer, decays: true, fanIn: fanIn, fanOut: fanOut)
    let bias = ParameterSpec(
      "bias", shape: [outputChannels], initializer: biasInitializer, fanIn: fanIn, fanOut: fanOut)
    return hasBias ? [weight, bias] : [weight]
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int {
    guard let output = try? output(for: inputs) else { return 0 }
    let taps = window.kernelSize.height * window.kernelSize.width
    return output.count * (inputs[0].maps.c / groups) * taps
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    window.lostPixels(height: inputs[0].maps.h, width: inputs[0].maps.w)
  }

  public func reach(for inputs: [TensorType]) -> Reach { window.reach }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    let kinds: EpilogueKinds = groups == 1 ? [.vector, .pooling] : .vector
    return .anchor(accepts: mode == .inference ? kinds.union(.affine) : kinds)
  }

  public func candidates(for group: GroupContext) -> [Candidate] {
    var all = [genericCandidate(for: group)]
    if group.target.hasVectors, groups == 1, window.dilation == 1 {
      all += [lanesCandidate(for: group)].compactMap { $0 } + blockedCandidates(for: group)
    }
    if group.target.hasVectors { all += [depthwiseCandidate(for: group)].compactMap { $0 } }
    return all
  }
}

extension Value {
  /// Applies ``Conv2D``.
  public func conv2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    name: String? = nil, frozen: Bool = false, regularizer: Regularizer? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Conv2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        dilation: dilation, groups: groups, bias: bias, initializer: initializer,
        biasInitializer: biasInitializer), name: name, frozen: frozen, regularizer: regularizer,
      file: file, line: line)
  }
}

extension Conv2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelSize, .stride, .padding, .dilation, .groups, .bias, .rounding,
    .initializer, .biasInitializer,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputChannels: try settings.integer("outputChannels"),
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.size2D("stride"),
      padding: try settings.padding2D("padding"), dilation: try settings.size2D("dilation"),
      groups: try settings.integer("groups"), bias: try settings.boolean("bias"),
      rounding: try settings.choice("rounding"),
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"))
  }

  public var settingValues: [String: SettingValue] {
    window.settingValues.merging([
      "outputChannels": .integer(outputChannels), "groups": .integer(groups),
      "bias": .boolean(hasBias), "initializer": .word(initializer.text),
      "biasInitializer": .word(biasInitializer.text),
    ]) { $1 }
  }

  public static let examples = [
    LayerExample(Conv2D(outputChannels: 4, kernelSize: 3, padding: 1), inputs: [2, 3, 5, 6]),
    LayerExample(
      Conv2D(outputChannels: 4, kernelSize: 3, stride: 2, groups: 2, bias: false),
      inputs: [2, 2, 7, 5]),
  ]
}
