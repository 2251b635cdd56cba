import ConvcIR
import ConvcReference

/// Normalises each map of each image to mean 0 and variance 1.
///
/// - Input and output: `[N, C, H, W]` or `[N, C, L]`.
/// - Parameters: none by default; with `hasParameters` `weight [C]` (scale, starts at 1) and `bias [C]` (shift, starts at 0).
/// - Formula: `y = (x − mean) / √(variance + ε)`, times the weight, plus the bias; the variance biased (over the count).
/// - Gradient: `d_x = s (g − mean(g) − x̂ mean(g x̂))` with g the output's gradient times the weight, s the inverse deviation,
///   x̂ the normalised value and means over the map; of `weight` the sum of `d_y x̂`, of `bias` the sum of `d_y`.
/// - Saved for backward: mean and inverse deviation of the map.
/// - Edges: a map of equal values becomes 0 (plus the shift). Statistics are summed around one of the values and joined
///   in double precision, so a large mean costs no digits of the variance. Images that fill up a vector count nowhere.
/// - Fusion: none, a group of its own: one pass for statistics, one for values.
/// - Errors: maps of a single value, whose normalised value is always 0; ε not above 0.
/// - Source: Ulyanov, Vedaldi and Lempitsky 2016; ONNX `InstanceNormalization`, opset 22; PyTorch `nn.InstanceNorm2d`
///   without running statistics.
public struct InstanceNorm: Layer {
  public static let kind = "instancenorm"

  /// Whether channels have a learned scale and shift.
  public let hasParameters: Bool
  /// What is added to variances, so that a group of equal values is divided by √ε.
  public let epsilon: Float

  public init(hasParameters: Bool = false, epsilon: Float = 1e-5) {
    self.hasParameters = hasParameters
    self.epsilon = epsilon
  }

  public var summary: String { "InstanceNorm" }

  public var traits: LayerTraits { .centring }
}

extension Value {
  /// Applies ``InstanceNorm``.
  public func instanceNorm(
    hasParameters: Bool = false, name: String? = nil, frozen: Bool = false,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      InstanceNorm(hasParameters: hasParameters), name: name, frozen: frozen, file: file, line: line
    )
  }
}

extension InstanceNorm: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    .scaleAndShift(default: false), .normEpsilon,
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
    LayerExample(InstanceNorm(epsilon: 1e-2), inputs: [2, 3, 4, 5]),
    LayerExample(InstanceNorm(hasParameters: true, epsilon: 1e-2), inputs: [2, 3, 4, 5]),
  ]
}

extension InstanceNorm: GroupNormalization {
  package func groupCount(of channels: Int) -> Int { channels }
}
