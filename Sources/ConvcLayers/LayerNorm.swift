import ConvcIR
import ConvcReference

/// Normalises all values of each image together to mean 0 and variance 1.
///
/// - Input and output: `[N, C, H, W]`, `[N, C, L]` or `[N, F]`.
/// - Parameters: `weight [C]` (scale, starts at 1) and `bias [C]` (shift, starts at 0), one of each channel or feature, unless
///   `hasParameters` is false. PyTorch has one of each place of an image, which for features is the same.
/// - Formula: `y = (x − mean) / √(variance + ε)`, times the weight, plus the bias; the variance biased (over the count).
/// - Gradient: `d_x = s (g − mean(g) − x̂ mean(g x̂))` with g the output's gradient times the weight, s the inverse deviation,
///   x̂ the normalised value and means over the image; of `weight` the sum of `d_y x̂`, of `bias` the sum of `d_y`.
/// - Saved for backward: mean and inverse deviation of the image.
/// - Edges: an image of equal values becomes 0 (plus the shift). Statistics are summed around one of the values and joined
///   in double precision, so a large mean costs no digits of the variance. Images that fill up a vector count nowhere.
/// - Fusion: none, a group of its own: one pass for statistics, one for values.
/// - Errors: images of a single value; ε not above 0.
/// - Source: Ba, Kiros and Hinton 2016; ONNX `LayerNormalization`, opset 17; PyTorch `nn.LayerNorm`, for maps
///   `nn.GroupNorm(1, C)`.
public struct LayerNorm: Layer {
  public static let kind = "layernorm"

  /// Whether channels have a learned scale and shift.
  public let hasParameters: Bool
  /// What is added to variances, so that a group of equal values is divided by √ε.
  public let epsilon: Float

  public init(hasParameters: Bool = true, epsilon: Float = 1e-5) {
    self.hasParameters = hasParameters
    self.epsilon = epsilon
  }

  public var summary: String { "LayerNorm" }
}

extension Value {
  /// Applies ``LayerNorm``.
  public func layerNorm(
    hasParameters: Bool = true, name: String? = nil, frozen: Bool = false,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      LayerNorm(hasParameters: hasParameters), name: name, frozen: frozen, file: file, line: line)
  }
}

extension LayerNorm: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .scaleAndShift(default: true), .normEpsilon,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      hasParameters: try settings.boolean("hasParameters"),
      epsilon: try settings.float("epsilon"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "hasParameters": .boolean(hasParameters), "epsilon": SettingValue(epsilon),
    ]
  }

  public static let examples = [
    LayerExample(LayerNorm(epsilon: 1e-2), inputs: [2, 3, 4, 5]),
    LayerExample(LayerNorm(hasParameters: false, epsilon: 1e-2), inputs: [2, 9]),
  ]
}

extension LayerNorm: GroupNormalization {
  package func groupCount(of channels: Int) -> Int { 1 }
}
