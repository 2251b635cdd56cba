import ConvcIR
import ConvcLayers

/// Operators that move values without computing.
let movingOperators: [String: OperatorConverter] = [
  "Transpose": { (node) throws(ConversionError) in try node.transpose() },
  "Concat": { (node) throws(ConversionError) in try node.concat() },
  "Split": { (node) throws(ConversionError) in try node.split() },
  "Slice": { (node) throws(ConversionError) in try node.slice() },
  "Gather": { (node) throws(ConversionError) in try node.gather() },
  "Expand": { (node) throws(ConversionError) in try node.expand() },
  "Tile": { (node) throws(ConversionError) in try node.tile() },
  "Pad": { (node) throws(ConversionError) in try node.pad() },
  "DepthToSpace": { (node) throws(ConversionError) in
    let order: DepthToSpace.Order = try node.string("mode", "DCR") == "CRD" ? .crd : .dcr
    let block = try node.int("blocksize", 1)
    node.define(try node.apply(DepthToSpace(blockSize: block, order: order), to: try node.plain(0)))
  },
  "SpaceToDepth": { (node) throws(ConversionError) in
    let order: DepthToSpace.Order = try node.string("mode", "DCR") == "CRD" ? .crd : .dcr
    let block = try node.int("blocksize", 1)
    node.define(
      try node.apply(SpaceToDepth(blockSize: block, order: order), to: try node.plain(0)))
  },
]

extension NodeConversion {
  /// A value as `[outer, between, extent, inner]` around an axis, the batch alone in front where it is not the axis.
  func around(_ axis: Int, _ x: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    try reshape(x, to: Self.extents(of: x.shape, around: axis))
  }

  private static func extents(of shape: [Int], around axis: Int) -> [Int] {
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    guard axis > 0 else { return [1, 1, shape.first ?? 1, inner] }
    return [shape[0], shape[1..<axis].reduce(1, *), shape[axis], inner]
  }

  fileprivate func transpose() throws(ConversionError) {
    let x = try value(0)
    let rank = x.shape.count
    let order = try ints("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else {
      throw problem(
        "has perm \(order), expected each axis of \(x.shape) once; export the model again")
    }
    let shape = order.map { x.shape[$0] }
    // Axes of one cell can stand anywhere, and neighbours that stay neighbours are one.
    let moving = order.filter { x.shape[$0] > 1 }
    guard moving != moving.sorted() else { return define(x, as: shape) }
    let keepsBatch = order.first == 0
    let own = keepsBatch ? moving.filter { $0 > 0 } : moving
    var axes: [(first: Int, extent: Int)] = []
    for (place, axis) in own.enumerated() {
      if place > 0, own[place - 1] == axis - 1 {
        axes[axes.count - 1].extent *= x.shape[axis]
      } else {
        axes.append((axis, x.shape[axis]))
      }
    }
    guard axes.count <= 3, x.element == .float32 else {
      let operands = numbered([operand(x)])
      let places = order.indices.map { axis in
        Cell.variable(order.firstIndex(of: axis) ?? 0)
      }
      return define(
        try nest(
          "Transpose to axes \(order)", operands, shape: shape, element: x.element,
          value: operands[0].cell(places)))
    }
    let sorted = axes.map(\.first).sorted()
    let lead = keepsBatch ? x.shape[0] : 1
    let extents = sorted.map { first in axes.first { $0.first == first }?.extent ?? 1 }
    let places = axes.map { axis in (sorted.firstIndex(of: axis.first) ?? 0) + 1 }
    let parts = try reshape(x, to: [lead] + extents)
    define(try apply(Transpose(places), to: parts), as: shape)
  }

