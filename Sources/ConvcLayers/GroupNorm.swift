import ConvcIR
import ConvcReference

/// Normalises groups of neighbouring channels of each image to mean 0 and variance 1.
///
/// - Input and output: `[N, C, H, W]`, `[N, C, L]` or `[N, C]`.
/// - Parameters: `weight [C]` (scale, starts at 1) and `bias [C]` (shift, starts at 0), unless `hasParameters` is false.
/// - Formula: `y = (x − mean) / √(variance + ε)`, times the weight, plus the bias; the variance biased (over the count).
/// - Gradient: `d_x = s (g − mean(g) − x̂ mean(g x̂))` with g the output's gradient times the weight, s the inverse deviation,
///   x̂ the normalised value and means over the group; of `weight` the sum of `d_y x̂`, of `bias` the sum of `d_y`.
/// - Saved for backward: mean and inverse deviation of the group.
/// - Edges: a group of equal values becomes 0 (plus the shift). Statistics are summed around one of the values and joined
///   in double precision, so a large mean costs no digits of the variance. Images that fill up a vector count nowhere.
/// - Fusion: none, a group of its own: one pass for statistics, one for values.
/// - Errors: groups that do not divide the channels; groups of a single value; ε not above 0.
/// - Source: Wu and He 2018; ONNX `GroupNormalization`, opset 21; PyTorch `nn.GroupNorm`. One group is ``LayerNorm``, as many
///   as channels are ``InstanceNorm``.
public struct GroupNorm: Layer {
  public static let kind = "groupnorm"

  /// Groups of the channels.
  public let groups: Int
  /// Whether channels have a learned scale and shift.
  public let hasParameters: Bool
  /// What is added to variances, so that a group of equal values is divided by √ε.
  public let epsilon: Float

  public init(groups: Int, hasParameters: Bool = true, epsilon: Float = 1e-5) {
    self.groups = groups
    self.hasParameters = hasParameters
    self.epsilon = epsilon
  }

  public var summary: String { "GroupNorm of \(groups) groups" }
}

extension Value {
  /// Applies ``GroupNorm``.
  public func groupNorm(
    groups: Int, hasParameters: Bool = true, name: String? = nil, frozen: Bool = false,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      GroupNorm(groups: groups, hasParameters: hasParameters), name: name, frozen: frozen,
      file: file, line: line)
  }
}

extension GroupNorm: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("groups", .integer, default: nil, "groups with statistics of their own"),
    .scaleAndShift(default: true), .normEpsilon,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      groups: try settings.integer("groups"),
      hasParameters: try settings.boolean("hasParameters"),
      epsilon: try settings.float("epsilon"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "groups": .integer(groups), "hasParameters": .boolean(hasParameters),
      "epsilon": SettingValue(epsilon),
    ]
  }

  public static let examples = [
    LayerExample(GroupNorm(groups: 2, epsilon: 1e-2), inputs: [2, 4, 3, 5]),
    LayerExample(GroupNorm(groups: 2, hasParameters: false, epsilon: 1e-2), inputs: [2, 6]),
  ]
}

extension GroupNorm: GroupNormalization {
  package func groupCount(of channels: Int) -> Int { groups }

  package func check(_ input: TensorType) throws(LayerError) {
    let channels = input.maps.c
    guard groups > 0, channels % groups == 0 else {
      let divisors = (1...channels).filter { channels % $0 == 0 }.map(String.init)
      throw .setting(
        "\(groups) groups do not divide \(channels) channels; "
          + "choose one of \(divisors.joined(separator: ", "))")
    }
  }
}
