import ConvcIR
import ConvcReference

/// Convolves maps with kernels that are not shared: every place of the output has weights of its own.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, K, OH, OW]`, sized by ``Window2D/outputSize(height:width:)``.
/// - Parameters: `weight [K, C, R, S, OH, OW]`, and `bias [K, OH, OW]` unless switched off: `OH·OW` times as many as a
///   convolution has. Places stand last, so that a row of the output reads a row of weights.
/// - Formula: `y[n, k, i, j] = bias[k, i, j] + Σ_c Σ_r Σ_s weight[k, c, r, s, i, j] · x[n, c, S_H·i + D_H·r − P_top, S_W·j + D_W·s − P_left]`.
/// - Gradient: of the input, the output's gradient spread by each place's kernel; of the weight, the sum over the images of
///   the input under the tap times the output's gradient at the place; of the bias, the output's gradient summed over images.
/// - Edges: cells beyond the map are zeros: weights that meet nothing else have a gradient of zero.
/// - Fusion: none.
/// - Errors: input not of rank 4; a window that does not fit; rounding ceil.
/// - Source: LeCun 1989, "Generalization and network design strategies"; Keras `LocallyConnected2D`, whose weights stand
///   in the order `[OH·OW, R·S·C, K]`. ONNX and PyTorch have no such operator.
public struct LocallyConnected2D: Layer {
  public static let kind = "local"

  public let outputChannels: Int
  public let window: Window2D
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  public init(
    outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, bias: Bool = true, rounding: Rounding = .floor,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero
  ) {
    self.outputChannels = outputChannels
    window = Window2D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      rounding: rounding)
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public var summary: String { "LocallyConnected2D \(window.text)" + (hasBias ? "" : ", no bias") }

  /// The convolution that has these shapes.
  private var convolution: Conv2D {
    Conv2D(
      outputChannels: outputChannels, kernelSize: window.kernelSize, stride: window.stride,
      padding: window.padding, dilation: window.dilation, rounding: window.rounding)
  }

  public var traits: LayerTraits { hasBias ? [.linear, .bias] : .linear }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    window.evenPaddingLint
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try convolution.output(for: inputs)
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let maps = inputs[0].maps
    guard let size = try? window.outputSize(height: maps.h, width: maps.w) else { return [] }
    let (r, s) = (window.kernelSize.height, window.kernelSize.width)
    let places = [size.height, size.width]
    let weight = ParameterSpec(
      "weight", shape: [outputChannels, maps.c, r, s] + places, initializer: initializer,
      decays: true, fanIn: maps.c * r * s, fanOut: outputChannels * r * s)
    let bias = ParameterSpec(
      "bias", shape: [outputChannels] + places, initializer: biasInitializer,
      fanIn: maps.c * r * s, fanOut: outputChannels * r * s)
    return hasBias ? [weight, bias] : [weight]
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int {
    convolution.multiplyAdds(for: inputs)
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    convolution.lostPixels(for: inputs)
  }

  public func reach(for inputs: [TensorType]) -> Reach { window.reach }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    LocallyConnectedKernels(layer: self).candidates(for: group)
  }
}

extension Value {
  /// Applies ``LocallyConnected2D``.
  public func locallyConnected2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    bias: Bool = true, initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    name: String? = nil, frozen: Bool = false, regularizer: Regularizer? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(
      LocallyConnected2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        bias: bias, initializer: initializer, biasInitializer: biasInitializer), name: name,
      frozen: frozen, regularizer: regularizer, file: file, line: line)
  }
}

extension LocallyConnected2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelSize, .stride, .padding, .dilation, .bias, .rounding, .initializer,
    .biasInitializer,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputChannels: try settings.integer("outputChannels"),
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.size2D("stride"),
      padding: try settings.padding2D("padding"), dilation: try settings.size2D("dilation"),
      bias: try settings.boolean("bias"), rounding: try settings.choice("rounding"),
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
    LayerExample(LocallyConnected2D(outputChannels: 3, kernelSize: 3), inputs: [2, 2, 5, 6]),
    LayerExample(
      LocallyConnected2D(outputChannels: 2, kernelSize: 2, stride: 2, padding: 1, bias: false),
      inputs: [2, 3, 4, 5]),
  ]
}

extension LocallyConnected2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    let image = y.count / y.shape[0]
    if hasBias {
      for i in 0..<y.count { y.address[i] = call.parameters[1].address[i % image] }
    }
    let weight = call.parameters[0].address
    forEachConnection(call) { x, tap, place in
      y.address[place] += weight[tap] * call.input.address[x]
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let weight = call.parameters[0]
    let inputGradient = DoubleTensor(shape: call.input.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    forEachConnection(call) { x, tap, place in
      inputGradient.address[x] += weight.address[tap] * outputGradient.address[place]
      weightGradient.address[tap] += call.input.address[x] * outputGradient.address[place]
    }
    guard hasBias else {
      return LayerGradients(inputs: [inputGradient], parameters: [weightGradient])
    }
    let biasGradient = DoubleTensor(shape: call.parameters[1].shape)
    for i in 0..<outputGradient.count {
      biasGradient.address[i % biasGradient.count] += outputGradient.address[i]
    }
    return LayerGradients(inputs: [inputGradient], parameters: [weightGradient, biasGradient])
  }

  /// Calls `body` with the indices of the input's value, the weight and the output's value for all that meet.
  private func forEachConnection(
    _ call: LayerCall, _ body: (_ x: Int, _ weight: Int, _ place: Int) -> Void
  ) {
    let input = call.input.maps
    let output = TensorType(shape: call.outputShape).maps
    let (taps, columns) = (
      window.kernelSize.height * window.kernelSize.width, window.kernelSize.width
    )
    for n in 0..<input.n {
      for k in 0..<output.c {
        for kernel in 0..<input.c * taps {
          let (c, tap) = kernel.quotientAndRemainder(dividingBy: taps)
          for place in 0..<output.pixels {
            let row =
              place / output.w * window.stride.height - window.padding.top
              + tap / columns * window.dilation.height
            let column =
              place % output.w * window.stride.width - window.padding.left
              + tap % columns * window.dilation.width
            guard row >= 0, row < input.h, column >= 0, column < input.w else { continue }
            body(
              ((n * input.c + c) * input.h + row) * input.w + column,
              (k * input.c * taps + kernel) * output.pixels + place,
              (n * output.c + k) * output.pixels + place)
          }
        }
      }
    }
  }
}
