import ConvcIR

/// How lines along an axis are taken: many at a time, as many as stand behind one another in memory.
struct LinePieces {
  private let placement: Placement
  private let axis: MapAxis
  /// Floats that are taken at a time, at most: what is kept of them stays in the first-level cache.
  private let cells: Int
  /// Whether the kernel sees whole vectors where the layout has them.
  private let dialect: Dialect

  init(
    _ placement: Placement, _ axis: MapAxis, cells: Int = 512, dialect: Dialect = .scalar
  ) {
    self.placement = placement
    self.axis = axis
    self.cells = cells
    self.dialect = dialect
  }

  private var isMaps: Bool { placement.isMaps }
  private var isVector: Bool { placement.isVector }
  /// Whether a place is an array of lanes.
  private var hasLanes: Bool { isVector && dialect == .scalar }
  /// Whether the places of a line stand behind one another.
  var isContiguous: Bool { !isVector && (axis == .columns || !isMaps) }
  /// Whether a piece of a row is taken at a time.
  var isInPieces: Bool { isMaps && axis != .columns }
  /// Columns of a piece.
  private var columns: Int {
    min(placement.maps.w, max(1, cells / (isVector ? placement.lanes : 1)))
  }

  /// Whether pieces divide a row.
  private var piecesAreEqual: Bool { placement.maps.w % columns == 0 }
  /// Whether pieces are whole lines of memory, as many as the compiler knows.
  var hasWholeLines: Bool {
    isInPieces && piecesAreEqual && columns * (isVector ? placement.lanes : 1) % 16 == 0
  }

  /// Places of a contiguous line that are taken at a time.
  private var step: Int { [16, 8, 4, 2].first { $0 <= count } ?? 1 }
  /// Places of a line.
  private var count: Int {
    let maps = placement.maps
    return axis == .channels ? maps.c : axis == .rows ? maps.h : maps.w
  }

  /// The loops' extents.
  var constants: [ConstantRow] {
    let extents = [ConstantRow(placement.extents())]
    guard isInPieces else { return extents }
    return extents + [ConstantRow([Constant("PIECE", columns)], comment: "columns at a time")]
  }

  /// The loops around lines.
  private var walks: [String: Bool] {
    ["rows": isMaps && axis != .rows, "maps": isMaps && axis != .channels]
  }

  /// Whether the next piece, or the next line where lines are short and stand behind one another in memory, is asked for
  /// before it is needed.
  func readsAhead(_ target: Target) -> Bool {
    isInPieces
      ? placement.comesFromMemory(target) : count <= 1024 && placement.comesLate(target)
  }

  /// Whether contiguous lines are long enough for several vectors at a time.
  func isLong(_ target: Target) -> Bool { target.hasVectors && count >= 4 * target.lanes }

  /// Constants of a template that takes contiguous lines.
  func lineConstants(_ target: Target) -> [ConstantRow] {
    [
      ConstantRow(placement.extents()),
      ConstantRow([Constant("STEP", step)], comment: "places at a time"),
    ]
      + (readsAhead(target)
        ? [ConstantRow([Constant("AHEAD", 512)], comment: "floats that are asked for before")] : [])
  }

  /// The loops around contiguous lines, whether a line has more places than whole steps, and whether it is asked for before.
  func lineFlags(_ target: Target) -> [String: Bool] {
    walks.merging(["rest": count % step != 0, "ahead": readsAhead(target)]) { $1 }
  }

  /// Whether the lanes of a vector are on one line.
  var joins: Bool { axis == .channels && placement.layout == .blocked }

  /// What a template calls that sums over the lanes of a line.
  var joinsSums: [String] { joins ? ["support_lane_sums", "support_join_sums"] : [] }

  /// The loops around pieces, and whether the lanes of a vector are on one line.
  var flags: [String: Bool] {
    walks.merging(["pieces": isInPieces, "joins": joins]) { $1 }
  }

  /// Texts of a template that takes contiguous lines.
  ///
  /// - Parameter names: tensors of whose lines the template wants the address.
  func lineTexts(_ names: [String]) -> [String: String] {
    texts(names) { isMaps ? "\($0)[n][m][h]" : "\($0)[n]" }
  }

  /// Texts of a template that takes pieces, and walks along the lines with k.
  func texts(_ names: [String]) -> [String: String] {
    let lanes = hasLanes ? " * LANES" : ""
    let single = hasLanes ? "LANES" : "1"
    // A number that the compiler knows lets sums of a piece stay in registers.
    let columns = piecesAreEqual ? "PIECE" : "MIN(PIECE, W - w0)"
    return texts(names) { address(of: $0, place: "k") }.merging([
      "cells": isInPieces ? "\(columns)\(lanes)" : single,
      "room": isInPieces ? "PIECE\(lanes)" : single,
    ]) { $1 }
  }

  private func texts(_ names: [String], address: (String) -> String) -> [String: String] {
    let loops = 1 + (isMaps ? axis == .columns ? 2 : 1 : 0) + (isInPieces ? 1 : 0)
    var texts = [
      "outer": placement.outerScalar.rawValue, "extent": axis.constant,
      "collapse": loops == 1 ? "" : "collapse(\(loops)) ",
    ]
    for name in names { texts["\(name)_line"] = address(name) }
    return texts
  }

  /// Floats of a whole piece.
  var floats: Int { columns * (isVector ? placement.lanes : 1) }

  /// The address of what stands behind one another at a place of the lines.
  func address(of name: String, place: String) -> String {
    let index =
      switch axis {
      case .channels: isMaps ? "[n][\(place)][h][w0]" : "[n][\(place)]"
      case .rows: "[n][m][\(place)][w0]"
      case .columns: "[n][m][h][\(place)]"
      }
    return (hasLanes ? "" : "&") + name + index
  }
}

extension [Placement] {
  /// The same memory with the rows of each map joined to one, where no halo stands between them: longer pieces.
  var joiningRows: [Placement] {
    guard allSatisfy({ $0.type.shape.count == 4 && $0.halo.isNone }) else { return self }
    return map { placement in
      let type = placement.type
      let shape: [Int] = type.shape.prefix(2) + [type.maps.pixels]
      return Placement(
        buffer: placement.buffer, type: type.with(shape: shape), layout: placement.layout,
        lanes: placement.lanes)
    }
  }
}
