import ConvcIR
import ConvcReference

/// A layer whose output has the cells of its input in another order.
protocol CellPermutation: ReferenceLayer {
  /// Indices of the input's cell, in C, that stands at the loops' variables of the output; axes behind the batch.
  func source(_ variables: [String], input: TensorType, output: TensorType) -> [String]
  /// Indices of the output's cell at which the input's cell at the loops' variables stands.
  func target(_ variables: [String], input: TensorType, output: TensorType) -> [String]
  /// Place of the input's cell in an image that stands at an index of the output's image.
  func source(_ index: [Int], input: [Int], output: [Int]) -> [Int]
}

extension CellPermutation {
  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    // Channels become places: they cannot stand in a vector's lanes.
    anyLayoutCandidates(for: group, forward: forwardCalls, backward: backwardCalls)
      .filter { $0.output != .blocked }
  }

  private func forwardCalls(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    let from = source(y.axisVariables, input: x.type, output: y.type)
    return [
      cellsCall(
        context.context, name: "forward", title: groupSummary(context.context), over: y,
        y.cell("y"), from: x.cell("x", from),
        arguments: [x.cellArgument("x", .read, like: y), y.cellArgument("y", .write, like: y)])
    ]
  }

  private func backwardCalls(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (dX, dY) = (gradient.placement, context.outputGradient)
    let from = target(dX.axisVariables, input: dX.type, output: dY.type)
    return [
      cellsCall(
        context.context, name: "backward", title: "gradient of the input", over: dX,
        dX.cell("d_x"), accumulates: gradient.accumulates, from: dY.cell("d_y", from),
        arguments: [
          dY.cellArgument("d_y", .read, like: dX),
          dX.cellArgument("d_x", gradient.accumulates ? .update : .write, like: dX),
        ])
    ]
  }

  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    forEachCell(call) { input, output in y.address[output] = call.input.address[input] }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    forEachCell(call) { input, output in
      gradient.address[input] = outputGradient.address[output]
    }
    return LayerGradients(inputs: [gradient])
  }

  /// Calls `body` with the index of each cell in the input and in the output.
  private func forEachCell(_ call: LayerCall, _ body: (Int, Int) -> Void) {
    let input = Array(call.input.shape.dropFirst())
    let output = Array(call.outputShape.dropFirst())
    let count = output.reduce(1, *)
    for place in 0..<count {
      var rest = place
      var index = output
      for axis in output.indices.reversed() {
        index[axis] = rest % output[axis]
        rest /= output[axis]
      }
      let cell = zip(source(index, input: input, output: output), input)
        .reduce(0) { $0 * $1.1 + $1.0 }
      for n in 0..<call.outputShape[0] { body(n * count + cell, n * count + place) }
    }
  }
}
