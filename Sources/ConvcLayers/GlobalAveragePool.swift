import ConvcIR

/// Takes the mean of each map.
///
/// - Input: `[N, C, H, W]`. Output: `[N, C, 1, 1]`.
/// - Errors: input not of rank 4.
/// - Source: ONNX `GlobalAveragePool`, opset 1.
public struct GlobalAveragePool: Layer {
  public static let kind = "gap"

  public init() {}

  public var summary: String { "GlobalAveragePool" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    return input.with(shape: [input.maps.n, input.maps.c, 1, 1])
  }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}
