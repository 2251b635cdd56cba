/// The horizontal lines above lanes on which edges pass boxes, and the edges that go on in the next row.
struct NetworkTracks {
  struct Place: Hashable {
    let row: Int
    let lane: Int
  }

  struct Edge: Hashable {
    let from: Int
    let to: Int
  }

  /// An edge's way along one row.
  struct Piece {
    let edge: Edge
    let place: Place
    /// nil: along the lane's middle.
    var track: Int?
    let columns: ClosedRange<Double>
  }

  /// By edge, then by row.
  private(set) var pieces: [Edge: [Int: Piece]] = [:]
  let edges: [Edge]
  private var counts: [Place: Int] = [:]
  private let rowCount: Int

  init(_ plan: NetworkPlan, _ rows: NetworkRows) {
    var edges: [Edge] = []
    for (index, box) in plan.boxes.enumerated() {
      for read in box.reads where !edges.contains(Edge(from: read, to: index)) {
        edges.append(Edge(from: read, to: index))
      }
    }
    self.edges = edges
    rowCount = rows.ranges.count
    let all = edges.flatMap { Self.pieces($0, plan, rows) }
    // Short ways lie inside of longer ones.
    let sorted = all.sorted { a, b in
      let (first, second) = (
        a.columns.upperBound - a.columns.lowerBound, b.columns.upperBound - b.columns.lowerBound
      )
      return (first, a.edge.from, a.edge.to) < (second, b.edge.from, b.edge.to)
    }
    var taken: [Place: [[ClosedRange<Double>]]] = [:]
    for var piece in sorted {
      if piece.track != nil {
        var tracks = taken[piece.place] ?? []
        let track =
          tracks.firstIndex { $0.allSatisfy { !$0.overlaps(piece.columns) } } ?? tracks.count
        if track == tracks.count { tracks.append([]) }
        tracks[track].append(piece.columns)
        taken[piece.place] = tracks
        piece.track = track
      }
      pieces[piece.edge, default: [:]][piece.place.row] = piece
    }
    counts = taken.mapValues(\.count)
  }

  private static func pieces(_ edge: Edge, _ plan: NetworkPlan, _ rows: NetworkRows) -> [Piece] {
    let (from, to) = (plan.columns[edge.from], plan.columns[edge.to])
    let (first, last) = (rows.rowOf[from], rows.rowOf[to])
    let isNext = to == from + 1
    // The end of a branch runs along its own lane, which is kept free for it.
    let isEndOfBranch =
      plan.next[edge.from] == nil && plan.lanes[edge.from] != plan.lanes[edge.to]
      && plan.readers[edge.from].count == 1
    return (first...last).map { row in
      let columns = rows.ranges[row]
      let start = row == first ? Double(from) + 0.1 : Double(columns.lowerBound) - 1
      let end = row == last ? Double(to) - 0.1 : Double(columns.upperBound)
      let entersFirst = row == last && first != last && to == columns.lowerBound
      let usesMiddle = row == first ? isNext || isEndOfBranch : entersFirst
      let lane = row == first ? plan.lanes[edge.from] : entersFirst ? plan.lanes[edge.to] : 0
      return Piece(
        edge: edge, place: Place(row: row, lane: lane), track: usesMiddle ? nil : 0,
        columns: min(start, end)...max(start, end))
    }
  }

  func count(row: Int, lane: Int) -> Int { counts[Place(row: row, lane: lane)] ?? 0 }

  /// Edges that come from the row above, in a fixed order.
  func crossings(above row: Int) -> [Edge] {
    guard row > 0 else { return [] }
    return edges.filter { pieces[$0]?[row] != nil && pieces[$0]?[row - 1] != nil }
  }

  var mostCrossings: Int { (0..<rowCount).map { crossings(above: $0).count }.max() ?? 0 }
}
