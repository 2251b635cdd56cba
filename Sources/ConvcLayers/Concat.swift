import ConvcIR

/// Puts maps or features behind one another, along the channels.
///
/// - Inputs: one or more `[N, C_i, H, W]` or `[N, F_i]`. Output: the same with the sum of the channels.
/// - Errors: ranks, heights or widths that differ.
/// - Source: ONNX `Concat` with axis 1, opset 13.
public struct Concat: Layer {
  public static let kind = "concat"

  public init() {}

  public var summary: String { "Concat" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard let first = inputs.first else {
      throw .inputCount(expected: "at least one input", got: 0)
    }
    for input in inputs
    where input.shape.count != first.shape.count
      || input.shape.dropFirst(2) != first.shape.dropFirst(2)
    {
      throw .shapesDiffer(
        first.shape, input.shape, wayOut: "everything but the channels has to agree")
    }
    var shape = first.shape
    shape[1] = inputs.reduce(0) { $0 + $1.shape[1] }
    return first.with(shape: shape)
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}
