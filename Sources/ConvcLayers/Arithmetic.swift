import ConvcIR
import ConvcReference
import Glibc

/// Computes with two values at each place, of two tensors or of a tensor and constants; extents of 1 stand for all.
///
/// - Inputs: rank 2 to 4; one tensor and constants, or two tensors of one rank.
/// - Output: of each axis the larger extent.
/// - Parameters: `value`, constants of an image's rank, where the layer has them: 1 unless a file of weights says
///   otherwise, and left alone by training.
/// - Formula: `y = a ∘ b` for one of add, subtract, multiply, divide, maximum, minimum, power.
/// - Gradient: of each tensor, summed over the axes where one of its cells stands for several; none where it has one image
///   for several. Of equal numbers the maximum and the minimum give each a half.
/// - Edges: dividing by 0 and powers of negative numbers give what IEEE 754 and C say; a maximum or minimum with NaN is NaN.
///   At 0 the gradient by the exponent is 0 unless the power is negative.
/// - Fusion: none.
/// - Errors: another number of inputs; extents that are neither equal nor 1; constants with an extent below 1, or of another
///   number of axes.
/// - Source: ONNX `Add`, `Sub`, `Mul`, `Div`, `Max`, `Min`, `Pow`, opset 13, with its broadcasting; PyTorch `+`, `-`, `*`,
///   `/`, `maximum`, `minimum`, `pow`. ``Add`` and ``Multiply`` are faster where shapes are equal.
public struct Arithmetic: Layer {
  public static let kind = "arithmetic"

  /// What is computed of a and b.
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    case add, subtract, multiply, divide, maximum, minimum, power
  }

  /// Where constants stand.
  public enum Side: String, Sendable, Hashable, CaseIterable {
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
    let images = inputs.map { $0.shape[0] }
    return images.min() == images.max()
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let expected = constants == nil ? 2 : 1
    guard inputs.count == expected else {
      throw .inputCount(expected: expected == 1 ? "one input" : "two inputs", got: inputs.count)
    }
    for input in inputs { try input.checkAxes() }
    if let constants, !constants.allSatisfy({ $0 >= 1 }) {
      throw .setting("constants \(constants) are none; every extent has to be at least 1")
    }
    let other = constants.map { [1] + $0 } ?? inputs[1].shape
    let shape = inputs[0].shape
    if let constants, constants.count != shape.count - 1 {
      throw .setting(
        "constants \(constants) do not have the \(shape.count - 1) axes of an image of \(inputs[0].shapeText); "
          + "extents of 1 stand for all")
    }
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
    let support =
      switch operation {
      case .maximum: ["support_larger_scalar"]
      case .minimum: ["support_smaller_scalar"]
      case .add, .subtract, .multiply, .divide, .power: [] as [String]
      }
    return cellsCall(
      context.context, name: "forward", title: groupSummary(context.context), over: y,
      y.cell("y"), from: expression(operands[0].cell, operands[1].cell), support: support,
      arguments: operands.map(\.argument) + [y.cellArgument("y", .write, like: y)])
  }

  private func expression(_ a: String, _ b: String) -> String {
    switch operation {
    case .add: "\(a) + \(b)"
    case .subtract: "\(a) - \(b)"
    case .multiply: "\(a) * \(b)"
    case .divide: "\(a) / \(b)"
    case .maximum: "larger_float(\(a), \(b))"
    case .minimum: "smaller_float(\(a), \(b))"
    case .power: "powf(\(a), \(b))"
    }
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    let operands = operands(context.forward)
    return context.inputGradients.enumerated().compactMap { index, gradient in
      guard let gradient else { return nil }
      let isLeft = constants == nil ? index == 0 : side == .right
      return backward(context, gradient.placement, gradient.accumulates, operands, isLeft: isLeft)
    }
  }

  /// The gradient of one tensor, of the operand on the left or on the right.
  private func backward(
    _ context: BackwardContext, _ dX: Placement, _ accumulates: Bool, _ operands: [Operand],
    isLeft: Bool
  ) -> KernelCall {
    let dY = context.outputGradient
    let slope = slope(dY.cell("d_y"), operands[0].cell, operands[1].cell, isLeft: isLeft)
    let own = operands[isLeft ? 0 : 1].argument.name
    let arguments =
      [dY.cellArgument("d_y", .read, like: dY)]
      + zip(operands, [slope.readsLeft, slope.readsRight]).filter(\.1).map(\.0.argument)
      + [dX.cellArgument("d_\(own)", accumulates ? .update : .write, like: dY)]
    let name = constants == nil ? "backward_\(own)" : "backward"
    let title = "gradient of \(constants == nil ? own : "the input")"
    let axes = dX.type.shape.indices.filter { dX.type.shape[$0] != dY.type.shape[$0] }
    let indices = zip(dY.axisVariables, dX.axisExtents).map { $1 == 1 ? "0" : $0 }
    guard !axes.isEmpty else {
      return cellsCall(
        context.context, name: name, title: title, over: dY, dX.cell("d_\(own)"),
        accumulates: accumulates, from: slope.text, support: slope.support, arguments: arguments)
    }
    precondition(axes[0] > 0, "internal error: the gradient of an image that stands for several")
    return sumCall(
      context.context, name: name, title: title + ", summed over what each cell stands for",
      over: dY, axes: Set(axes), dX.cell("d_\(own)", indices), accumulates: accumulates,
      from: slope.text, support: slope.support, arguments: arguments)
  }

  /// A gradient in C, and what it reads.
  private struct Slope {
    let text: String
    var readsLeft = false
    var readsRight = false
    var support: [String] = []
  }

  /// The gradient of the operand on the left or on the right, from that of the output.
  private func slope(_ dY: String, _ a: String, _ b: String, isLeft: Bool) -> Slope {
    switch operation {
    case .add: Slope(text: dY)
    case .subtract: Slope(text: isLeft ? dY : "-" + dY)
    case .multiply:
      Slope(text: "\(dY) * \(isLeft ? b : a)", readsLeft: !isLeft, readsRight: isLeft)
    case .divide:
      isLeft
        ? Slope(text: "\(dY) / \(b)", readsRight: true)
        : Slope(text: "-\(dY) * \(a) / (\(b) * \(b))", readsLeft: true, readsRight: true)
    case .maximum, .minimum:
      Slope(
        text: "\(dY) * "
          + (isLeft == (operation == .maximum)
            ? "share_float(\(a), \(b))" : "share_float(\(b), \(a))"),
        readsLeft: true, readsRight: true, support: ["support_share_scalar"])
    case .power:
      Slope(
        text: "\(dY) * \(isLeft ? "power_base_float" : "power_exponent_float")(\(a), \(b))",
        readsLeft: true, readsRight: true,
        support: [isLeft ? "support_power_base_scalar" : "support_power_exponent_scalar"])
    }
  }
}

