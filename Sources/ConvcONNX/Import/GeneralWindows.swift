import ConvcIR
import ConvcLayers

/// Convolution and pooling by their definition: over any number of axes, and with weights of run time.
extension NodeConversion {
  /// The variables of a nest over windows.
  private struct WindowCells {
    /// Extents of the input's axes in space.
    let space: [Int]
    let steps: [LoopNest.Step]
    /// The input's cell on each axis in space.
    let places: [Cell]
    /// What holds where the cell is inside the input.
    let guards: [Cell]
  }

  private static let axisNames = ["d", "h", "w"]

  private static func axisName(_ axis: Int, of count: Int) -> String {
    count <= 3 ? axisNames[3 - count + axis] : "p\(axis)"
  }

  /// Cells of a window that moves over the input: `o · stride + k · dilation − padding`.
  ///
  /// - Parameters:
  ///   - first: the output's first axis in space; the window's variables start at `window`.
  private func cells(
    _ window: OperatorWindow, space: [Int], output: [Int], first: Int, window start: Int
  ) -> WindowCells {
    var steps: [LoopNest.Step] = []
    var places: [Cell] = []
    var guards: [Cell] = []
    for axis in space.indices {
      let (kernel, stride, dilation) = (
        window.kernel[axis], window.strides[axis], window.dilations[axis]
      )
      let place =
        .variable(first + axis) * .whole(stride) + .variable(start + axis) * .whole(dilation)
        + .whole(-window.before[axis])
      places.append(.step(steps.count))
      steps.append(LoopNest.Step(Self.axisName(axis, of: space.count), place))
      let last = (output[axis] - 1) * stride + (kernel - 1) * dilation - window.before[axis]
      if window.before[axis] > 0 || last >= space[axis] {
        guards.append(Cell.step(axis).isIn(space[axis]))
      }
    }
    return WindowCells(space: space, steps: steps, places: places, guards: guards)
  }

  // MARK: Convolution

  func generalConvolution() throws(ConversionError) {
    let third = try optionalOperand(2)
    let operands = numbered([try operand(0), try operand(1)] + (third.map { [$0] } ?? []))
    let (x, w) = (operands[0], operands[1])
    let groups = try int("group", 1)
    let rank = x.shape.count
    guard rank > 2, w.shape.count == rank, groups > 0, w.shape[1] * groups == x.shape[1],
      w.shape[0] % groups == 0
    else {
      throw problem(
        "has weights \(w.shape) in \(groups) groups for an input of \(x.shape); export the model again"
      )
    }
    let space = Array(x.shape.dropFirst(2))
    let window = try window(kernel: Array(w.shape.dropFirst(2)), space: space)
    guard window.kernel == Array(w.shape.dropFirst(2)) else {
      throw problem("has a kernel_shape other than its weights' \(w.shape); export the model again")
    }
    let output = try outputExtents(window, space: space, rounding: .floor)
    let shape = [x.shape[0], w.shape[0]] + output
    let cells = cells(window, space: space, output: output, first: 2, window: rank + 1)
    let (m, c) = (Cell.variable(1), Cell.variable(rank))
    let perGroup = w.shape[0] / groups
    let channel =
      groups == 1
      ? c : (perGroup == 1 ? m : m / .whole(perGroup)) * .whole(w.shape[1]) + c
    let kernel = space.indices.map { Cell.variable(rank + 1 + $0) }
    let result: Cell? =
      operands.count > 2 ? .function(.add, [.total, operands[2].cell([m])]) : nil
    define(
      try nest(
        "Conv \(window.kernel.map(String.init).joined(separator: "x"))", operands, shape: shape,
        reduction: .sum, reduced: Array(w.shape.dropFirst()), steps: cells.steps,
        guards: cells.guards,
        value: x.cell([.variable(0), channel] + cells.places) * w.cell([m, c] + kernel),
        result: result))
  }

