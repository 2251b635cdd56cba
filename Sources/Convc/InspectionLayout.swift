/// Places of a network's layers in a picture: each below all that it reads.
///
/// Edges that pass rows get a place in each, so that they go around boxes. A box wants to stand below the middle of what
/// it reads; boxes of a row that would overlap are moved apart.
struct InspectionLayout {
  /// A box: an input, a layer or an output.
  struct Box {
    let title: String
    let lines: [String]
    /// What a pointer over it shows.
    let hint: String
    /// Boxes that it reads.
    let reads: [Int]
    let group: String?
  }

  /// A place in a row: a box, or where an edge passes.
  private struct Place {
    let row: Int
    let isBox: Bool
    /// Places of the row above.
    var above: [Int]
    var x = 0.0
  }

  static let boxWidth = 250.0
  static let boxHeight = 58.0
  static let rowHeight = 88.0
  private static let passWidth = 30.0
  private static let gap = 26.0

  let boxes: [Box]
  /// Centre of each box, from the picture's left, and its row.
  private(set) var centers: [(x: Double, row: Int)] = []
  /// For each edge the centres of the places that it passes, its ends included.
  private(set) var edges: [[(x: Double, row: Int)]] = []
  private(set) var width = 0.0
  private(set) var rows = 0

  init(_ inspection: Inspection) {
    self.init(boxes: Self.boxes(of: inspection))
  }

  /// - Parameter boxes: each reads only boxes before it.
  init(boxes: [Box]) {
    self.boxes = boxes
    var ranks: [Int] = []
    for box in boxes { ranks.append((box.reads.map { ranks[$0] + 1 }.max()) ?? 0) }
    rows = (ranks.max() ?? -1) + 1
    var places = ranks.map { Place(row: $0, isBox: true, above: []) }
    var routes: [[Int]] = []
    for (index, box) in boxes.enumerated() {
      for read in box.reads {
        var route = [read]
        for row in (ranks[read] + 1)..<max(ranks[read] + 1, ranks[index]) {
          places.append(Place(row: row, isBox: false, above: [route[route.count - 1]]))
          route.append(places.count - 1)
        }
        places[index].above.append(route[route.count - 1])
        routes.append(route + [index])
      }
    }
    Self.arrange(&places, rows: rows)
    let left = zip(places, places.map(Self.width)).map { $0.x - $1 / 2 }.min() ?? 0
    let right = zip(places, places.map(Self.width)).map { $0.x + $1 / 2 }.max() ?? 0
    width = right - left
    centers = places.prefix(boxes.count).map { ($0.x - left, $0.row) }
    edges = routes.map { $0.map { (places[$0].x - left, places[$0].row) } }
  }

  private static func width(_ place: Place) -> Double { place.isBox ? boxWidth : passWidth }

  private static func arrange(_ places: inout [Place], rows: Int) {
    for row in 0..<rows {
      let wanted = places.indices.filter { places[$0].row == row }.map { index in
        let above = places[index].above
        let sum = above.reduce(0) { $0 + places[$1].x }
        return (index: index, x: above.isEmpty ? 0 : sum / Double(above.count))
      }
      // Of equal wishes the first comes first: swaps would make edges cross.
      let sorted = wanted.sorted { ($0.x, $0.index) < ($1.x, $1.index) }
      var xs: [Double] = []
      for (position, wish) in sorted.enumerated() {
        guard let last = xs.last else {
          xs.append(wish.x)
          continue
        }
        let before = places[sorted[position - 1].index]
        let distance = (width(before) + width(places[wish.index])) / 2 + gap
        xs.append(max(wish.x, last + distance))
      }
      let shift = zip(sorted, xs).reduce(0) { $0 + $1.0.x - $1.1 } / Double(max(1, xs.count))
      for (wish, x) in zip(sorted, xs) { places[wish.index].x = x + shift }
    }
  }

  private static func boxes(of inspection: Inspection) -> [Box] {
    var boxes: [Box] = []
    var index: [String: Int] = [:]
    for input in inspection.inputs {
      index[input.name] = boxes.count
      boxes.append(
        Box(
          title: input.name, lines: ["input", input.shape.extents], hint: "input \(input.name)",
          reads: [], group: nil))
    }
    for layer in inspection.layers {
      index[layer.name] = boxes.count
      boxes.append(
        Box(
          title: layer.name + (layer.frozen ? " (frozen)" : ""),
          lines: [layer.settings, layer.shape.extents], hint: layer.hint,
          reads: layer.inputs.compactMap { index[$0] }, group: layer.group))
    }
    return boxes
  }
}

extension Inspection.Layer {
  fileprivate var hint: String {
    var parts = ["\(name): \(settings)", "output \(shape.extents)"]
    if parameters > 0 { parts.append("\(parameters) parameters") }
    if multiplyAdds > 0 { parts.append("\(multiplyAdds) multiply-adds") }
    parts.append("receptive field \(receptiveField)")
    if let group { parts.append("kernel \(group)") }
    return parts.joined(separator: "\n")
  }
}

extension [Int] {
  /// `6x14x14`.
  var extents: String { map(String.init).joined(separator: "x") }
}
