import ConvcIR

/// Multiplies features by a learned matrix and adds a bias.
///
/// - Input: `[N, F]`; maps are flattened in NCHW order by ``Flatten``.
/// - Output: `[N, K]`.
/// - Parameters: `weight [K, F]`, and `bias [K]` unless switched off.
/// - Fusion: takes ReLU and addition into its loops.
/// - Errors: input not of rank 2.
/// - Source: ONNX `Gemm` with `transB`, opset 13.
public struct Dense: Layer {
  public static let kind = "dense"

  public let outputs: Int
  public let hasBias: Bool
  public let initializer: Initializer

  public init(outputs: Int, bias: Bool = true, initializer: Initializer = .heNormal) {
    self.outputs = outputs
    hasBias = bias
    self.initializer = initializer
  }

  public var summary: String { "Dense" + (hasBias ? "" : ", no bias") }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard input.shape.count == 2 else {
      throw .rank(expected: 2, got: input.shape, wayOut: "put Flatten() before it")
    }
    guard outputs > 0 else { throw .setting("outputs \(outputs) has to be at least 1") }
    return input.with(shape: [input.shape[0], outputs])
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let features = inputs[0].shape[1]
    let weight = ParameterSpec(
      "weight", shape: [outputs, features], initializer: initializer, decays: true,
      fanIn: features, fanOut: outputs)
    let bias = ParameterSpec("bias", shape: [outputs], initializer: .constant(0))
    return hasBias ? [weight, bias] : [weight]
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int { inputs[0].count * outputs }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: .vector) }
}