  /// Padding of a transposed convolution, and the extents that it gives.
  func transposedWindow(
    kernel: [Int], space: [Int]
  ) throws(ConversionError) -> (window: OperatorWindow, extra: [Int], output: [Int]) {
    var window = try window(kernel: kernel, space: space)
    let extra = try ints("output_padding") ?? kernel.map { _ in 0 }
    guard extra.count == kernel.count, extra.allSatisfy({ (0..<1 << 30).contains($0) }) else {
      throw problem("has output_padding for other axes than its input's")
    }
    let whole = space.indices.map {
      (space[$0] - 1) * window.strides[$0] + extra[$0]
        + (window.kernel[$0] - 1) * window.dilations[$0] + 1
    }
    let mode = try string("auto_pad", "NOTSET")
    let isAutomatic = mode == "SAME_UPPER" || mode == "SAME_LOWER"
    var wanted = try ints("output_shape").map { Array($0.suffix(space.count)) }
    if wanted == nil, isAutomatic { wanted = space.indices.map { space[$0] * window.strides[$0] } }
    guard let wanted else {
      let output = space.indices.map { whole[$0] - window.before[$0] - window.behind[$0] }
      return (window, extra, output)
    }
    guard wanted.count == space.count, wanted.allSatisfy({ (1..<1 << 31).contains($0) }) else {
      throw problem("has an output_shape for other axes than its input's, or out of range")
    }
    let total = space.indices.map { whole[$0] - wanted[$0] }
    let (less, more) = (total.map { $0 >= 0 ? $0 / 2 : 0 }, total.map { $0 >= 0 ? $0 - $0 / 2 : 0 })
    window = OperatorWindow(
      kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      before: mode == "SAME_UPPER" ? less : more, behind: mode == "SAME_UPPER" ? more : less)
    let added = space.indices.map { extra[$0] + max(0, -total[$0]) }
    return (window, added, wanted)
  }

  func generalTransposedConvolution() throws(ConversionError) {
    let third = try optionalOperand(2)
    let operands = numbered([try operand(0), try operand(1)] + (third.map { [$0] } ?? []))
    let (x, w) = (operands[0], operands[1])
    let groups = try int("group", 1)
    let rank = x.shape.count
    guard rank > 2, w.shape.count == rank, groups > 0, w.shape[0] == x.shape[1],
      w.shape[0] % groups == 0
    else { throw problem("has weights \(w.shape) for an input of \(x.shape)") }
    let space = Array(x.shape.dropFirst(2))
    let (window, _, output) = try transposedWindow(
      kernel: Array(w.shape.dropFirst(2)), space: space)
    guard window.kernel == Array(w.shape.dropFirst(2)), output.allSatisfy({ $0 > 0 }) else {
      throw problem("has a kernel_shape or pads that leave no output; export the model again")
    }
    let (m, c) = (Cell.variable(1), Cell.variable(rank))
    let channels = w.shape[0] / groups
    let channel = groups == 1 ? c : (m / .whole(w.shape[1])) * .whole(channels) + c
    let filter = groups == 1 ? m : .function(.remainder, [m, .whole(w.shape[1])])
    // Of the cells that a kernel's cell could come from, those between the strides are none.
    var steps: [LoopNest.Step] = []
    var guards: [Cell] = []
    var places: [Cell] = []
    for axis in space.indices {
      let name = Self.axisName(axis, of: space.count)
      let stride = window.strides[axis]
      let place =
        .variable(2 + axis) + .whole(window.before[axis])
        - .variable(rank + 1 + axis) * .whole(window.dilations[axis])
      let number = steps.count
      steps.append(LoopNest.Step(stride == 1 ? name : "\(name)_far", place))
      guards.append(.whole(0) <= .step(number) && .step(number) < .whole(space[axis] * stride))
      guard stride > 1 else {
        places.append(.step(number))
        continue
      }
      guards.append(Cell.function(.remainder, [.step(number), .whole(stride)]).equals(.whole(0)))
      places.append(.step(number) / .whole(stride))
    }
    let kernel = space.indices.map { Cell.variable(rank + 1 + $0) }
    let result: Cell? =
      operands.count > 2 ? .function(.add, [.total, operands[2].cell([m])]) : nil
    define(
      try nest(
        "ConvTranspose \(window.kernel.map(String.init).joined(separator: "x"))", operands,
        shape: [x.shape[0], w.shape[1] * groups] + output, reduction: .sum,
        reduced: [channels] + window.kernel, steps: steps, guards: guards,
        value: x.cell([.variable(0), channel] + places) * w.cell([channel, filter] + kernel),
        result: result))
  }

