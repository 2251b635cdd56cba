import ConvcIR

/// A point of a picture, in pixels from its top left corner.
struct NetworkPoint: Hashable {
  let x: Double
  let y: Double
}

/// Places of all that a picture of a network shows: columns in rows like words in lines, lanes below each other in a row.
struct NetworkLayout {
  struct Frame {
    let left: Double
    let top: Double
    let right: Double
    let bottom: Double
  }

  static let margin = 28.0
  static let columnGap = 22.0
  static let trackHeight = 11.0
  private static let headHeight = 100.0

  let plan: NetworkPlan
  let volumes: [NetworkVolume]
  let rows: NetworkRows
  /// Middle of each box.
  private(set) var centers: [NetworkPoint] = []
  private var labelTexts: [[NetworkText]] = []
  /// Around the boxes of one kernel.
  private(set) var frames: [Frame] = []
  /// A line for each edge, with the box that it leads to.
  private(set) var routes: [(target: Int, points: [NetworkPoint])] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  init(_ plan: NetworkPlan) {
    self.plan = plan
    let largest = plan.boxes.flatMap { $0.shape.count > 1 ? Array($0.shape.dropFirst()) : [] }.max()
    volumes = plan.boxes.map {
      NetworkVolume($0.shape, largest: largest ?? 1, isPlate: $0.isPlate)
    }
    let labels = plan.boxes.map(Self.label)
    rows = NetworkRows(
      plan,
      boxWidths: zip(volumes, labels).map { volume, label in
        max(volume.boundingWidth, label.map(\.width).max() ?? 0)
      })
    place(labels)
  }

  /// What stands under a box, its middle at 0: name, extents, settings.
  private static func label(_ box: NetworkPlan.Box) -> [NetworkText] {
    let (narrow, wide) = (78.0, 118.0)
    let kind = NetworkText.width(of: String(box.settings.prefix { $0 != " " }), .settings)
    let limit = box.isPlate ? min(wide, max(narrow, kind)) : wide
    var lines = [(NetworkText.fitting(box.title, .name, in: limit), NetworkText.Style.name)]
    if !box.isPlate {
      lines.append((NetworkText.fitting(box.shape.extents, .shape, in: limit), .shape))
    }
    lines += NetworkText.lines(box.settings, .settings, in: limit, atMost: 4)
      .map { ($0, .settings) }
    var baseline = 0.0
    return lines.map { text, style in
      baseline += style.size + 3
      return NetworkText(text: text, style: style, x: 0, baseline: baseline, isCentered: true)
    }
  }

  /// Gives every box, label, frame and edge its place, row by row.
  private mutating func place(_ labels: [[NetworkText]]) {
    let tracks = NetworkTracks(plan, rows)
    centers = Array(repeating: NetworkPoint(x: 0, y: 0), count: plan.boxes.count)
    labelTexts = Array(repeating: [], count: plan.boxes.count)
    let left = Self.margin + Double(tracks.mostCrossings) * Self.trackHeight
    var router = NetworkRouter(left: left, right: left + rows.width)
    var top = Self.headHeight
    for row in rows.ranges.indices {
      router.gaps.append(top - 8)
      top += Double(tracks.crossings(above: row).count) * Self.trackHeight
      for lane in 0...(rows.laneCounts[row] - 1) {
        let members = plan.boxes.indices.filter {
          plan.lanes[$0] == lane && rows.ranges[row].contains(plan.columns[$0])
        }
        top += Double(tracks.count(row: row, lane: lane)) * Self.trackHeight + 8
        router.trackBottoms[NetworkTracks.Place(row: row, lane: lane)] = top
        let tallest = members.map { volumes[$0].boundingHeight }.max() ?? 20
        let axis = top + tallest / 2 + 6
        router.axes[NetworkTracks.Place(row: row, lane: lane)] = axis
        let labelTop = axis + tallest / 2 + 5
        var bottom = labelTop
        for box in members {
          let x = left + rows.middle(of: plan.columns[box])
          centers[box] = NetworkPoint(x: x, y: axis)
          for line in labels[box] {
            labelTexts[box].append(
              NetworkText(
                text: line.text, style: line.style, x: x, baseline: labelTop + line.baseline,
                isCentered: true))
            bottom = max(bottom, labelTop + line.baseline + 4)
          }
        }
        frame(members, top: top, bottom: bottom, left: left)
        top = bottom + 8
      }
      top += 22
    }
    routes = router.routes(self, tracks)
    width = left + rows.width + Self.margin + Double(tracks.mostCrossings) * Self.trackHeight
    height = top
  }

  /// Frames around the boxes of a lane that one kernel computes and that stand side by side.
  private mutating func frame(_ members: [Int], top: Double, bottom: Double, left: Double) {
    let sorted = members.sorted { plan.columns[$0] < plan.columns[$1] }
    var run: [Int] = []
    func edges(_ run: [Int]) -> Frame? {
      guard let first = run.first, let last = run.last, run.count > 1 else { return nil }
      let (from, to) = (rows.extent(of: plan.columns[first]), rows.extent(of: plan.columns[last]))
      return Frame(left: left + from.left + 5, top: top, right: left + to.right - 5, bottom: bottom)
    }
    for box in sorted {
      if let last = run.last, plan.boxes[last].group == plan.boxes[box].group,
        plan.boxes[box].group != nil, plan.columns[box] == plan.columns[last] + 1
      {
        run.append(box)
      } else {
        frames += [edges(run)].compactMap { $0 }
        run = [box]
      }
    }
    frames += [edges(run)].compactMap { $0 }
  }

  /// The lines under a box.
  func labels(of box: Int) -> [NetworkText] { labelTexts[box] }

  /// Where the outline of a box has its top, at a distance from the middle.
  func top(of box: Int, at distance: Double) -> Double {
    let volume = volumes[box]
    let corner = -volume.boundingWidth / 2 + volume.right
    let top = centers[box].y - volume.boundingHeight / 2
    guard distance < corner, volume.right > 0 else { return top }
    return top + (corner - distance) / volume.right * volume.up
  }
}

extension [Int] {
  /// `6x14x14`.
  var extents: String { map(String.init).joined(separator: "x") }
}
