/// A network's columns, broken into rows where few edges cross.
struct NetworkRows {
  static let targetWidth = 1500.0

  /// Columns of each row.
  private(set) var ranges: [Range<Int>] = []
  /// Lanes that each row has.
  private(set) var laneCounts: [Int] = []
  /// Left end of each column in its row, and its width.
  private var lefts: [Double] = []
  private let widths: [Double]
  private(set) var width = 0.0
  /// The row of each column.
  private(set) var rowOf: [Int] = []

  init(_ plan: NetworkPlan, boxWidths: [Double]) {
    var widths = [Double](repeating: 0, count: plan.columnCount)
    for (box, boxWidth) in boxWidths.enumerated() {
      widths[plan.columns[box]] = max(
        widths[plan.columns[box]], boxWidth + NetworkLayout.columnGap)
    }
    self.widths = widths
    lefts = Array(repeating: 0, count: widths.count)
    rowOf = Array(repeating: 0, count: widths.count)
    let costs = Self.costs(plan)
    let total = widths.reduce(0, +)
    let count = (total / Self.targetWidth).rounded(.up)
    // Rows of about the same length.
    let target = count <= 1 ? total : min(Self.targetWidth, total / count + 120)
    var start = 0
    while start < widths.count {
      let end = Self.end(from: start, widths, costs, target)
      var x = 0.0
      for column in start..<end {
        lefts[column] = x
        rowOf[column] = ranges.count
        x += widths[column]
      }
      width = max(width, x)
      let lanes = plan.boxes.indices.filter { (start..<end).contains(plan.columns[$0]) }
        .map { plan.lanes[$0] }
      ranges.append(start..<end)
      laneCounts.append((lanes.max() ?? 0) + 1)
      start = end
    }
  }

  /// For each column what a break before it costs: edges that cross it, and kernels that it cuts.
  private static func costs(_ plan: NetworkPlan) -> [Double] {
    var costs = [Double](repeating: 0, count: plan.columnCount)
    for (index, box) in plan.boxes.enumerated() {
      for read in box.reads {
        let isCut = box.group != nil && box.group == plan.boxes[read].group
        for column in plan.columns[read] + 1..<plan.columns[index] + 1 {
          costs[column] += isCut ? 1.5 : 1
        }
      }
    }
    return costs
  }

  private static func end(
    from start: Int, _ widths: [Double], _ costs: [Double], _ target: Double
  ) -> Int {
    var x = 0.0
    var best: (end: Int, cost: Double)?
    for column in start..<widths.count {
      if column > start, x + widths[column] > target + 1 { return best?.end ?? column }
      x += widths[column]
      guard column + 1 < widths.count, x > 0.55 * target else { continue }
      // A shorter row is worth a crossing less.
      let cost = costs[column + 1] + 2 * (1 - x / target)
      if best.map({ cost <= $0.cost }) ?? true { best = (column + 1, cost) }
    }
    return widths.count
  }

  func middle(of column: Int) -> Double { lefts[column] + widths[column] / 2 }

  func extent(of column: Int) -> (left: Double, right: Double) {
    (lefts[column], lefts[column] + widths[column])
  }
}
