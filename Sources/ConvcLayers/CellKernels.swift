import ConvcIR

/// Kernels that write each cell of a tensor, or of a part of it, as an expression of cells of other tensors.
///
/// They are the same in every layout: where a layout has vectors, a cell is a vector. Axes are counted behind the batch:
/// channels, rows, columns; a sequence `[N, C, L]` has one row.
extension Placement {
  /// The loops' variables of the axes behind the batch.
  var axisVariables: [String] {
    switch type.shape.count {
    case 2: ["m"]
    case 3: ["m", "w"]
    default: ["m", "h", "w"]
    }
  }

  /// Entries of the axes behind the batch: blocks of channels, rows, columns.
  var axisExtents: [Int] { [blocks] + type.shape.dropFirst(2) }

  /// A cell in C, with an index for each axis behind the batch.
  func cell(_ name: String, _ indices: [String]) -> String {
    let row = indices.count == 2 ? ["0"] : []
    let all = [indices[0]] + row + indices.dropFirst()
    return "\(name)[n]" + all.map { "[\($0)]" }.joined()
  }

  /// The cell at the loops' variables.
  func cell(_ name: String) -> String { cell(name, axisVariables) }

  /// The tensor as an argument of a kernel whose constants are the extents of `region`.
  func cellArgument(
    _ name: String, _ access: Access, like region: Placement, meaning: String = ""
  ) -> Argument {
    argument(
      name, access, .vector,
      names: (
        blocks == region.blocks ? "C" : "\(blocks)",
        maps.h == region.maps.h ? "H" : "\(maps.h)", maps.w == region.maps.w ? "W" : "\(maps.w)"
      ), meaning: [lanesText, meaning].filter { !$0.isEmpty }.joined(separator: "; "))
  }

  /// Type of a cell in C.
  var cellType: String { isVector ? "lanes" : "float" }

  /// A number as a cell in C.
  func cellValue(_ value: Float) -> String {
    guard isVector else { return cFloat(value) }
    return value == 0 ? "(lanes){0}" : "(lanes){0} + \(cFloat(value))"
  }
}

/// A kernel that writes an expression to a cell for each cell of a region.
func cellsCall(
  _ context: GroupContext, name: String, title: String, over region: Placement,
  _ to: String, accumulates: Bool = false, from: String, constants: [ConstantRow] = [],
  support: [String] = [], arguments: [Argument]
) -> KernelCall {
  let line = "                for (int w = 0; w < W; w++) \(to) += \(from);"
  return KernelCall(
    template: "cells", name: "\(context.group.name)_\(name)", title: title,
    layers: layerNames(context), constants: [ConstantRow(region.extents())] + constants,
    flags: ["maps": region.isMaps, "long": line.count > 120],
    texts: [
      "outer": region.outerScalar.rawValue, "to": to, "store": accumulates ? "+=" : "=",
      "from": from,
    ], support: support, scalars: [region.outerScalar], arguments: arguments,
    work: streamingWork(region, region))
}

/// A kernel that sums an expression over some axes of a region.
///
/// - Parameters:
///   - axes: the axes that are summed, counted with the batch: 1 for the channels.
///   - result: what is stored, of the variable `sum`.
func sumCall(
  _ context: GroupContext, name: String, title: String, over region: Placement, axes: Set<Int>,
  _ to: String, accumulates: Bool = false, from: String, result: String = "sum",
  constants: [ConstantRow] = [], support: [String] = [], arguments: [Argument]
) -> KernelCall {
  let rank = region.type.shape.count
  let (rows, columns) = (rank == 4 ? 2 : nil, rank > 2 ? rank - 1 : nil) as (Int?, Int?)
  func sums(_ axis: Int?) -> Bool { axis.map(axes.contains) ?? false }
  func keeps(_ axis: Int?) -> Bool { axis.map { !axes.contains($0) } ?? false }
  let width = region.maps.w
  // Sums of a row of columns are kept side by side, as far as they fit the first-level cache.
  let isRow = keeps(columns) && width * (region.isVector ? region.lanes : 1) <= 4096
  // A sum along a row without vectors is taken in several parts.
  let step = sums(columns) && !region.isVector ? [16, 8].first { $0 <= width } : nil
  let steps = step.map {
    [ConstantRow([Constant("STEP", $0)], comment: "columns at a time")]
  }
  return KernelCall(
    template: "cells_sum", name: "\(context.group.name)_\(name)", title: title,
    layers: layerNames(context),
    constants: [ConstantRow(region.extents())] + (steps ?? []) + constants,
    flags: [
      "keepsChannels": keeps(1), "keepsRows": keeps(rows), "keepsColumns": keeps(columns),
      "keepsAxes": axes.count < rank - 1,
      "sumsChannels": sums(1), "sumsRows": sums(rows), "sumsColumns": sums(columns),
      "row": isRow, "wide": step != nil, "single": !isRow && step == nil,
      "rest": step.map { width % $0 != 0 } ?? false,
    ],
    texts: [
      "outer": region.outerScalar.rawValue, "to": to, "store": accumulates ? "+=" : "=",
      "type": region.cellType, "zero": region.isVector ? "{0}" : "0.0f",
      "none": region.cellValue(0), "from": from,
      "result": result,
    ], support: support, scalars: [region.outerScalar], arguments: arguments,
    work: streamingWork(region))
}

/// Where the cells of a part stand in a whole tensor.
struct PartPlace {
  /// First cell of each axis behind the batch, and the distance to the next.
  let starts: [Int]
  let steps: [Int]

  init(starts: [Int], steps: [Int]? = nil) {
    self.starts = starts
    self.steps = steps ?? starts.map { _ in 1 }
  }

