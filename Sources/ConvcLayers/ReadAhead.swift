import ConvcIR

/// What a loop over all values of one layout asks for before it reads and writes it: only with maps that come from memory,
/// where a processor guesses too late, above all what will be written.
struct ReadAhead {
  let isNeeded: Bool
  private let isByCell: Bool

  /// - Parameters:
  ///   - target: whose caches decide; nil: nothing is asked for.
  ///   - isInOrder: whether the loop goes through maps in the order of memory.
  init(_ placement: Placement, _ target: Target?, isInOrder: Bool = true) {
    isNeeded =
      target.map { isInOrder ? placement.comesLate($0) : placement.comesFromMemory($0) } ?? false
    isByCell = placement.isVector
  }

  /// How far ahead.
  var constants: [ConstantRow] {
    isNeeded ? [ConstantRow([Constant("AHEAD", 1024)], comment: "floats")] : []
  }

  /// By rows of values, or by cells of lanes.
  var flags: [String: Bool] {
    ["ahead_in_row": isNeeded && !isByCell, "ahead_in_cell": isNeeded && isByCell]
  }

  /// - Parameter names: what is read and what is written.
  func texts(_ names: (String, String)) -> [String: String] {
    func soon(_ name: String) -> String {
      isByCell ? "(const float *)&\(name)[n][m][h][w] + AHEAD" : "&\(name)[n][m][h][0] + AHEAD"
    }
    return ["from_soon": soon(names.0), "to_soon": soon(names.1)]
  }
}
