import ConvcIR
import ConvcLayers

/// Operators that move values without computing.
let movingOperators: [String: OperatorConverter] = [
  "Transpose": { (node) throws(ConversionError) in try node.transpose() },
  "Concat": { (node) throws(ConversionError) in try node.concat() },
  "Split": { (node) throws(ConversionError) in try node.split() },
  "Slice": { (node) throws(ConversionError) in try node.slice() },
  "Gather": { (node) throws(ConversionError) in try node.gather() },
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
  "Resize": { (node) throws(ConversionError) in try node.resize() },
  "Upsample": { (node) throws(ConversionError) in try node.resize() },
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
    let sorted = axes.map(\.first).sorted()
    let lead = keepsBatch ? x.shape[0] : 1
    var current = sorted.map { first in axes.first { $0.first == first }?.extent ?? 1 }
    var places = axes.map { axis in (sorted.firstIndex(of: axis.first) ?? 0) }
    var result = try reshape(x, to: [lead] + current)
    if places.count <= 3 {
      result = try apply(Transpose(places.map { $0 + 1 }), to: result)
      return define(result, as: shape)
    }
    // One axis at a time comes to its place: [before, between, axis, behind] to [before, axis, between, behind].
    for target in places.indices {
      let from = places[target]
      guard from > target else { continue }
      let before = lead * current[..<target].reduce(1, *)
      let between = current[target..<from].reduce(1, *)
      let behind = current[(from + 1)...].reduce(1, *)
      result = try apply(
        Transpose([2, 1, 3]), to: try reshape(result, to: [before, between, current[from], behind]))
      current.insert(current.remove(at: from), at: target)
      for index in places.indices where index > target && places[index] < from {
        places[index] += 1
      }
      places[target] = target
    }
    define(result, as: shape)
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
      guard range.step > 0 else {
        throw problem("takes axis \(axis) backwards, which this version cannot")
      }
      var shape = x.shape
      shape[axis] = range.count
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
    let x = try value(0)
    let axis = try axis(try int("axis", 0), of: x.shape.count)
    guard let indices = constant(1) else {
      throw problem("takes cells whose numbers are computed at run time, which this version cannot")
    }
    let extent = x.shape[axis]
    var numbers: [Int] = []
    for number in try integers(1) ?? [] {
      guard (-extent..<extent).contains(number) else {
        throw problem("takes cell \(number) of an axis of \(extent); export the model again")
      }
      numbers.append(number < 0 ? number + extent : number)
    }
    guard let start = numbers.first, numbers.count <= 256 else {
      throw problem("takes \(numbers.count) cells, which this version cannot")
    }
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
    guard let mode = Pad.Mode(rawValue: try string("mode", "constant")) else {
      throw problem(
        "pads by another rule than constant, reflect and edge, which this version cannot")
    }
    let number: Float =
      if node.input(2) == nil { try float("value", 0) } else { try floats(2)?.first ?? 0 }
    for (index, axis) in axes.enumerated() {
      let axis = try self.axis(axis, of: rank)
      let (before, behind) = (pads[index], pads[axes.count + index])
      if before == 0, behind == 0 { continue }
      guard before >= 0, behind >= 0 else {
        throw problem("has negative pads, which this version cannot; slice its input instead")
      }
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

  fileprivate func resize() throws(ConversionError) {
    let x = try plain(0)
    guard x.extents.count == 4 else {
      throw problem("resizes other tensors than maps, which this version cannot")
    }
    let isOld = node.op == "Upsample" || node.opset < 11
    let scales = try isOld ? oldScales() : floats(2)
    var factors: [Int] = []
    for axis in 0..<4 {
      let exact: Double
      if let scales, scales.count == 4 {
        exact = Double(scales[axis])
      } else if let sizes = try isOld ? nil : integers(3), sizes.count == 4 {
        exact = Double(sizes[axis]) / Double(x.extents[axis])
      } else {
        throw problem("has no scales or sizes for four axes")
      }
      if exact == 0.5, axis > 1, x.extents[axis] % 2 == 0 {
        factors.append(0)
        continue
      }
      guard exact >= 1, exact == exact.rounded(), exact < 1_048_576 else {
        throw problem("resizes by \(exact), expected a whole factor of at least 1 in this version")
      }
      factors.append(Int(exact))
    }
    guard factors[0] == 1, factors[1] == 1 else {
      throw problem("resizes images or channels, which this version cannot")
    }
    let place = try string("coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel")
    let rounding = try string("nearest_mode", isOld ? "floor" : "round_prefer_floor")
    let mode = try string("mode", "nearest")
    if factors[2] == 0, factors[3] == 0, mode == "linear", place.hasSuffix("half_pixel") {
      // Halfway between two cells on both axes: their mean.
      return define(try apply(AveragePool2D(kernelSize: 2), to: x))
    }
    guard factors.allSatisfy({ $0 > 0 }) else {
      throw problem(
        "halves maps by another rule than linear at half pixels, which this version cannot")
    }
    let factor = Size2D(height: factors[2], width: factors[3])
    switch (mode, place) {
    case ("nearest", "asymmetric")
    where rounding == "floor" || factors.allSatisfy({ $0 <= 2 }) && rounding == "round_prefer_floor"
    ,
      ("nearest", "half_pixel")
    where rounding == "round_prefer_floor" || rounding == "round_prefer_ceil":
      define(try apply(Upsample(factor: factor), to: x))
    case ("linear", "half_pixel"), ("linear", "pytorch_half_pixel"):
      define(try apply(Upsample(factor: factor, interpolation: .bilinear), to: x))
    case ("linear", "align_corners"):
      define(
        try apply(Upsample(factor: factor, interpolation: .bilinear, alignsCorners: true), to: x))
    case (let mode, _):
      throw problem(
        "resizes by mode '\(mode.prefix(20))' with \(place.prefix(30)), \(rounding.prefix(30)), which this version cannot"
      )
    }
  }

  private func oldScales() throws(ConversionError) -> [Float]? {
    if let scales = try floats(1) { return scales }
    return try read { (node) throws(ONNXError) in try node.floats("scales") }
  }
}