  private func names(_ count: Int) -> [(start: String, step: String)] {
    let all = [("FIRST", "STEP_C"), ("TOP", "STEP_H"), ("LEFT", "STEP_W")]
    return count == 2 ? [all[0], all[2]] : Array(all[0..<count])
  }

  /// First block of channels, row and column.
  private func starts(in whole: Placement) -> [Int] {
    [whole.layout == .blocked ? starts[0] / whole.lanes : starts[0]] + starts.dropFirst()
  }

  /// The constants that ``indices(in:)`` and ``origins(in:)`` name.
  func constants(in whole: Placement) -> [ConstantRow] {
    let names = names(starts.count)
    let first = zip(names, starts(in: whole)).filter { $1 != 0 }.map { Constant($0.start, $1) }
    let next = zip(names, steps).filter { $1 != 1 }.map { Constant($0.step, $1) }
    let rows = [
      ConstantRow(first, comment: "first cell of the part"),
      ConstantRow(next, comment: "distance of its cells"),
    ]
    return rows.filter { !$0.constants.isEmpty }
  }

  /// Indices in the whole, in loops over the part.
  func indices(in whole: Placement) -> [String] {
    let names = names(starts.count)
    return zip(starts(in: whole), zip(names, zip(whole.axisVariables, steps))).map { start, axis in
      let (name, (variable, step)) = axis
      let distance = step == 1 ? variable : "\(variable) * \(name.step)"
      return start == 0 ? distance : "\(name.start) + \(distance)"
    }
  }

  /// Indices in the part, in loops over the whole.
  func origins(in whole: Placement) -> [String] {
    let names = names(starts.count)
    return zip(starts(in: whole), zip(names, zip(whole.axisVariables, steps))).map { start, axis in
      let (name, (variable, step)) = axis
      guard start != 0 else { return step == 1 ? variable : "\(variable) / \(name.step)" }
      return step == 1
        ? "\(variable) - \(name.start)" : "(\(variable) - \(name.start)) / \(name.step)"
    }
  }

  /// When a cell of the whole at the loops' variables is not in the part, by the first axes; nil: it always is.
  func outside(_ part: Placement, in whole: Placement, axes: Int) -> String? {
    let names = names(starts.count)
    var conditions: [String] = []
    for axis in 0..<axes {
      let (start, step) = (starts(in: whole)[axis], steps[axis])
      let extent = part.axisExtents[axis]
      let variable = whole.axisVariables[axis]
      let end = start + (extent - 1) * step + 1
      if start != 0 { conditions.append("\(variable) < \(names[axis].start)") }
      if end < whole.axisExtents[axis] { conditions.append("\(variable) >= \(end)") }
      if step != 1 {
        let distance = start == 0 ? variable : "(\(variable) - \(names[axis].start))"
        conditions.append("\(distance) % \(names[axis].step) != 0")
      }
    }
    return conditions.isEmpty ? nil : conditions.joined(separator: " || ")
  }
}

/// A kernel that writes a whole tensor: a part's cells, and a number around them.
func placePartCall(
  _ context: GroupContext, name: String, title: String, of whole: (Placement, name: String),
  part: (Placement, name: String), at place: PartPlace, around value: Float
) -> KernelCall {
  let axes = place.starts.count
  let columns = whole.0.isMaps
  let outside = place.outside(part.0, in: whole.0, axes: columns ? axes - 1 : axes)
  var origins = place.origins(in: whole.0)
  var indices = whole.0.axisVariables
  if columns {
    origins[axes - 1] = whole.0.axisVariables[axes - 1]
    indices[axes - 1] = place.indices(in: whole.0)[axes - 1]
  }
  var constants = place.constants(in: whole.0)
  if columns { constants.insert(ConstantRow([Constant("PART_W", part.0.maps.w)]), at: 0) }
  return KernelCall(
    template: "cells_place", name: "\(context.group.name)_\(name)", title: title,
    layers: layerNames(context), constants: [ConstantRow(whole.0.extents())] + constants,
    flags: [
      "maps": columns, "bounded": outside != nil,
      "whole_rows": columns && outside != nil && part.0.maps.w == whole.0.maps.w,
    ],
    texts: [
      "outer": whole.0.outerScalar.rawValue, "cell": whole.0.cell(whole.name),
      "around": whole.0.cellValue(value), "outside": outside ?? "",
      "to": whole.0.cell(whole.name, indices), "from": part.0.cell(part.name, origins),
    ], scalars: [whole.0.outerScalar],
    arguments: [
      part.0.cellArgument(part.name, .read, like: whole.0),
      whole.0.cellArgument(whole.name, .write, like: whole.0),
    ], work: streamingWork(part.0, whole.0))
}

extension [TensorType] {
  /// The only input, of rank 2 to 4: what kernels can take apart axis by axis.
  func singleOfAxes() throws(LayerError) -> TensorType {
    let input = try single()
    try input.checkAxes()
    return input
  }
}

extension TensorType {
  /// - Throws: a rank that kernels cannot take apart axis by axis.
  func checkAxes() throws(LayerError) {
    guard (2...4).contains(shape.count) else {
      throw .setting(
        "expects an input of rank 2 to 4, got \(shapeText); reshape joins axes that belong together"
      )
    }
  }

  /// - Throws: an axis that is the batch's, or that the tensor has not.
  func checkAxis(_ axis: Int) throws(LayerError) {
    guard (1..<shape.count).contains(axis) else {
      throw .setting(
        "axis \(axis) of \(shapeText) is not one of 1 to \(shape.count - 1); axis 0 is the batch, which every layer keeps"
      )
    }
  }

  /// Extents in words: `2x3x4`.
  var shapeText: String { shape.map(String.init).joined(separator: "x") }
}
