import ConvcIR
import ConvcReference
import Glibc

/// Takes an elementary function of each value.
///
/// - Input and output: any shape.
/// - Formula: one of exp, log, √x, |x|, −x, 1/x, ⌊x⌋, ⌈x⌉, rounding to the nearest (of two to the even one), sign, sin, cos,
///   erf, as C has them.
/// - Gradient: none.
/// - Edges: outside a function's domain what IEEE 754 and C say; NaN passes through.
/// - Fusion: an epilogue of the layer before.
/// - Errors: none.
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
    try inputs.single()
  }

  public func hasGradient(for inputs: [TensorType]) -> Bool { false }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "elementary", backwardTemplate: nil, hasVectorForm: false,
        constants: ["function": expression]))
  }

  /// Of the variable `v`, in C.
  private var expression: String {
    switch function {
    case .exp: "expf(v)"
    case .log: "logf(v)"
    case .sqrt: "sqrtf(v)"
    case .abs: "fabsf(v)"
    case .negate: "-v"
    case .reciprocal: "1.0f / v"
    case .floor: "floorf(v)"
    case .ceil: "ceilf(v)"
    case .round: "rintf(v)"
    case .sign: "v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : v"
    case .sin: "sinf(v)"
    case .cos: "cosf(v)"
    case .erf: "erff(v)"
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
