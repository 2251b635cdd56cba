import ConvcIR
import ConvcReference

/// Spreads each pixel over a window of a larger map with learned kernels: the reverse of a convolution's shapes.
///
/// - Input: `[N, C, H, W]`.
/// - Output: `[N, K, OH, OW]`; per axis `OH = (H − 1)·S − P_before − P_after + D·(R − 1) + 1 + outputPadding`.
/// - Parameters: `weight [C, K/groups, R, S]`, and `bias [K]` unless switched off.
/// - Gradient: of the input, the convolution of the output's with the same kernels; of weight and bias, sums over images
///   and places.
/// - Fusion: takes batch norm (inference), ReLU and addition into its loops.
/// - Errors: input not of rank 4; channels or outputs that groups do not divide; an empty output; an output padding that
///   is not below the stride.
/// - Source: ONNX `ConvTranspose`, opset 11; PyTorch `ConvTranspose2d`; Dumoulin and Visin 2016, "A guide to convolution
///   arithmetic for deep learning".
public struct ConvTranspose2D: Layer {
  public static let kind = "convtranspose"

  public let outputChannels: Int
  public let kernelSize: Size2D
  public let stride: Size2D
  /// Rows and columns that are cut off the output's borders.
  public let padding: Padding
  /// Distance of a window's cells.
  public let dilation: Size2D
  /// Rows and columns that are added to the output's end.
  public let outputPadding: Size2D
  public let groups: Int
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  /// - Parameter padding: `.same`: that of the convolution that this one reverses, with an output padding of the stride
  ///   less 1 where none is given; then the output is the stride times as large as the input.
  public init(
    outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    outputPadding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero
  ) {
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding.resolved(kernelSize: kernelSize, dilation: dilation)
    self.outputPadding =
      padding.isSame && outputPadding == 0
      ? Size2D(height: max(0, stride.height - 1), width: max(0, stride.width - 1)) : outputPadding
    self.dilation = dilation
    self.groups = groups
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public var summary: String {
    let window = Window2D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation)
    return "ConvTranspose2D \(window.text)"
      + (outputPadding == 0 ? "" : ", output padding \(outputPadding.text)")
      + (groups == 1 ? "" : ", groups \(groups)") + (hasBias ? "" : ", no bias")
  }

  public var traits: LayerTraits {
    let traits: LayerTraits = groups == 1 ? .linear : []
    return hasBias ? traits.union(.bias) : traits
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
    let height = try Self.output(vertical, of: maps.h, added: outputPadding.height)
    let width = try Self.output(horizontal, of: maps.w, added: outputPadding.width)
    // Kernels keep rows of the output on the stack.
    guard width <= 1 << 16 else {
      throw .setting(
        "an output of \(width) columns is too wide; at most \(1 << 16) work: cut the image into pieces"
      )
    }
    return input.with(shape: [maps.n, outputChannels, height, width])
  }

  /// Cells of an axis of the output.
  static func output(
    _ axis: Window2D.Axis, of size: Int, added: Int
  ) throws(LayerError) -> Int {
    try axis.check()
    guard (0..<axis.stride).contains(added) else {
      throw .setting(
        "\(axis.name): output padding \(added) is not in 0..<\(axis.stride); it has to be below the stride"
      )
    }
    let output = (size - 1) * axis.stride + axis.span + added - axis.before - axis.after
    guard output > 0 else {
      throw .window(
        "\(axis.name) (\(size) - 1)*\(axis.stride) + \(axis.span) + \(added) - \(axis.before) - \(axis.after) "
          + "is below 1: the paddings cut off all of it; use paddings of at most "
          + "\(axis.before + axis.after + output - 1) together, or a larger kernel")
    }
    return output
  }

  /// The axes of the convolution from the output to the input that this one reverses.
  var vertical: Window2D.Axis {
    Window2D.Axis(
      name: "height", kernel: kernelSize.height, stride: stride.height, before: padding.top,
      after: padding.bottom, dilation: dilation.height, rounding: .floor)
  }
  var horizontal: Window2D.Axis {
    Window2D.Axis(
      name: "width", kernel: kernelSize.width, stride: stride.width, before: padding.left,
      after: padding.right, dilation: dilation.width, rounding: .floor)
  }