  fileprivate func concat() throws(ConversionError) {
    var parts: [ConvertedValue] = []
    for index in node.inputs.indices {
      let part = try value(index)
      if !part.shape.contains(0) { parts.append(part) }
    }
    guard let first = parts.first else { throw problem("joins nothing; export the model again") }
    let axis = try axis(try int("axis", 1), of: first.shape.count)
    var shape = first.shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[min(axis, $1.shape.count - 1)] }
    guard
      parts.allSatisfy({ part in
        part.shape.count == shape.count
          && shape.indices.allSatisfy { $0 == axis || part.shape[$0] == shape[$0] }
      })
    else {
      throw problem("joins shapes that differ beside axis \(axis); export the model again")
    }
    guard parts.count > 1 else { return define(first, as: shape) }
    if shape.count == 4, axis > 0 {
      var plain: [ConvertedValue] = []
      for part in parts { plain.append(try reshape(part, to: part.shape)) }
      return define(try apply(Concat(axis: axis), to: plain), as: shape)
    }
    var around: [ConvertedValue] = []
    for part in parts { around.append(try self.around(axis, part)) }
    define(try apply(Concat(axis: 2), to: around), as: shape)
  }

  fileprivate func split() throws(ConversionError) {
    let x = try value(0)
    let axis = try axis(try int("axis", 0), of: x.shape.count)
    let given = try integers(1, or: "split")
    let sizes = try read { (inner) throws(ONNXError) in
      try Splitting.sizes(
        extent: x.shape[axis], given: given, parts: inner.outputs.count, place: inner.place)
    }
    let whole = try around(axis, x)
    var start = 0
    for (index, size) in sizes.enumerated() {
      defer { start += size }
      guard node.output(index) != nil else { continue }
      guard size > 0 else {
        throw problem("makes a part without values, which this version cannot")
      }
      var shape = x.shape
      shape[axis] = size
      define(
        try apply(Slice(axis: 2, start: start, end: start + size), to: whole), as: shape,
        output: index)
    }
  }

  fileprivate func slice() throws(ConversionError) {
    var x = try value(0)
    guard let starts = try integers(1, or: "starts"), let ends = try integers(2, or: "ends"),
      starts.count == ends.count
    else { throw problem("lacks starts and ends of one length; export the model again") }
    let axes = try integers(3, or: "axes") ?? Array(starts.indices)
    let steps = try integers(4) ?? starts.map { _ in 1 }
    guard axes.count == starts.count, steps.count == starts.count else {
      throw problem("has axes or steps for other ranges than its starts; export the model again")
    }
    for index in starts.indices {
      let axis = try axis(axes[index], of: x.shape.count)
      let (extent, start, end, step) = (x.shape[axis], starts[index], ends[index], steps[index])
      let range = try read { (inner) throws(ONNXError) in
        try Slicing(start: start, end: end, step: step, extent: extent, place: inner.place)
      }
      if range.first == 0, range.count == extent, range.step == 1 { continue }
      guard range.count > 0 else {
        throw problem("takes nothing of axis \(axis), which this version cannot")
      }
      var shape = x.shape
      shape[axis] = range.count
      guard range.step > 0, x.element == .float32 else {
        let operands = numbered([operand(x)])
        let cell = operands[0].cell(
          shape.indices.map {
            $0 == axis ? .variable($0) * .whole(range.step) + .whole(range.first) : .variable($0)
          })
        x = try nest(
          "Slice of axis \(axis), every \(range.step) from \(range.first)", operands, shape: shape,
          element: x.element, value: cell)
        continue
      }
      let part = try apply(
        Slice(
          axis: 2, start: range.first, end: range.first + (range.count - 1) * range.step + 1,
          step: range.step), to: try around(axis, x))
      x = part.read(as: shape)
    }
    define(x)
  }

  /// Cells of an axis by number, where the numbers are constants.
  fileprivate func gather() throws(ConversionError) {
    guard let indices = constant(1), constant(0) == nil, try value(0).element == .float32,
      indices.count <= 256
    else { return try generalGather() }
    let x = try value(0)
    let axis = try axis(try int("axis", 0), of: x.shape.count)
    let extent = x.shape[axis]
    var numbers: [Int] = []
    for number in try integers(1) ?? [] {
      guard (-extent..<extent).contains(number) else {
        throw problem("takes cell \(number) of an axis of \(extent); export the model again")
      }
      numbers.append(number < 0 ? number + extent : number)
    }
    guard let start = numbers.first else { throw problem("takes no cells") }
    let whole = try around(axis, x)
    let shape = x.shape.prefix(axis) + indices.dims + x.shape.dropFirst(axis + 1)
    if numbers == Array(start..<start + numbers.count) {
      let part =
        numbers.count == extent
        ? whole : try apply(Slice(axis: 2, start: start, end: start + numbers.count), to: whole)
      return define(part, as: Array(shape))
    }
    var parts: [ConvertedValue] = []
    for number in numbers {
      parts.append(try apply(Slice(axis: 2, start: number, end: number + 1), to: whole))
    }
    define(try apply(Concat(axis: 2), to: parts), as: Array(shape))
  }

  /// Cells of an axis whose numbers come at run time; a number that is none of the axis gives NaN, or 0.
  private func generalGather() throws(ConversionError) {
    let operands = numbered([try operand(0), try operand(1)])
    let (x, numbers) = (operands[0], operands[1])
    let axis = try axis(try int("axis", 0), of: x.shape.count)
    guard !numbers.isReal else { throw problem("takes cells by numbers that are no whole ones") }
    let rank = numbers.shape.count
    let number = numbers.cell((0..<rank).map { .variable(axis + $0) })
    let extent = x.shape[axis]
    let steps = [
      LoopNest.Step("number", number),
      // Negative numbers count from the end.
      LoopNest.Step("place", .select(.step(0) < .whole(0), .step(0) + .whole(extent), .step(0))),
    ]
    let cell = x.cell(
      x.shape.indices.map {
        $0 == axis ? .step(1) : .variable($0 < axis ? $0 : $0 + rank - 1)
      })
    let none: Cell = x.isReal ? .real(.nan) : .whole(0)
    define(
      try nest(
        "Gather along axis \(axis)", operands,
        shape: x.shape.prefix(axis) + numbers.shape + x.shape.dropFirst(axis + 1),
        element: x.element, steps: steps, value: .select(Cell.step(1).isIn(extent), cell, none)))
  }

  fileprivate func expand() throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    guard let wanted = try integers(1), let shape = Places.broadcast([x.shape, wanted]) else {
      throw problem("expands \(x.shape) to a shape that it does not fit; export the model again")
    }
    define(
      try nest(
        "Expand to \(shape)", operands, shape: shape, element: x.element,
        value: x.broadcast(to: shape)))
  }

  fileprivate func tile() throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    guard let repeats = try integers(1), repeats.count == x.shape.count,
      repeats.allSatisfy({ (1..<1 << 31).contains($0) })
    else { throw problem("repeats other axes than those of \(x.shape), or less than once") }
    let cell = x.cell(
      x.shape.indices.map { axis in
        repeats[axis] == 1
          ? .variable(axis) : .function(.remainder, [.variable(axis), .whole(x.shape[axis])])
      })
    define(
      try nest(
        "Tile \(repeats)", operands, shape: zip(x.shape, repeats).map(*), element: x.element,
        value: cell))
  }

  fileprivate func pad() throws(ConversionError) {
    var x = try value(0)
    let rank = x.shape.count
    guard let pads = try integers(1, or: "pads") else {
      throw problem("lacks its pads; export the model again")
    }
    let axes = try integers(3) ?? Array(0..<rank)
    guard pads.count == 2 * axes.count else {
      throw problem("has \(pads.count) pads for \(axes.count) axes; export the model again")
    }
    guard pads.allSatisfy({ $0 < 1 << 30 }) else {
      throw problem("has pads of \(pads.max() ?? 0) cells, more than this version can")
    }
    let number: Float =
      if node.input(2) == nil { try float("value", 0) } else { try floats(2)?.first ?? 0 }
    let word = try string("mode", "constant")
    guard let mode = Pad.Mode(rawValue: word), pads.allSatisfy({ $0 >= 0 }) else {
      guard word == "wrap" || Pad.Mode(rawValue: word) != nil else {
        throw problem(
          "pads by mode \(ONNXError.quoted(word)), expected constant, reflect, edge or wrap")
      }
      return try generalPad(x, axes: axes, pads: pads, mode: word, number: number)
    }
    for (index, axis) in axes.enumerated() {
      let axis = try self.axis(axis, of: rank)
      let (before, behind) = (pads[index], pads[axes.count + index])
      if before == 0, behind == 0 { continue }
      var shape = x.shape
      shape[axis] += before + behind
      let padded = try apply(
        Pad(
          padding: Padding(top: before, bottom: behind, left: 0, right: 0), mode: mode,
          value: number),
        to: try around(axis, x))
      x = padded.read(as: shape)
    }
    define(x)
  }

  /// Padding by tables of the cells that are taken: pads below 0 cut cells off.
  private func generalPad(
    _ x: ConvertedValue, axes: [Int], pads: [Int], mode: String, number: Float
  ) throws(ConversionError) {
    var shape = x.shape
    var tables: [LoopNest.Table] = []
    var places = x.shape.indices.map { Cell.variable($0) }
    var inside: [Cell] = []
    for (index, axis) in axes.enumerated() {
      let axis = try self.axis(axis, of: x.shape.count)
      let (before, behind, extent) = (pads[index], pads[axes.count + index], x.shape[axis])
      guard before.magnitude < 1 << 24, behind.magnitude < 1 << 24, extent < 1 << 24,
        extent + before + behind > 0
      else {
        throw problem(
          "pads axis \(axis) of \(x.shape) by \(before) and \(behind), which leaves nothing")
      }
      shape[axis] += before + behind
      let cells = (0..<shape[axis]).map { place -> Int in
        let own = place - before
        switch mode {
        case "edge": return min(max(own, 0), extent - 1)
        case "wrap": return (own % extent + extent) % extent
        case "reflect":
          let period = max(1, 2 * (extent - 1))
          let folded = (own % period + period) % period
          return folded < extent ? folded : period - folded
        default: return (0..<extent).contains(own) ? own : -1
        }
      }
      places[axis] = .table(tables.count, .variable(axis))
      if cells.contains(-1) { inside.append(.whole(0) <= places[axis]) }
      tables.append(LoopNest.Table("cells\(axis)", wholes: cells))
    }
    let operands = numbered([operand(x)])
    let cell = operands[0].cell(places)
    let all = inside.first.map { first in inside.dropFirst().reduce(first) { $0 && $1 } }
    define(
      try nest(
        "Pad, \(mode)", operands, shape: shape, tables: tables,
        value: all.map { .select($0, cell, .real(Double(number))) } ?? cell))
  }
}
