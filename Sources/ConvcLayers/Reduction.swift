import ConvcIR
import ConvcReference

/// A layer that sums over axes: ``ReduceMean`` or ``ReduceSum``.
protocol Reduction: ReferenceLayer {
  /// Counted with the batch: 1 for the channels.
  var axes: [Int] { get }
  /// Whether the axes stay, with one cell.
  var keepsDimensions: Bool { get }
  /// Whether sums are divided by the number of cells.
  static var isMean: Bool { get }
}

extension Reduction {
  public var summary: String {
    "\(Self.self) axes \(axes)" + (keepsDimensions ? "" : ", dropped")
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleOfAxes()
    for axis in axes { try input.checkAxis(axis) }
    guard !axes.isEmpty, Set(axes).count == axes.count else {
      throw .setting("axes \(axes) have to name one axis or more, each once")
    }
    guard keepsDimensions || axes.count < input.shape.count - 1 else {
      throw .setting(
        "without all of its axes an image of \(input.shapeText) has no shape; let keepsDimensions be true"
      )
    }
    return input.with(
      shape: input.shape.enumerated().compactMap { axis, extent in
        axes.contains(axis) ? (keepsDimensions ? 1 : nil) : extent
      })
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    axes == [1] && keepsDimensions ? .value : .everything
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .pooling }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    // Sums over the channels would need sums over a vector's lanes.
    anyLayoutCandidates(
      for: group, needsFullBlocks: true, forward: forwardCalls, backward: backwardCalls
    )
    .filter { $0.output != .blocked || !axes.contains(1) }
  }

  /// The result's cell that the cell of the input at the loops' variables counts in.
  private func cell(_ name: String, _ result: Placement, of input: Placement) -> String {
    let indices = input.axisVariables.enumerated().compactMap { axis, variable in
      axes.contains(axis + 1) ? (keepsDimensions ? "0" : nil) : variable
    }
    return result.cell(name, indices)
  }

  private func count(_ input: TensorType) -> Int {
    axes.reduce(1) { $0 * input.shape[$1] }
  }

  private func constants(_ input: TensorType) -> [ConstantRow] {
    Self.isMean ? [ConstantRow([Constant("COUNT", count(input))])] : []
  }

  private func forwardCalls(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    return [
      sumCall(
        context.context, name: "forward", title: groupSummary(context.context), over: x,
        axes: Set(axes), cell("y", y, of: x), from: x.cell("x"),
        result: Self.isMean ? "sum / (float)COUNT" : "sum", constants: constants(x.type),
        arguments: [x.cellArgument("x", .read, like: x), y.cellArgument("y", .write, like: x)])
    ]
  }

  private func backwardCalls(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (dX, dY) = (gradient.placement, context.outputGradient)
    return [
      cellsCall(
        context.context, name: "backward", title: "gradient of the input", over: dX,
        dX.cell("d_x"), accumulates: gradient.accumulates,
        from: cell("d_y", dY, of: dX) + (Self.isMean ? " * (1.0f / (float)COUNT)" : ""),
        constants: constants(dX.type),
        arguments: [
          dY.cellArgument("d_y", .read, like: dX),
          dX.cellArgument("d_x", gradient.accumulates ? .update : .write, like: dX),
        ])
    ]
  }

  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    let share = Self.isMean ? 1 / Double(count(TensorType(shape: call.input.shape))) : 1
    forEachCell(call) { input, output in
      y.address[output] += share * call.input.address[input]
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    let share = Self.isMean ? 1 / Double(count(TensorType(shape: call.input.shape))) : 1
    forEachCell(call) { input, output in
      gradient.address[input] = share * outputGradient.address[output]
    }
    return LayerGradients(inputs: [gradient])
  }

  /// Calls `body` with the index of each cell of the input, and that of the sum in which it counts.
  private func forEachCell(_ call: LayerCall, _ body: (Int, Int) -> Void) {
    let shape = call.input.shape
    for place in 0..<call.input.count {
      var (rest, output, stride) = (place, 0, 1)
      for axis in shape.indices.reversed() {
        if !axes.contains(axis) {
          output += rest % shape[axis] * stride
          stride *= shape[axis]
        }
        rest /= shape[axis]
      }
      body(place, output)
    }
  }
}

extension SettingSpec {
  static let axes = SettingSpec(
    "axes", .integers, default: nil, "counted with the batch: 1 for the channels")
  static let keepsDimensions = SettingSpec(
    "keepsDimensions", .boolean, default: .boolean(true), "whether the axes stay, with one cell")
}
