/// Turns the ways of edges into lines of points.
struct NetworkRouter {
  /// Ends of the rows.
  let left: Double
  let right: Double
  /// Top of each row, where edges from the row above come in.
  var gaps: [Double] = []
  /// Middle of each lane of each row, and where its tracks end.
  var axes: [NetworkTracks.Place: Double] = [:]
  var trackBottoms: [NetworkTracks.Place: Double] = [:]

  init(left: Double, right: Double) {
    self.left = left
    self.right = right
  }

  func routes(_ layout: NetworkLayout, _ tracks: NetworkTracks) -> [(Int, [NetworkPoint])] {
    tracks.edges.map { edge in (edge.to, points(edge, layout, tracks)) }
  }

  /// The height of a piece.
  private func height(_ piece: NetworkTracks.Piece) -> Double {
    guard let track = piece.track else { return axes[piece.place] ?? 0 }
    return (trackBottoms[piece.place] ?? 0) - 4 - Double(track) * NetworkLayout.trackHeight
  }

  private func points(_ edge: NetworkTracks.Edge, _ layout: NetworkLayout, _ tracks: NetworkTracks)
    -> [NetworkPoint]
  {
    let pieces = (tracks.pieces[edge] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    guard let first = pieces.first, let last = pieces.last else { return [] }
    let (from, to) = (layout.centers[edge.from], layout.centers[edge.to])
    var points: [NetworkPoint] = []
    if first.track == nil {
      points.append(from)
    } else {
      points.append(NetworkPoint(x: from.x + 5, y: from.y))
      points.append(NetworkPoint(x: from.x + 5, y: height(first)))
    }
    for (above, below) in zip(pieces, pieces.dropFirst()) {
      points += crossing(edge, above, below, tracks)
    }
    let volume = layout.volumes[edge.to]
    let side = to.x - volume.boundingWidth / 2
    if last.track != nil, last.place.lane == layout.plan.lanes[edge.to] {
      let y = layout.top(of: edge.to, at: -5)
      points += [
        NetworkPoint(x: to.x - 5, y: height(last)), NetworkPoint(x: to.x - 5, y: y - 1),
      ]
    } else {
      let y = height(last)
      if y != to.y {
        let column = layout.rows.extent(of: layout.plan.columns[edge.to])
        let x = left + column.left + 5
        points += [NetworkPoint(x: x, y: y), NetworkPoint(x: x, y: to.y)]
      }
      points.append(NetworkPoint(x: side - 1, y: to.y))
    }
    return points
  }

  /// From a row's right end to the next one's left end. Of several edges the upper ones go further around, so they do not
  /// cross.
  private func crossing(
    _ edge: NetworkTracks.Edge, _ above: NetworkTracks.Piece, _ below: NetworkTracks.Piece,
    _ tracks: NetworkTracks
  ) -> [NetworkPoint] {
    let row = below.place.row
    let sorted = tracks.crossings(above: row).sorted { a, b in
      let (first, second) = (tracks.pieces[a]?[row - 1], tracks.pieces[b]?[row - 1])
      guard let first, let second else { return false }
      return (height(first), a.from) < (height(second), b.from)
    }
    let place = sorted.firstIndex(of: edge) ?? 0
    let step = NetworkLayout.trackHeight
    let around = Double(sorted.count - 1 - place) * step
    let gap = gaps[row] + around
    let (out, back) = (right + 8 + around, left - 8 - Double(place) * step)
    return [
      NetworkPoint(x: out, y: height(above)), NetworkPoint(x: out, y: gap),
      NetworkPoint(x: back, y: gap), NetworkPoint(x: back, y: height(below)),
    ]
  }
}
