/// Rows of text in columns.
struct TextTable {
  private let rightAligned: Set<Int>
  private var rows: [[String]] = []

  /// - Parameter rightAligned: indices of columns with numbers.
  init(rightAligned: Set<Int> = []) {
    self.rightAligned = rightAligned
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The rows as comment lines; what does not fit in 120 columns goes on under its last column.
  var comment: [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].width : 0 }.max() ?? 0
    }
    return rows.flatMap { row in lines(row, widths: widths) }
  }

  private func lines(_ row: [String], widths: [Int]) -> [String] {
    var head = "//  "
    for (column, cell) in row.enumerated().dropLast() {
      let space = String(repeating: " ", count: widths[column] - cell.width)
      head += rightAligned.contains(column) ? " \(space)\(cell) " : " \(cell)\(space) "
    }
    guard let last = row.last else { return ["//"] }
    let isNumber = rightAligned.contains(row.count - 1)
    let space = isNumber ? widths[row.count - 1] - last.width : 0
    head += " " + String(repeating: " ", count: space)
    let inset = String(repeating: " ", count: min(head.width, 60) - 2)
    return CText.wrap(last, first: head, following: "//\(inset)").map { $0.trimmingTail() }
  }
}