  /// Whether the windows lie side by side: each pixel of the output has one tap.
  var tiles: Bool {
    kernelSize == stride && padding == 0 && outputPadding == 0 && dilation == 1
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let channels = inputs[0].maps.c
    let taps = kernelSize.height * kernelSize.width
    // Taps that one value of the output adds up: windows overlap where they are larger than the stride.
    let overlap = max(1, taps / max(1, stride.height * stride.width))
    let (fanIn, fanOut) = (channels / groups * overlap, outputChannels / groups * taps)
    let weight = ParameterSpec(
      "weight",
      shape: [channels, outputChannels / groups, kernelSize.height, kernelSize.width],
      initializer: initializer, decays: true, fanIn: fanIn, fanOut: fanOut)
    let bias = ParameterSpec(
      "bias", shape: [outputChannels], initializer: biasInitializer, fanIn: fanIn, fanOut: fanOut)
    return hasBias ? [weight, bias] : [weight]
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int {
    inputs[0].count * (outputChannels / groups) * kernelSize.height * kernelSize.width
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    .upsampling(
      height: (vertical.span + stride.height - 1) / stride.height,
      width: (horizontal.span + stride.width - 1) / stride.width,
      verticalStride: stride.height, horizontalStride: stride.width,
      verticalStart: vertical.reversedStart, horizontalStart: horizontal.reversedStart)
  }

  public func sizeFormula(for inputs: [TensorType]) -> [String] {
    let maps = inputs[0].maps
    func line(_ axis: Window2D.Axis, _ size: Int, _ added: Int) -> String? {
      guard let output = try? Self.output(axis, of: size, added: added) else { return nil }
      return "\(axis.name) (\(size) − 1)·\(axis.stride) + \(axis.span) − \(axis.before) "
        + "− \(axis.after) + \(added) = \(output)"
    }
    return [
      line(vertical, maps.h, outputPadding.height), line(horizontal, maps.w, outputPadding.width),
    ].compactMap { $0 }
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: .vector) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    [genericCandidate(for: group)] + [blockedCandidate(for: group)].compactMap { $0 }
  }
}

extension Value {
  /// Applies ``ConvTranspose2D``.
  public func convTranspose2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    outputPadding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    name: String? = nil, frozen: Bool = false, regularizer: Regularizer? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      ConvTranspose2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        outputPadding: outputPadding, dilation: dilation, groups: groups, bias: bias,
        initializer: initializer, biasInitializer: biasInitializer), name: name, frozen: frozen,
      regularizer: regularizer,
      file: file, line: line)
  }
}

extension ConvTranspose2D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelSize, .stride, .padding,
    SettingSpec("outputPadding", .size, default: .integer(0), "cells added at the output's end"),
    .dilation, .groups, .bias, .initializer, .biasInitializer,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputChannels: try settings.integer("outputChannels"),
      kernelSize: try settings.size2D("kernelSize"), stride: try settings.size2D("stride"),
      padding: try settings.padding2D("padding"),
      outputPadding: try settings.size2D("outputPadding"),
      dilation: try settings.size2D("dilation"),
      groups: try settings.integer("groups"), bias: try settings.boolean("bias"),
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "outputChannels": .integer(outputChannels), "kernelSize": kernelSize.setting,
      "stride": stride.setting, "padding": padding.setting,
      "outputPadding": outputPadding.setting, "dilation": dilation.setting,
      "groups": .integer(groups),
      "bias": .boolean(hasBias), "initializer": .word(initializer.text),
      "biasInitializer": .word(biasInitializer.text),
    ]
  }

  public static let examples = [
    LayerExample(
      ConvTranspose2D(outputChannels: 4, kernelSize: 2, stride: 2), inputs: [2, 3, 3, 4]),
    LayerExample(
      ConvTranspose2D(
        outputChannels: 4, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, bias: false),
      inputs: [2, 3, 3, 4]),
  ]
}

extension Window2D.Axis {
  /// The centre of the inputs that the first output of the reversed convolution reads, in cells of its input.
  fileprivate var reversedStart: Double {
    (Double(before) - Double(span - 1) / 2) / Double(stride)
  }
}
