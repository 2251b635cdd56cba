import ConvcIR
import ConvcReference

/// Convolves maps with learned kernels: as networks do, without flipping them (cross-correlation), unless told to.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, K, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``.
/// - Parameters: `weight [K, C/groups, R, S]`, and a bias: `perFilter` `[K]`, `perPosition` `[K, OH, OW]`, or `none`.
/// - Formula: `y[n, k, i, j] = bias + Σ x[n, c, i·S + r·D − P, j·S + s·D − P] · weight[k, c, r, s]` over c, r and s. The
///   kernel's anchor is its first tap, `[0, 0]`, whatever its size: even kernels work everywhere, and the paddings P say
///   where they lie. A flipped kernel takes `weight[k, c, R − 1 − r, S − 1 − s]`: true convolution, which is associative.
/// - Gradient: of the input, the output's spread back through the same kernels; of a weight, the sum over images and places
///   of the output's times the cell that the weight met; of a bias, the sum of the output's over images and, one for each
///   filter, over places.
/// - Edges: cells outside the map are zero. `dropConnect` sets each weight to zero with that probability while training and
///   scales the others by 1/(1 − p); one mask for all images of a step, drawn from Philox by seed, layer, step and index
///   of the weight as the kernel is applied, again in backward. Inference uses all weights.
/// - Fusion: a batch norm becomes part of weights and bias (inference); takes ReLU, addition and, without groups, tiling
///   maximum pooling into its loops. With a bias for each place: elementwise layers alone.
/// - Errors: input not of rank 4; channels or outputs that groups do not divide; a window that does not fit; a dropConnect
///   outside `0..<1`.
/// - Source: ONNX `Conv`, opset 11; PyTorch `Conv2d`. Untied bias: MatConvNet's formula of convolution. DropConnect: Wan et
///   al. 2013.
public struct Conv2D: Layer {
  public static let kind = "conv"

  public let outputChannels: Int
  public let window: Window2D
  public let groups: Int
  public let bias: ConvolutionBias
  public let initializer: Initializer
  public let biasInitializer: Initializer
  public let kernel: ConvolutionKernel
  /// Probability with which training sets a weight to zero.
  public let dropConnect: Double

  public init(
    outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, groups: Int = 1, bias: ConvolutionBias = .perFilter,
    rounding: Rounding = .floor, initializer: Initializer = .heNormal,
    biasInitializer: Initializer = .zero, kernel: ConvolutionKernel = .correlation,
    dropConnect: Double = 0
  ) {
    self.outputChannels = outputChannels
    window = Window2D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      rounding: rounding)
    self.groups = groups
    self.bias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
    self.kernel = kernel
    self.dropConnect = dropConnect
  }

  /// Whether the kernels add one value to each map.
  public var hasBias: Bool { bias == .perFilter }

  public var summary: String { "Conv2D \(window.text)" + choicesText }

  /// Settings beside the window in words; those at their default are left out.
  var choicesText: String {
    (groups == 1 ? "" : ", groups \(groups)") + (kernel == .flipped ? ", flipped kernel" : "")
      + (bias == .none ? ", no bias" : bias == .perPosition ? ", bias per position" : "")
      + (dropConnect == 0 ? "" : ", dropConnect \(dropConnect)")
  }

  public var traits: LayerTraits {
    let traits: LayerTraits = groups == 1 ? .linear : []
    return bias == .none ? traits : traits.union(.bias)
  }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    window.evenPaddingLint + positionBiasLint(inputs)
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
    try DropConnect(rate: dropConnect).check()
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
    guard let shape = biasShape(inputs[0].maps) else { return [weight] }
    let bias = ParameterSpec(
      "bias", shape: shape, initializer: biasInitializer, fanIn: fanIn, fanOut: fanOut)
    return [weight, bias]
  }

  /// Extents of the bias; nil: there is none.
  private func biasShape(_ maps: MapShape) -> [Int]? {
    switch bias {
    case .none: return nil
    case .perFilter: return [outputChannels]
    case .perPosition:
      guard let size = try? window.outputSize(height: maps.h, width: maps.w) else { return nil }
      return [outputChannels, size.height, size.width]
    }
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int {
    let maps = inputs[0].maps
    guard let size = try? window.outputSize(height: maps.h, width: maps.w) else { return 0 }
    let taps = window.kernelSize.height * window.kernelSize.width
    return maps.n * outputChannels * size.height * size.width * (maps.c / groups) * taps
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    window.lostPixels(height: inputs[0].maps.h, width: inputs[0].maps.w)
  }

  public func reach(for inputs: [TensorType]) -> Reach { window.reach }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    guard bias != .perPosition else { return .anchor(accepts: .vector) }
    let kinds: EpilogueKinds = groups == 1 ? [.vector, .pooling] : .vector
    return .anchor(accepts: mode == .inference ? kinds.union(.affine) : kinds)
  }

  public func candidates(for group: GroupContext) -> [Candidate] {
    var all = [genericCandidate(for: group)]
    if group.target.hasVectors, groups == 1, window.dilation == 1 {
      all += [lanesCandidate(for: group)].compactMap { $0 } + blockedCandidates(for: group)
    }
    if group.target.hasVectors { all += [depthwiseCandidate(for: group)].compactMap { $0 } }
    all = DropConnect(rate: dropConnect).apply(to: all, of: group, direct: ["generic", "lanes"])
    if kernel == .flipped { all = all.map { $0.deriving(flip) } }
    return bias == .perPosition ? all.map { $0.addingPositionBias() } : all
  }

  var flip: FlippedKernel {
    FlippedKernel(taps: window.kernelSize.height * window.kernelSize.width)
  }
}

