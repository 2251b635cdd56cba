import ConvcIR
import ConvcReference
import Glibc

/// Computes with two values at each place, of two tensors or of a tensor and constants; extents of 1 stand for all.
///
/// - Inputs: rank 2 to 4; one tensor and constants, or two tensors of one rank.
/// - Output: of each axis the larger extent.
/// - Parameters: `value`, constants of an image's rank, which training leaves alone.
/// - Formula: `y = a ∘ b` for one of add, subtract, multiply, divide, maximum, minimum, power.
/// - Gradient: of a tensor that is added to, multiplied or divided by constants, where it has the output's shape; else none.
/// - Edges: dividing by 0 and powers of negative numbers give what IEEE 754 and C say; a maximum or minimum with NaN is NaN.
/// - Fusion: none.
/// - Errors: another number of inputs; extents that are neither equal nor 1.
/// - Source: ONNX `Add`, `Sub`, `Mul`, `Div`, `Max`, `Min`, `Pow`, opset 13, with its broadcasting.
public struct Arithmetic: Layer {
  public static let kind = "arithmetic"

  /// What is computed of a and b.
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    case add, subtract, multiply, divide, maximum, minimum, power
  }

  /// Where constants stand.
  public enum Side: String, Sendable, Hashable {
    case left, right
  }

  public let operation: Operation
  /// Extents of the constants for one image; nil: both operands are tensors.
  public let constants: [Int]?
  /// The side of the constants.
  public let side: Side

  public init(_ operation: Operation, constants: [Int]? = nil, side: Side = .right) {
    self.operation = operation
    self.constants = constants
    self.side = side
  }

  public var summary: String {
    let extents = constants.map { $0.map(String.init).joined(separator: "x") }
    return "Arithmetic \(operation.rawValue)"
      + (extents.map { side == .right ? ", constants \($0)" : ", constants \($0) first" } ?? "")
  }

  public func hasGradient(for inputs: [TensorType]) -> Bool {
    guard constants != nil, (try? output(for: inputs)) == inputs[0] else { return false }
    switch operation {
    case .add, .subtract, .multiply: return true
    case .divide: return side == .right
    case .maximum, .minimum, .power: return false
    }
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let expected = constants == nil ? 2 : 1
    guard inputs.count == expected else {
      throw .inputCount(expected: expected == 1 ? "one input" : "two inputs", got: inputs.count)
    }
    for input in inputs { try input.checkAxes() }
    let other = constants.map { [1] + $0 } ?? inputs[1].shape
    let shape = inputs[0].shape
    let fits =
      shape.count == other.count
      && zip(shape, other).allSatisfy { $0 == $1 || $0 == 1 || $1 == 1 }
    guard fits else {
      throw .shapesDiffer(
        shape, other, wayOut: "extents of one axis have to be equal, or one of them 1")
    }
    return inputs[0].with(shape: zip(shape, other).map(max))
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    guard let constants else { return [] }
    return [
      ParameterSpec("value", shape: constants, initializer: .constant(1), isConstant: true)
    ]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }
}

// MARK: Kernels

extension Arithmetic {
  public func candidates(for group: GroupContext) -> [Candidate] {
    [rowsCandidate(for: group, forward: forward, backward: backward)]
  }

  /// An operand as an argument of a kernel, and its cell at the loops' variables.
  private typealias Operand = (argument: Argument, cell: String)

  private func tensor(_ x: Placement, _ name: String, over y: Placement) -> Operand {
    let indices = zip(y.axisVariables, x.axisExtents).map { $1 == 1 ? "0" : $0 }
    let cell = x.cell(name, indices)
    let image = x.maps.n == 1 && y.maps.n > 1 ? cell.replacingFirstIndex(with: "0") : cell
    return (x.cellArgument(name, .read, like: y), image)
  }

  private func constant(_ context: ForwardContext) -> Operand? {
    guard let constants, let node = context.context.anchor else { return nil }
    let y = context.output
    let indices = zip(y.axisVariables, constants).map { $1 == 1 ? "0" : $0 }
    let argument = Argument(
      "value", element: "float", access: .read,
      buffer: context.buffers.parameter(node.parameters[0]),
      dimensions: constants.dropFirst().map(String.init),
      text: "[\(constants.map(String.init).joined(separator: ", "))]  constants")
    return (argument, "value" + indices.map { "[\($0)]" }.joined())
  }

