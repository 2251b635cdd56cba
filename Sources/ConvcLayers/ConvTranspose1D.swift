import ConvcIR
import ConvcReference

/// Spreads each value of a sequence over a window of a longer one with learned kernels: the reverse of a convolution's
/// shapes.
///
/// - Input: `[N, C, L]`.
/// - Output: `[N, K, OL]`, `OL = (L − 1)·stride − P_left − P_right + D·(S − 1) + 1 + outputPadding`.
/// - Parameters: `weight [C, K/groups, S]`, and `bias [K]` unless switched off.
/// - Gradient: of the input, the convolution of the output's gradient with the same kernel; of the weight, the sum over
///   images and places of the input times the output's gradient under the tap; of the bias, the sum of the output's gradient.
/// - Edges: paddings cut off cells of the output, output padding adds cells at its end that kernels may reach.
/// - Fusion: as ``ConvTranspose2D``, whose kernels it uses on maps of one row.
/// - Errors: input not of rank 3; channels or outputs that groups do not divide; an empty output; an output padding that is
///   not below the stride.
/// - Source: ONNX `ConvTranspose`, opset 11; PyTorch `ConvTranspose1d`.
public struct ConvTranspose1D: SequenceLayer {
  public static let kind = "convtranspose"

  public let outputChannels: Int
  public let kernelSize: Int
  public let stride: Int
  /// Cells that are cut off at the output's beginning and end.
  public let padding: (left: Int, right: Int)
  /// Cells that are added at the output's end.
  public let outputPadding: Int
  public let dilation: Int
  public let groups: Int
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  public init(
    outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero
  ) {
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding.cells(kernelSize: kernelSize, dilation: dilation)
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public var mapLayer: ConvTranspose2D {
    ConvTranspose2D(
      outputChannels: outputChannels, kernelSize: Size2D(height: 1, width: kernelSize),
      stride: Size2D(height: 1, width: stride),
      padding: Padding(top: 0, bottom: 0, left: padding.left, right: padding.right),
      outputPadding: Size2D(height: 0, width: outputPadding),
      dilation: Size2D(height: 1, width: dilation), groups: groups, bias: hasBias,
      initializer: initializer, biasInitializer: biasInitializer)
  }

  private var sides: Padding1D { .cells(left: padding.left, right: padding.right) }

  private var window: Window1D {
    Window1D(kernelSize: kernelSize, stride: stride, padding: sides, dilation: dilation)
  }

  public func check(length: Int) throws(LayerError) {
    _ = try ConvTranspose2D.output(window.axis, of: length, added: outputPadding)
  }

  public var summary: String {
    "ConvTranspose1D \(window.text)"
      + (outputPadding == 0 ? "" : ", output padding \(outputPadding)")
      + (groups == 1 ? "" : ", groups \(groups)") + (hasBias ? "" : ", no bias")
  }
}

extension Value {
  /// Applies ``ConvTranspose1D``.
  public func convTranspose1d(
    _ outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding1D = 0,
    outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero, name: String? = nil,
    frozen: Bool = false, regularizer: Regularizer? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      ConvTranspose1D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        outputPadding: outputPadding, dilation: dilation, groups: groups, bias: bias,
        initializer: initializer, biasInitializer: biasInitializer), name: name,
      frozen: frozen, regularizer: regularizer, file: file, line: line)
  }
}

extension ConvTranspose1D: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .outputChannels, .kernelLength, .strideLength, .sides,
    SettingSpec(
      "outputPadding", .integer, default: .integer(0), "cells added at the output's end"),
    .dilationLength, .groups, .bias, .initializer, .biasInitializer,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputChannels: try settings.integer("outputChannels"),
      kernelSize: try settings.integer("kernelSize"), stride: try settings.integer("stride"),
      padding: try settings.padding1D("padding"),
      outputPadding: try settings.integer("outputPadding"),
      dilation: try settings.integer("dilation"), groups: try settings.integer("groups"),
      bias: try settings.boolean("bias"),
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "outputChannels": .integer(outputChannels), "kernelSize": .integer(kernelSize),
      "stride": .integer(stride), "padding": sides.setting,
      "outputPadding": .integer(outputPadding), "dilation": .integer(dilation),
      "groups": .integer(groups), "bias": .boolean(hasBias),
      "initializer": .word(initializer.text), "biasInitializer": .word(biasInitializer.text),
    ]
  }

  public static let examples = [
    LayerExample(ConvTranspose1D(outputChannels: 4, kernelSize: 2, stride: 2), inputs: [2, 3, 5]),
    LayerExample(
      ConvTranspose1D(
        outputChannels: 3, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, bias: false),
      inputs: [2, 2, 6]),
  ]
}
