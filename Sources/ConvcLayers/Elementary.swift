import ConvcIR
import ConvcReference
import Glibc

/// Takes an elementary function of each value.
///
/// - Input and output: rank 2 to 4.
/// - Formula: one of exp, log, √x, |x|, −x, 1/x, ⌊x⌋, ⌈x⌉, rounding to the nearest (of two to the even one), sign, sin, cos,
///   erf, as C has them.
/// - Gradient: from the input; of |x| at 0 it is 0. ⌊x⌋, ⌈x⌉, rounding and sign have none: they are flat between their
///   steps, so what comes before them cannot be trained.
/// - Edges: outside a function's domain what IEEE 754 and C say; NaN passes through.
/// - Fusion: none.
/// - Errors: input of another rank; layers to be trained before a function without a gradient.
/// - Source: ONNX `Exp`, `Log`, `Sqrt`, `Abs`, `Neg`, `Reciprocal`, `Floor`, `Ceil`, `Round`, `Sign`, `Sin`, `Cos`, `Erf`,
///   opset 13; PyTorch functions of these names.
public struct Elementary: Layer {
  public static let kind = "elementary"

  /// What is computed of each value.
  public enum Function: String, Sendable, Hashable, CaseIterable {
    case exp, log, sqrt, abs, negate, reciprocal, floor, ceil, round, sign, sin, cos, erf

    /// Whether the function changes with its value elsewhere than at steps.
    var hasGradient: Bool {
      switch self {
      case .floor, .ceil, .round, .sign: false
      case .exp, .log, .sqrt, .abs, .negate, .reciprocal, .sin, .cos, .erf: true
      }
    }
  }

  public let function: Function

  public init(_ function: Function) { self.function = function }

  public var summary: String { "Elementary \(function.rawValue)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.singleOfAxes()
  }

  public func hasGradient(for inputs: [TensorType]) -> Bool { function.hasGradient }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}

// MARK: Kernels

extension Elementary {
  public func candidates(for group: GroupContext) -> [Candidate] {
    [rowsCandidate(for: group, forward: forward, backward: backward)]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let (x, y) = (context.inputs[0], context.output)
    return cellsCall(
      context.context, name: "forward", title: groupSummary(context.context), over: y,
      y.cell("y"), from: expression(x.cell("x")),
      support: function == .sign ? ["support_sign_scalar"] : [],
      arguments: [x.cellArgument("x", .read, like: y), y.cellArgument("y", .write, like: y)])
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (x, dY, dX) = (context.forward.inputs[0], context.outputGradient, gradient.placement)
    return [
      cellsCall(
        context.context, name: "backward", title: "gradient of the input", over: dY,
        dX.cell("d_x"), accumulates: gradient.accumulates,
        from: slope(dY.cell("d_y"), x.cell("x")),
        support: function == .abs ? ["support_sign_scalar"] : [],
        arguments: [dY.cellArgument("d_y", .read, like: dY)]
          + (function == .negate ? [] : [x.cellArgument("x", .read, like: dY)])
          + [dX.cellArgument("d_x", gradient.accumulates ? .update : .write, like: dY)])
    ]
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
    case .sign: "sign_float(\(x))"
    case .sin: "sinf(\(x))"
    case .cos: "cosf(\(x))"
    case .erf: "erff(\(x))"
    }
  }

  /// The gradient of a cell in C, from that of the output's cell.
  private func slope(_ dY: String, _ x: String) -> String {
    switch function {
    case .exp: "\(dY) * expf(\(x))"
    case .log: "\(dY) / \(x)"
    case .sqrt: "\(dY) * 0.5f / sqrtf(\(x))"
    case .abs: "\(dY) * sign_float(\(x))"
    case .negate: "-\(dY)"
    case .reciprocal: "-\(dY) / (\(x) * \(x))"
    case .sin: "\(dY) * cosf(\(x))"
    case .cos: "-\(dY) * sinf(\(x))"
    // 2 / √π e^−x².
    case .erf: "\(dY) * 1.128379167f * expf(-\(x) * \(x))"
    case .floor, .ceil, .round, .sign:
      preconditionFailure("internal error: the gradient of \(summary), which has none")
    }
  }
}

extension Value {
  /// Applies ``Elementary``.
  public func elementary(
    _ function: Elementary.Function, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Elementary(function), name: name, file: file, line: line)
  }
}

extension Elementary: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "function", .word(Function.allCases.map(\.rawValue)), default: nil,
      "what is computed of each value")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(try settings.choice("function"))
  }

  public var settingValues: [String: SettingValue] { ["function": .word(function.rawValue)] }

  /// Those with a gradient.
  public static let examples = [
    LayerExample(Elementary(.abs), inputs: [2, 3, 4, 5]),
    LayerExample(Elementary(.sin), inputs: [2, 3, 4, 5]),
    LayerExample(Elementary(.cos), inputs: [2, 3, 7]),
    LayerExample(Elementary(.erf), inputs: [2, 6]),
    LayerExample(Elementary(.negate), inputs: [2, 3, 4, 5]),
    LayerExample(Elementary(.exp), inputs: [2, 3, 4, 5], needsPositive: true),
    LayerExample(Elementary(.log), inputs: [2, 3, 4, 5], needsPositive: true),
    LayerExample(Elementary(.sqrt), inputs: [2, 3, 7], needsPositive: true),
    LayerExample(Elementary(.reciprocal), inputs: [2, 6], needsPositive: true),
  ]
}

extension Elementary: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    for i in 0..<y.count {
      y.address[i] = value(x.address[i])
      guard function == .abs else { continue }
      // A value on the kink comes from another layer that stops there, and stays.
      let distance = x.address[i].magnitude
      decisions.note(x.address[i] > 0 ? 1 : 0, distance: distance == 0 ? .infinity : distance)
    }
    return LayerResult(output: y, decisions: decisions.hash, margin: decisions.margin(in: x))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    for i in 0..<gradient.count {
      gradient.address[i] = outputGradient.address[i] * derivative(call.input.address[i])
    }
    return LayerGradients(inputs: [gradient])
  }

  private func derivative(_ x: Double) -> Double {
    switch function {
    case .exp: Glibc.exp(x)
    case .log: 1 / x
    case .sqrt: 0.5 / x.squareRoot()
    case .abs: x > 0 ? 1 : x < 0 ? -1 : x
    case .negate: -1
    case .reciprocal: -1 / (x * x)
    case .sin: Glibc.cos(x)
    case .cos: -Glibc.sin(x)
    case .erf: 2 / Double.pi.squareRoot() * Glibc.exp(-x * x)
    case .floor, .ceil, .round, .sign:
      preconditionFailure("internal error: the gradient of \(summary), which has none")
    }
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
