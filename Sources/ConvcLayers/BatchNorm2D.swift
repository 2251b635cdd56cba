import ConvcIR
import ConvcReference

/// Normalises each channel to mean 0 and variance 1, then scales and shifts it.
///
/// While training mean and variance are those of the batch, and running statistics follow them:
/// `running = (1 − momentum) · running + momentum · batch`, the variance unbiased there. Inference and frozen layers use
/// the running statistics: then the layer is one multiply-add per value, `y = x · scale + shift`, whose two factors
/// `prepare` computes.
///
/// - Input and output: `[N, C, H, W]`, `[N, C, L]` or `[N, C]`.
/// - Parameters: `weight [C]` (scale), `bias [C]`; statistics `running_mean [C]`, `running_var [C]`.
/// - Formula: `y = (x − mean) / √(variance + ε) · weight + bias`, with the biased variance.
/// - Gradient: through mean and variance too: `weight / √(variance + ε) · (d_y − mean(d_y) − x̂ · mean(d_y · x̂))`, `x̂` being
///   the normalised value; frozen or with running statistics, `weight / √(variance + ε) · d_y`.
/// - Saved for backward: mean and inverse deviation per channel.
/// - Lanes without an image count neither in statistics nor in gradients.
/// - Source: Ioffe and Szegedy 2015; ONNX `BatchNormalization`, opset 15.
public struct BatchNorm2D: Layer {
  public static let kind = "bn"

  /// Share of a batch in the running statistics.
  public let momentum: Float
  /// Added to the variance.
  public let epsilon: Float

  public init(momentum: Float = 0.1, epsilon: Float = 1e-5) {
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public var summary: String { "BatchNorm2D" }

  public var traits: LayerTraits { .centring }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    guard mode == .training, inputs[0].maps.n == 1 else { return [] }
    return [
      "takes mean and variance of a single image at a batch of 1; use a larger batch, or freeze it"
    ]
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (2...4).contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape,
        wayOut: "this layer works on [N, C, H, W], [N, C, L] or [N, C]")
    }
    guard momentum >= 0, momentum <= 1, epsilon > 0 else {
      throw .setting("momentum \(momentum) has to be in 0...1 and epsilon \(epsilon) above 0")
    }
    return input
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let shape = [inputs[0].maps.c]
    return [
      ParameterSpec("weight", shape: shape, initializer: .constant(1)),
      ParameterSpec("bias", shape: shape, initializer: .constant(0)),
      ParameterSpec("running_mean", shape: shape, initializer: .constant(0), isStatistic: true),
      ParameterSpec("running_var", shape: shape, initializer: .constant(1), isStatistic: true),
    ]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    if mode == .training, !frozen { return .anchor(accepts: [.vector, .readingInput]) }
    return .elementwise(
      Epilogue(
        template: "batchnorm", backwardTemplate: "batchnorm_frozen_backward", hasVectorForm: true,
        channelValues: ["scale", "shift"], backwardChannelValues: ["scale"], isAffine: true))
  }
}

extension Value {
  /// Applies ``BatchNorm2D``.
  public func batchNorm(
    name: String? = nil, frozen: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(BatchNorm2D(), name: name, frozen: frozen, file: file, line: line)
  }
}

extension BatchNorm2D: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "momentum", .number, default: .number(0.1), "share of a batch in the running statistics"),
    SettingSpec("epsilon", .number, default: .number(1e-5), "what is added to variances"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(momentum: try settings.float("momentum"), epsilon: try settings.float("epsilon"))
  }

  public var settingValues: [String: SettingValue] {
    ["momentum": SettingValue(momentum), "epsilon": SettingValue(epsilon)]
  }

  public static let examples = [
    LayerExample(BatchNorm2D(momentum: 0.1, epsilon: 1e-2), inputs: [3, 4, 4, 5]),
    LayerExample(BatchNorm2D(momentum: 0.3, epsilon: 1e-2), inputs: [9, 4]),
    LayerExample(BatchNorm2D(epsilon: 1e-2), inputs: [3, 4, 9]),
  ]
}
