import ConvcIR

/// The values of a tensor for which an elementwise kernel draws random bits at once: some rows of a map, or a part of one
/// row; of features, some channels.
///
/// A block of the generator has the bits of four values that follow one another in NCHW order. So where these follow one
/// another in memory, vectors of blocks are drawn and put in order; where a vector's lanes are far apart in NCHW order, each
/// lane has a block of its own.
struct RandomPatch {
  private let placement: Placement
  private let target: Target

  init(_ placement: Placement, _ target: Target) {
    self.placement = placement
    self.target = target
  }

  private var maps: MapShape { placement.maps }
  private var isVector: Bool { placement.isVector }

  /// From one lane to the next in NCHW order; nil: values stand in memory in that order.
  private var distance: Int? {
    switch placement.layout {
    case .nchw: nil
    case .lanes: maps.c * maps.pixels
    case .blocked: placement.isMaps ? maps.pixels : nil
    }
  }

  // MARK: Extents

  /// Cells of a patch at most: what is drawn for them stays in the first-level cache, and is little enough for reading and
  /// computing to overlap.
  private var cells: Int {
    let sets = Self.sets(target)
    guard !isVector else { return 8 * sets }
    // Where patches begin within a block of the generator, three values less take no further blocks.
    let row = placement.isMaps ? maps.w : maps.c
    return 128 * sets - (row % 4 == 0 ? 0 : 3)
  }
  private var columns: Int { min(cells, placement.isMaps ? maps.w : placement.blocks) }
  private var rows: Int { placement.isMaps ? min(maps.h, max(1, cells / maps.w)) : 1 }

  /// Vectors of blocks that the generator draws side by side, as `SETS` in its template.
  private static func sets(_ target: Target) -> Int { target.lanes > 8 ? 2 : 1 }

  /// Words that the generator draws at once.
  static func blockRoom(_ target: Target) -> Int {
    target.hasVectors ? sets(target) * 4 * target.lanes : 4
  }

  /// Words, or vectors of them, that are drawn at most.
  private var room: Int {
    let count = rows * columns
    func rounded(_ count: Int, to step: Int) -> Int { (count + step - 1) / step * step }
    guard let distance else {
      return rounded(count * (isVector ? placement.lanes : 1) + 3, to: Self.blockRoom(target))
    }
    return rounded(count + 3, to: 4 * Self.sets(target)) + (distance % 4 == 0 ? 0 : 3)
  }

  /// How a patch is asked for before it is needed.
  private var ahead: ReadAhead { ReadAhead(placement, target) }

  var constants: [ConstantRow] {
    var rows = [
      ConstantRow(
        (placement.isMaps ? [Constant("ROWS", self.rows)] : []) + [Constant("COLUMNS", columns)],
        comment: "what random bits are drawn for at once"),
      ConstantRow([Constant("ROOM", room)], comment: "whole blocks of bits"),
    ]
    if let distance {
      rows.append(
        ConstantRow([Constant("DISTANCE", distance)], comment: "from a lane to the next in NCHW"))
    }
    return rows + ahead.constants
  }

  // MARK: Text

  /// Where the bits of the value at hand stand among those drawn.
  var place: String {
    let cell = placement.isMaps ? "(h - h0) * W + w - w0" : "m - m0"
    guard isVector else { return "[\(cell)]" }
    return distance == nil ? "[(\(cell)) * LANES + l]" : "[\(cell)][l]"
  }

  /// The template that draws, and the functions it calls.
  var template: String { distance == nil ? "random_bits" : "random_bits_lanes" }
  var support: [String] {
    distance == nil
      ? Self.support(target) : ["support_random_blocks", "support_random_bits_lanes"]
  }

  /// What draws the bits of values that follow one another in memory.
  static func support(_ target: Target) -> [String] {
    target.hasVectors
      ? ["support_random_blocks", "support_random_bits_vector"] : ["support_random_bits_scalar"]
  }

  /// What the kernel around the patch has in its holes.
  ///
  /// - Parameter names: what is read and what is written.
  func texts(_ names: (String, String)) -> [String: String] {
    let image = placement.layout == .lanes ? "(uint64_t)n * LANES" : "(uint64_t)n"
    let channel = (placement.isMaps ? "m" : "m0") + (placement.layout == .blocked ? " * LANES" : "")
    let map = "\(image) * \(maps.c) + \(channel)"
    let cell = "[n][m][h0][w0]" + (isVector ? "[0]" : "")
    return [
      "first": placement.isMaps ? "((\(map)) * H + h0) * W + w0" : map,
      "floats": isVector && distance == nil ? " * LANES" : "",
      "lanes": isVector ? " * LANES" : "", "from_soon": "&\(names.0)\(cell) + AHEAD",
      "to_soon": "&\(names.1)\(cell) + AHEAD",
    ]
  }

  var flags: [String: Bool] { ["ahead": ahead.isNeeded] }
}
