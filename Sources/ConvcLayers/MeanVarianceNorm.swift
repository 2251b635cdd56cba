import ConvcIR
import ConvcReference

/// Takes away the mean of each map of each image, or of all its maps, and divides by the deviation: MVN, without parameters.
///
/// - Input and output: `[N, C, H, W]`, `[N, C, L]` or, across channels, `[N, C]`.
/// - Formula: `y = (x − mean) / √(variance + ε)`; without `normalizesVariance` `y = x − mean`. The variance is biased (over the
///   count); ε stands under the root, so equal values are divided by √ε and stay 0.
/// - Gradient: `d_x = s (d_y − mean(d_y) − x̂ mean(d_y x̂))` with s the inverse deviation and x̂ the output; without
///   `normalizesVariance` `d_x = d_y − mean(d_y)`.
/// - Saved for backward: mean and inverse deviation.
/// - Edges: statistics are those of one image alone, in training and inference: other images of the batch change nothing.
/// - Fusion: none, a group of its own: one pass for statistics, one for values.
/// - Errors: maps of a single value, unless they are taken across channels; ε not above 0.
/// - Source: Caffe's MVN layer, as fully convolutional networks for segmentation have it after convolution and ReLU (its ε
///   of 1e-9 is added to the deviation); ONNX `MeanVarianceNormalization`, opset 13, takes the whole batch's statistics.
public struct MeanVarianceNorm: Layer {
  public static let kind = "mvn"

  /// Whether all maps of an image have their statistics in common.
  public let acrossChannels: Bool
  /// Whether the deviation is divided by; else the mean alone is taken away.
  public let normalizesVariance: Bool
  /// What is added to variances.
  public let epsilon: Float

  public init(
    acrossChannels: Bool = false, normalizesVariance: Bool = true, epsilon: Float = 1e-5
  ) {
    self.acrossChannels = acrossChannels
    self.normalizesVariance = normalizesVariance
    self.epsilon = epsilon
  }

  public var summary: String {
    "MeanVarianceNorm" + (acrossChannels ? " across channels" : "")
      + (normalizesVariance ? "" : ", mean alone")
  }

  public var traits: LayerTraits { acrossChannels ? [] : .centring }
}

extension Value {
  /// Applies ``MeanVarianceNorm``.
  public func meanVarianceNorm(
    acrossChannels: Bool = false, normalizesVariance: Bool = true, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      MeanVarianceNorm(acrossChannels: acrossChannels, normalizesVariance: normalizesVariance),
      name: name, file: file, line: line)
  }
}

extension MeanVarianceNorm: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec(
      "acrossChannels", .boolean, default: .boolean(false),
      "whether all maps of an image have their statistics in common"),
    SettingSpec(
      "normalizesVariance", .boolean, default: .boolean(true),
      "whether the deviation is divided by"), .normEpsilon,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      acrossChannels: try settings.boolean("acrossChannels"),
      normalizesVariance: try settings.boolean("normalizesVariance"),
      epsilon: try settings.float("epsilon"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "acrossChannels": .boolean(acrossChannels),
      "normalizesVariance": .boolean(normalizesVariance), "epsilon": SettingValue(epsilon),
    ]
  }

  public static let examples = [
    LayerExample(MeanVarianceNorm(epsilon: 1e-2), inputs: [2, 3, 4, 5]),
    LayerExample(MeanVarianceNorm(acrossChannels: true, epsilon: 1e-2), inputs: [2, 9]),
    LayerExample(MeanVarianceNorm(normalizesVariance: false), inputs: [2, 3, 4, 5]),
  ]
}

extension MeanVarianceNorm: GroupNormalization {
  package var hasParameters: Bool { false }
  package func groupCount(of channels: Int) -> Int { acrossChannels ? 1 : channels }
}
