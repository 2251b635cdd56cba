import ConvcIR
import ConvcReference

/// Multiplies values, cell by cell; one value a map scales the whole map.
///
/// - Inputs: two or more of one shape, or of `[N, C, 1, 1]` (sequences: `[N, C, 1]`), which stand for all places of their
///   maps, as the gates of squeeze-and-excitation do.
/// - Output: the shape of the largest input.
/// - Formula: `y = x1 · x2 · ...`
/// - Gradient: of each input, the output's gradient times the other inputs; summed over the map where one value stands for
///   it.
/// - Fusion: none: its gradient needs the inputs.
/// - Errors: fewer than two inputs; shapes that differ otherwise.
/// - Source: ONNX `Mul`, opset 14; gates after Hu et al. 2018, Squeeze-and-Excitation Networks.
public struct Multiply: Layer {
  public static let kind = "multiply"

  public init() {}

  public var summary: String { "Multiply" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard inputs.count >= 2 else {
      throw .inputCount(expected: "at least two inputs", got: inputs.count)
    }
    let whole = inputs.dropFirst().reduce(inputs[0]) { $1.count > $0.count ? $1 : $0 }
    for input in inputs where input.shape != whole.shape {
      guard input.shape == Self.gate(of: whole) else {
        throw .shapesDiffer(
          whole.shape, input.shape,
          wayOut: "bring both to one shape, or one of them to a value a map, as global pooling does"
        )
      }
    }
    return whole
  }

  /// The shape with one value a map.
  private static func gate(of whole: TensorType) -> [Int] {
    whole.shape.prefix(2) + whole.shape.dropFirst(2).map { _ in 1 }
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let y = context.output
    let factors = context.inputs.indices.map { factor($0, context) }
    return [
      cellsCall(
        context.context, name: "forward", title: groupSummary(context.context), over: y,
        y.cell("y"), from: factors.map(\.cell).joined(separator: " * "),
        arguments: factors.map(\.argument) + [y.cellArgument("y", .write, like: y)])
    ]
  }

  /// An input as an argument, and its cell at the loops' variables of the output.
  private func factor(_ index: Int, _ context: ForwardContext) -> (argument: Argument, cell: String)
  {
    let (x, y) = (context.inputs[index], context.output)
    let name = "x\(index + 1)"
    let indices = zip(y.axisVariables, x.axisExtents).enumerated().map { axis, entry in
      axis > 0 && entry.1 == 1 ? "0" : entry.0
    }
    return (x.cellArgument(name, .read, like: y), x.cell(name, indices))
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    let dY = context.outputGradient
    return context.inputGradients.enumerated().compactMap { index, gradient in
      guard let gradient else { return nil }
      let dX = gradient.placement
      let others = context.inputGradients.indices.filter { $0 != index }
        .map { factor($0, context.forward) }
      let from = ([dY.cell("d_y")] + others.map(\.cell)).joined(separator: " * ")
      let name = "d_x\(index + 1)"
      let arguments =
        [dY.cellArgument("d_y", .read, like: dY)] + others.map(\.argument)
        + [dX.cellArgument(name, gradient.accumulates ? .update : .write, like: dY)]
      let title = "gradient of input \(index + 1)"
      if dX.type == dY.type {
        return cellsCall(
          context.context, name: "backward_\(index + 1)", title: title, over: dY, dX.cell(name),
          accumulates: gradient.accumulates, from: from, arguments: arguments)
      }
      let indices = ["m"] + dY.axisVariables.dropFirst().map { _ in "0" }
      return sumCall(
        context.context, name: "backward_\(index + 1)", title: title + ", summed over the map",
        over: dY, axes: Set(2..<dY.type.shape.count), dX.cell(name, indices),
        accumulates: gradient.accumulates, from: from, arguments: arguments)
    }
  }
}

extension Value {
  /// Applies ``Multiply``.
  public func multiply(
    _ others: Value..., name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Multiply(), with: others, name: name, file: file, line: line)
  }
}

extension Multiply: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [
    LayerExample(Multiply(), inputs: [2, 3, 4, 5], [2, 3, 4, 5]),
    LayerExample(Multiply(), inputs: [2, 3, 4, 5], [2, 3, 1, 1]),
  ]
}

extension Multiply: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = product(call, call.inputs.indices.map { $0 }, times: nil)
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(
      inputs: call.inputs.indices.map { index in
        let others = call.inputs.indices.filter { $0 != index }
        let whole = product(call, others, times: outputGradient)
        let gradient = DoubleTensor(shape: call.inputs[index].shape)
        let places = whole.count / gradient.count
        for i in 0..<whole.count { gradient.address[i / places] += whole.address[i] }
        return gradient
      })
  }

  /// The product of some inputs, and of `factor`, at each place of the output.
  private func product(_ call: LayerCall, _ inputs: [Int], times factor: DoubleTensor?)
    -> DoubleTensor
  {
    let y = DoubleTensor(shape: call.outputShape)
    for i in 0..<y.count {
      var product = factor?.address[i] ?? 1
      for input in inputs {
        let x = call.inputs[input]
        product *= x.address[i / (y.count / x.count)]
      }
      y.address[i] = product
    }
    return y
  }
}
