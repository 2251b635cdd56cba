import ConvcIR
import ConvcReference

/// Takes a range of an axis, each cell or every so many.
///
/// - Input: rank 2 to 4.
/// - Output: the same with `(end − start)/step`, rounded up, cells on the axis.
/// - Formula: `y[..., i, ...] = x[..., start + i·step, ...]`
/// - Gradient: the output's at the cells that were taken, zero elsewhere.
/// - Fusion: none.
/// - Errors: input of another rank; axis 0, which is the batch; a range that is empty or leaves the axis; a step below 1;
///   sizes of a split that do not add up to the axis.
/// - Source: ONNX `Slice`, opset 13, for one axis; `Split`, opset 13, as several of them. PyTorch `narrow` and `split`.
public struct Slice: Layer {
  public static let kind = "slice"

  /// Counted with the batch: 1 for the channels.
  public let axis: Int
  /// First cell; negative: counted from the end.
  public let start: Int
  /// The cell behind the last; negative: counted from the end.
  public let end: Int
  public let step: Int
  /// What the sizes of a split add up to; nil: no split.
  private let total: Int?

  public init(axis: Int, start: Int, end: Int, step: Int = 1) {
    self.init(axis: axis, start: start, end: end, step: step, total: nil)
  }

  init(axis: Int, start: Int, end: Int, step: Int, total: Int?) {
    self.axis = axis
    self.start = start
    self.end = end
    self.step = step
    self.total = total
  }

  public var summary: String {
    "Slice axis \(axis), \(start)..<\(end)" + (step == 1 ? "" : ", every \(step)")
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleOfAxes()
    try input.checkAxis(axis)
    let extent = input.shape[axis]
    if let total, total != extent {
      throw .setting(
        "the sizes of the split add up to \(total), axis \(axis) of \(input.shapeText) has \(extent); each cell "
          + "belongs to one part: add or remove one")
    }
    guard step >= 1 else {
      throw .setting("a step of \(step) goes nowhere; steps are at least 1")
    }
    let (from, to) = range(extent)
    guard 0 <= from, from < to, to <= extent else {
      throw .setting(
        "\(start)..<\(end) is no range of axis \(axis) of \(input.shapeText); 0 <= start < end <= \(extent) works, "
          + "negative ones count from the end")
    }
    var shape = input.shape
    shape[axis] = (to - from + step - 1) / step
    return input.with(shape: shape)
  }

  /// First cell, and the one behind the last.
  private func range(_ extent: Int) -> (Int, Int) {
    (start < 0 ? extent + start : start, end < 0 ? extent + end : end)
  }

  /// Cells that are left out in front are padding the other way round.
  public func reach(for inputs: [TensorType]) -> Reach {
    let rank = inputs[0].shape.count
    guard rank > 2, axis > 1 else { return .value }
    let first = range(inputs[0].shape[axis]).0
    let isRow = rank == 4 && axis == 2
    return .window(
      height: 1, width: 1, verticalStride: isRow ? step : 1, horizontalStride: isRow ? 1 : step,
      padding: Border(top: isRow ? -first : 0, bottom: 0, left: isRow ? 0 : -first, right: 0))
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }

  public func sizeFormula(for inputs: [TensorType]) -> [String] { [] }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    let candidates = anyLayoutCandidates(
      for: group, needsFullBlocks: true, forward: forward, backward: backward)
    // Whole blocks of channels can be taken, parts of them cannot.
    let first = range(group.inputTypes[0].shape[axis]).0
    let keepsBlocks = axis != 1 || (step == 1 && first % group.target.lanes == 0)
    return candidates.filter { keepsBlocks || $0.output != .blocked }
  }

  private func place(_ x: Placement) -> PartPlace {
    let axes = 1..<x.type.shape.count
    return PartPlace(
      starts: axes.map { $0 == axis ? range(x.type.shape[axis]).0 : 0 },
      steps: axes.map { $0 == axis ? step : 1 })
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    let place = place(x)
    return [
      cellsCall(
        context.context, name: "forward", title: groupSummary(context.context), over: y,
        y.cell("y"), from: x.cell("x", place.indices(in: x)), constants: place.constants(in: x),
        arguments: [x.cellArgument("x", .read, like: y), y.cellArgument("y", .write, like: y)])
    ]
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (dX, dY) = (gradient.placement, context.outputGradient)
    let place = place(dX)
    let title = "gradient of the input"
    guard gradient.accumulates else {
      return [
        placePartCall(
          context.context, name: "backward", title: title, of: (dX, "d_x"), part: (dY, "d_y"),
          at: place, around: 0)
      ]
    }
    return [
      cellsCall(
        context.context, name: "backward", title: title, over: dY,
        dX.cell("d_x", place.indices(in: dX)), accumulates: true, from: dY.cell("d_y"),
        constants: place.constants(in: dX),
        arguments: [
          dY.cellArgument("d_y", .read, like: dY), dX.cellArgument("d_x", .update, like: dY),
        ])
    ]
  }
}

extension Value {
  /// Applies ``Slice``.
  public func slice(
    axis: Int, _ range: Range<Int>, step: Int = 1, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(
      Slice(axis: axis, start: range.lowerBound, end: range.upperBound, step: step), name: name,
      file: file, line: line)
  }

  /// Cuts an axis into parts of given sizes, each a ``Slice``.
  ///
  /// - Parameters:
  ///   - sizes: they have to add up to the axis.
  ///   - name: the parts are called `NAME_1`, `NAME_2`, ...; nil: they are numbered as slices.
  public func split(
    _ sizes: [Int], axis: Int, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> [Value] {
    var start = 0
    let total = sizes.reduce(0, +)
    return sizes.enumerated().map { index, size in
      defer { start += size }
      return apply(
        Slice(axis: axis, start: start, end: start + size, step: 1, total: total),
        name: name.map { "\($0)_\(index + 1)" }, file: file, line: line)
    }
  }
}

extension Slice: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("axis", .integer, default: nil, "counted with the batch: 1 for the channels"),
    SettingSpec("start", .integer, default: .integer(0), "first cell; negative: from the end"),
    SettingSpec(
      "end", .integer, default: nil, "the cell behind the last; negative: from the end"),
    SettingSpec("step", .integer, default: .integer(1), "cells from one to the next"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      axis: try settings.integer("axis"), start: try settings.integer("start"),
      end: try settings.integer("end"), step: try settings.integer("step"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "axis": .integer(axis), "start": .integer(start), "end": .integer(end),
      "step": .integer(step),
    ]
  }

  public static let examples = [
    LayerExample(Slice(axis: 1, start: 1, end: 3), inputs: [2, 3, 4, 5]),
    LayerExample(Slice(axis: 3, start: 0, end: 5, step: 2), inputs: [2, 3, 4, 5]),
  ]
}

extension Slice: ReferenceLayer {
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

  /// Calls `body` with the index of each cell that is taken, and its index in the output.
  private func forEachCell(_ call: LayerCall, _ body: (Int, Int) -> Void) {
    let (x, y) = (call.input.shape, call.outputShape)
    let inner = x[(axis + 1)...].reduce(1, *)
    let first = range(x[axis]).0
    for outer in 0..<x[..<axis].reduce(1, *) {
      for i in 0..<y[axis] {
        for j in 0..<inner {
          body(
            (outer * x[axis] + first + i * step) * inner + j, (outer * y[axis] + i) * inner + j)
        }
      }
    }
  }
}