  private func operands(_ context: ForwardContext) -> [Operand] {
    let y = context.output
    guard let constant = constant(context) else {
      return zip(context.inputs, ["a", "b"]).map { tensor($0, $1, over: y) }
    }
    let x = tensor(context.inputs[0], "x", over: y)
    return side == .right ? [x, constant] : [constant, x]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let y = context.output
    let operands = operands(context)
    return cellsCall(
      context.context, name: "forward", title: groupSummary(context.context), over: y,
      y.cell("y"), from: expression(operands[0].cell, operands[1].cell),
      arguments: operands.map(\.argument) + [y.cellArgument("y", .write, like: y)])
  }

  private func expression(_ a: String, _ b: String) -> String {
    switch operation {
    case .add: "\(a) + \(b)"
    case .subtract: "\(a) - \(b)"
    case .multiply: "\(a) * \(b)"
    case .divide: "\(a) / \(b)"
    // Where one is NaN neither comparison holds, and the sum is NaN.
    case .maximum: "\(a) > \(b) ? \(a) : \(b) >= \(a) ? \(b) : \(a) + \(b)"
    case .minimum: "\(a) < \(b) ? \(a) : \(b) <= \(a) ? \(b) : \(a) + \(b)"
    case .power: "powf(\(a), \(b))"
    }
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let dY = context.outputGradient
    let dX = gradient.placement
    precondition(
      dX.type == dY.type, "internal error: the gradient of a value that stands for several")
    var arguments = [dY.cellArgument("d_y", .read, like: dY)]
    var from = dY.cell("d_y")
    if operation == .multiply || operation == .divide, let constant = constant(context.forward) {
      arguments.append(constant.argument)
      from += (operation == .multiply ? " * " : " / ") + constant.cell
    } else if operation == .subtract, side == .left {
      from = "-" + from
    }
    return [
      cellsCall(
        context.context, name: "backward", title: "gradient of the input", over: dY,
        dX.cell("d_x"), accumulates: gradient.accumulates, from: from,
        arguments: arguments
          + [dX.cellArgument("d_x", gradient.accumulates ? .update : .write, like: dY)])
    ]
  }
}

extension String {
  /// The first index of a cell in C as another one.
  fileprivate func replacingFirstIndex(with index: String) -> String {
    guard let open = firstIndex(of: "["), let close = firstIndex(of: "]") else { return self }
    return self[...open] + index + self[close...]
  }
}

extension Arithmetic: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    for i in 0..<y.count {
      let (a, b) = operands(at: i, call)
      y.address[i] = value(a, b)
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    for i in 0..<outputGradient.count {
      let (a, b) = operands(at: i, call)
      let constant = side == .right ? b : a
      let slope: Double =
        switch operation {
        case .multiply: constant
        case .divide: 1 / constant
        case .subtract: side == .left ? -1 : 1
        default: 1
        }
      gradient.address[i] += outputGradient.address[i] * slope
    }
    return LayerGradients(
      inputs: [gradient], parameters: [DoubleTensor(shape: call.parameters[0].shape)])
  }

  private func value(_ a: Double, _ b: Double) -> Double {
    switch operation {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
    case .power: pow(a, b)
    }
  }

  /// Both operands at a place of the output.
  private func operands(at index: Int, _ call: LayerCall) -> (Double, Double) {
    let x = call.input.address[Self.place(index, of: call.outputShape, in: call.input.shape)]
    let other = constants == nil ? call.inputs[1] : call.parameters[0]
    let shape = constants.map { [1] + $0 } ?? other.shape
    let y = other.address[Self.place(index, of: call.outputShape, in: shape)]
    return constants != nil && side == .left ? (y, x) : (x, y)
  }

  /// The place in a tensor whose extents of 1 stand for all.
  private static func place(_ index: Int, of whole: [Int], in shape: [Int]) -> Int {
    var (rest, place, stride) = (index, 0, 1)
    for (extent, own) in zip(whole, shape).reversed() {
      if own > 1 { place += rest % extent * stride }
      stride *= own
      rest /= extent
    }
    return place
  }
}
