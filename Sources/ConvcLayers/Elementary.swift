import ConvcIR
import ConvcReference
import Glibc

/// Takes an elementary function of each value.
///
/// - Input and output: rank 2 to 4.
/// - Formula: one of exp, log, √x, |x|, −x, 1/x, ⌊x⌋, ⌈x⌉, rounding to the nearest (of two to the even one), sign, sin, cos,
///   erf, as C has them.
/// - Gradient: none.
/// - Edges: outside a function's domain what IEEE 754 and C say; NaN passes through.
/// - Fusion: none.
/// - Errors: input of another rank.
/// - Source: ONNX `Exp`, `Log`, `Sqrt`, `Abs`, `Neg`, `Reciprocal`, `Floor`, `Ceil`, `Round`, `Sign`, `Sin`, `Cos`, `Erf`.
public struct Elementary: Layer {
  public static let kind = "elementary"

  public enum Function: String, Sendable, Hashable, CaseIterable {
    case exp, log, sqrt, abs, negate, reciprocal, floor, ceil, round, sign, sin, cos, erf
  }

  public let function: Function

  public init(_ function: Function) { self.function = function }

  public var summary: String { "Elementary \(function.rawValue)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.singleOfAxes()
  }

  public func hasGradient(for inputs: [TensorType]) -> Bool { false }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    [rowsCandidate(for: group, forward: forward, backward: { _ in [] })]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let (x, y) = (context.inputs[0], context.output)
    return cellsCall(
      context.context, name: "forward", title: groupSummary(context.context), over: y,
      y.cell("y"), from: expression(x.cell("x")),
      arguments: [x.cellArgument("x", .read, like: y), y.cellArgument("y", .write, like: y)])
  }

  /// The function of a cell in C.
  private func expression(_ x: String) -> String {
    switch function {
    case .exp: "expf(\(x))"
    case .log: "logf(\(x))"
    case .sqrt: "sqrtf(\(x))"
    case .abs: "fabsf(\(x))"
    case .negate: "-\(x)"
    case .reciprocal: "1.0f / \(x)"
    case .floor: "floorf(\(x))"
    case .ceil: "ceilf(\(x))"
    case .round: "rintf(\(x))"
    case .sign: "\(x) > 0.0f ? 1.0f : \(x) < 0.0f ? -1.0f : \(x)"
    case .sin: "sinf(\(x))"
    case .cos: "cosf(\(x))"
    case .erf: "erff(\(x))"
    }
  }
}

extension Elementary: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    for i in 0..<y.count { y.address[i] = value(call.input.address[i]) }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    preconditionFailure("internal error: the gradient of \(summary), which has none")
  }

  private func value(_ x: Double) -> Double {
    switch function {
    case .exp: Glibc.exp(x)
    case .log: Glibc.log(x)
    case .sqrt: x.squareRoot()
    case .abs: Swift.abs(x)
    case .negate: -x
    case .reciprocal: 1 / x
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    case .sin: Glibc.sin(x)
    case .cos: Glibc.cos(x)
    case .erf: Glibc.erf(x)
    }
  }
}