extension Conv2D: HeadLayer {
  public var outputCount: Int { outputChannels }

  public func withOutputs(_ count: Int) -> any Layer {
    Conv2D(
      outputChannels: count, kernelSize: window.kernelSize, stride: window.stride,
      padding: window.padding, dilation: window.dilation, groups: groups, rounding: window.rounding,
      initializer: initializer, biasInitializer: biasInitializer, kernel: kernel,
      dropConnect: dropConnect)
  }
}

extension Value {
  /// Applies ``Conv2D``.
  public func conv2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, groups: Int = 1, bias: ConvolutionBias = .perFilter,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    kernel: ConvolutionKernel = .correlation, dropConnect: Double = 0,
    name: String? = nil, frozen: Bool = false, regularizer: Regularizer? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Conv2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        dilation: dilation, groups: groups, bias: bias, initializer: initializer,
        biasInitializer: biasInitializer, kernel: kernel, dropConnect: dropConnect), name: name,
      frozen: frozen, regularizer: regularizer,
      file: file, line: line)
  }
}

extension Conv2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelSize, .stride, .padding, .dilation, .groups,
    .convolutionBias, .rounding, .initializer, .biasInitializer, .convolutionKernel, .dropConnect,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputChannels: try settings.integer("outputChannels"),
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.size2D("stride"),
      padding: try settings.padding2D("padding"), dilation: try settings.size2D("dilation"),
      groups: try settings.integer("groups"), bias: try settings.convolutionBias("bias"),
      rounding: try settings.choice("rounding"),
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"),
      kernel: try settings.choice("kernel"), dropConnect: try settings.number("dropConnect"))
  }

  public var settingValues: [String: SettingValue] {
    window.settingValues.merging([
      "outputChannels": .integer(outputChannels), "groups": .integer(groups),
      "bias": bias.setting, "initializer": .word(initializer.text),
      "biasInitializer": .word(biasInitializer.text), "kernel": .word(kernel.rawValue),
      "dropConnect": .number(dropConnect),
    ]) { $1 }
  }

  public static let examples = [
    LayerExample(Conv2D(outputChannels: 4, kernelSize: 3, padding: 1), inputs: [2, 3, 5, 6]),
    LayerExample(
      Conv2D(outputChannels: 4, kernelSize: 3, stride: 2, groups: 2, bias: false),
      inputs: [2, 2, 7, 5]),
    LayerExample(
      Conv2D(outputChannels: 3, kernelSize: 3, bias: .perPosition, kernel: .flipped),
      inputs: [2, 2, 5, 6]),
    LayerExample(
      Conv2D(outputChannels: 3, kernelSize: 3, stride: 2, dropConnect: 0.5),
      inputs: [2, 2, 7, 5]),
  ]
}