  // MARK: Pooling

  /// Extents of what windows give, rounded as a pool says; windows that begin in the padding behind are left out.
  func outputExtents(
    _ window: OperatorWindow, space: [Int], rounding: Rounding
  ) throws(ConversionError) -> [Int] {
    var result: [Int] = []
    for axis in space.indices {
      let stride = window.strides[axis]
      let free =
        space[axis] + window.before[axis] + window.behind[axis]
        - (window.kernel[axis] - 1) * window.dilations[axis] - 1
      guard free >= 0 else {
        throw problem("has a window that is larger than its input of \(space) with its padding")
      }
      var extent = (rounding == .ceil ? (free + stride - 1) / stride : free / stride) + 1
      if rounding == .ceil, (extent - 1) * stride >= space[axis] + window.before[axis] {
        extent -= 1
      }
      result.append(extent)
    }
    return result
  }

  func generalPool() throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    guard x.shape.count > 2 else { throw problem("needs an input of at least three axes") }
    let rank = x.shape.count
    let space = Array(x.shape.dropFirst(2))
    let window = try window(kernel: nil, space: space)
    let rounding: Rounding = try int("ceil_mode", 0) == 0 ? .floor : .ceil
    let output = try outputExtents(window, space: space, rounding: rounding)
    let shape = Array(x.shape.prefix(2)) + output
    let cells = cells(window, space: space, output: output, first: 2, window: rank)
    let value = x.cell([.variable(0), .variable(1)] + cells.places)
    let title = "\(node.op) \(window.kernel.map(String.init).joined(separator: "x"))"
    func pool(
      _ reduction: LoopNest.Reduction, _ value: Cell, _ result: Cell? = nil,
      tables: [LoopNest.Table] = []
    ) throws(ConversionError) -> ConvertedValue {
      try nest(
        title, operands, shape: shape, tables: tables, reduction: reduction,
        reduced: window.kernel, steps: cells.steps, guards: cells.guards, value: value,
        result: result)
    }
    switch node.op {
    case "MaxPool":
      define(try pool(.maximum, value))
      if node.output(1) != nil { try definePlaces(operands, window, cells, shape) }
    case "LpPool":
      let order = try int("p", 2)
      guard order > 0 else { throw problem("has p \(order), expected at least 1") }
      let power: Cell =
        switch order {
        case 1: value.applying(.abs)
        case 2: .function(.multiply, [value, value])
        default: .function(.power, [value.applying(.abs), .real(Double(order))])
        }
      let root: Cell? =
        switch order {
        case 1: nil
        case 2: Cell.total.applying(.sqrt)
        default: .function(.power, [.total, .real(1 / Double(order))])
        }
      define(try pool(.sum, power, root))
    default:
      let counted = try int("count_include_pad", 0) != 0
      guard space.indices.allSatisfy({ window.kernel[$0] < 1 << 20 / output[$0] + 1 }) else {
        throw problem("has windows of \(window.kernel) cells, too large to count them")
      }
      let tables = space.indices.map { axis in
        LoopNest.Table(
          "\(Self.axisName(axis, of: space.count))_cells",
          wholes: (0..<output[axis]).map { place in
            let first = place * window.strides[axis] - window.before[axis]
            let range =
              counted
              ? -window.before[axis]..<space[axis] + window.behind[axis] : 0..<space[axis]
            return (0..<window.kernel[axis]).count {
              range.contains(first + $0 * window.dilations[axis])
            }
          })
      }
      let count = space.indices.reduce(Cell.whole(1)) { $0 * .table($1, .variable(2 + $1)) }
      define(
        try pool(.sum, value, Cell.total / count.applying(.toReal), tables: tables))
    }
  }

  /// Where in the whole input each maximum stands.
  private func definePlaces(
    _ operands: [NestOperand], _ window: OperatorWindow, _ cells: WindowCells, _ shape: [Int]
  ) throws(ConversionError) {
    let x = operands[0]
    let space = cells.space
    // The place in the window, taken apart again.
    var rest = Cell.total
    var places: [Cell] = []
    for axis in space.indices.reversed() {
      let kernel = window.kernel[axis]
      let index: Cell = axis == 0 ? rest : .function(.remainder, [rest, .whole(kernel)])
      places.insert(
        .variable(2 + axis) * .whole(window.strides[axis]) + index * .whole(window.dilations[axis])
          + .whole(-window.before[axis]), at: 0)
      rest = rest / .whole(kernel)
    }
    var indices: [Cell] = [.variable(0), .variable(1)] + places
    var extents = x.shape
    if try int("storage_order", 0) != 0 {
      indices = Array(indices.prefix(2)) + places.reversed()
      extents = Array(extents.prefix(2)) + space.reversed()
    }
    let flat = zip(extents, indices).reduce(Cell.whole(0)) { $0 * .whole($1.0) + $1.1 }
    define(
      try nest(
        "MaxPool, the places of its maxima", operands, shape: shape, element: .int64,
        reduction: .firstMaximum, reduced: window.kernel, steps: cells.steps,
        guards: cells.guards, value: x.cell([.variable(0), .variable(1)] + cells.places),
        result: flat),
      output: 1)
  }

  /// Puts values where a pool took them from, and zeros elsewhere.
  func maxUnpool() throws(ConversionError) {
    let operands = numbered([try operand(0), try operand(1)])
    let (x, places) = (operands[0], operands[1])
    guard x.shape == places.shape, x.shape.count > 2 else {
      throw problem("has places of shape \(places.shape) for values of \(x.shape)")
    }
    let space = Array(x.shape.dropFirst(2))
    let window = try window(kernel: nil, space: space)
    // The extents of the pool's input, as far as the places count; the result may be larger.
    let inner = space.indices.map {
      (space[$0] - 1) * window.strides[$0] + window.kernel[$0] - window.before[$0]
        - window.behind[$0]
    }
    var shape = Array(x.shape.prefix(2)) + inner
    if let given = try integers(2) {
      guard given.count == shape.count, zip(given, shape).allSatisfy({ $0 >= $1 }) else {
        throw problem("unpools to \(given), expected at least \(shape)")
      }
      shape = given
    }
    guard shape.allSatisfy({ $0 > 0 }) else { throw problem("unpools to nothing") }
    // Places are those in the pool's input, whatever the result's size.
    let pooled = Array(x.shape.prefix(2)) + inner
    let flat = zip(pooled, shape.indices).reduce(Cell.whole(0)) {
      $0 * .whole($1.0) + .variable($1.1)
    }
    let inside = shape.indices.filter { shape[$0] > pooled[$0] }.map {
      Cell.variable($0) < .whole(pooled[$0])
    }
    let cells = space.indices.map { Cell.variable(shape.count + $0) }
    let at: [Cell] = [.variable(0), .variable(1)] + cells
    define(
      try nest(
        "MaxUnpool", operands, shape: shape, reduction: .sum, reduced: space,
        guards: inside + [places.cell(at).equals(flat)], value: x.cell(at)))
  }
}