extension String {
  /// The first index of a cell in C as another one.
  fileprivate func replacingFirstIndex(with index: String) -> String {
    guard let open = firstIndex(of: "["), let close = firstIndex(of: "]") else { return self }
    return self[...open] + index + self[close...]
  }
}

extension Value {
  /// Applies ``Arithmetic`` to this value, on the left, and another one.
  public func arithmetic(
    _ operation: Arithmetic.Operation, _ other: Value, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(Arithmetic(operation), with: [other], name: name, file: file, line: line)
  }

  /// Applies ``Arithmetic`` to this value and constants.
  ///
  /// - Parameter constants: their extents for one image.
  public func arithmetic(
    _ operation: Arithmetic.Operation, constants: [Int], side: Arithmetic.Side = .right,
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Arithmetic(operation, constants: constants, side: side), name: name, file: file, line: line)
  }
}

extension Arithmetic: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "operation", .word(Operation.allCases.map(\.rawValue)), default: nil,
      "what is computed of the two"),
    SettingSpec(
      "constants", .integers, default: .list([]),
      "extents of constants for one image; without them both are tensors"),
    SettingSpec(
      "side", .word(Side.allCases.map(\.rawValue)), default: .word("right"),
      "where constants stand"),
  ]

  public init(settings: Settings) throws(SettingError) {
    let constants = try settings.integers("constants")
    self.init(
      try settings.choice("operation"), constants: constants.isEmpty ? nil : constants,
      side: try settings.choice("side"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "operation": .word(operation.rawValue), "constants": SettingValue(constants ?? []),
      "side": .word(side.rawValue),
    ]
  }

  public static let examples = [
    LayerExample(Arithmetic(.subtract), inputs: [2, 3, 4, 5], [2, 3, 1, 1]),
    LayerExample(Arithmetic(.divide), inputs: [2, 1, 7], [2, 3, 7], needsPositive: true),
    LayerExample(Arithmetic(.minimum), inputs: [2, 6], [2, 6]),
    LayerExample(Arithmetic(.maximum), inputs: [2, 3, 4, 5], [2, 1, 4, 5]),
    LayerExample(Arithmetic(.power), inputs: [2, 3, 4, 5], [2, 3, 4, 1], needsPositive: true),
    LayerExample(Arithmetic(.multiply, constants: [1]), inputs: [2, 6]),
    LayerExample(Arithmetic(.subtract, constants: [1, 1, 1], side: .left), inputs: [2, 3, 4, 5]),
    LayerExample(Arithmetic(.divide, constants: [3, 4]), inputs: [2, 3, 1]),
  ]
}

extension Arithmetic: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    for i in 0..<y.count {
      let (a, b) = operands(at: i, call)
      y.address[i] = value(a, b)
      guard operation == .maximum || operation == .minimum else { continue }
      // Equal numbers have one origin, and stay equal.
      let distance = (a - b).magnitude
      decisions.note(a > b ? 1 : 0, distance: distance == 0 ? .infinity : distance)
    }
    return LayerResult(
      output: y, decisions: decisions.hash, margin: decisions.margin(in: call.input))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradients = call.inputs.map { DoubleTensor(shape: $0.shape) }
    for i in 0..<outputGradient.count {
      let (a, b) = operands(at: i, call)
      for (index, gradient) in gradients.enumerated() {
        let isLeft = constants == nil ? index == 0 : side == .right
        let place = Self.place(i, of: call.outputShape, in: gradient.shape)
        gradient.address[place] += outputGradient.address[i] * slope(a, b, isLeft: isLeft)
      }
    }
    return LayerGradients(
      inputs: gradients, parameters: call.parameters.map { DoubleTensor(shape: $0.shape) })
  }

  private func slope(_ a: Double, _ b: Double, isLeft: Bool) -> Double {
    switch operation {
    case .add: 1
    case .subtract: isLeft ? 1 : -1
    case .multiply: isLeft ? b : a
    case .divide: isLeft ? 1 / b : -a / (b * b)
    case .maximum: a == b ? 0.5 : (a > b) == isLeft ? 1 : 0
    case .minimum: a == b ? 0.5 : (a < b) == isLeft ? 1 : 0
    case .power:
      isLeft
        ? (b == 0 ? 0 : b * pow(a, b - 1)) : (a == 0 && b >= 0 ? 0 : pow(a, b) * Glibc.log(a))
    }
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
