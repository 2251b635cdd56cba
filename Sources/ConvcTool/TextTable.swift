/// Lines in columns.
struct TextTable {
  /// Where a column's entries stand.
  enum Alignment {
    case left, right
  }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// - Parameter columns: headings with the alignment of what stands below; without headings, empty texts.
  init(_ columns: [(heading: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = columns.allSatisfy { $0.heading.isEmpty } ? [] : [columns.map(\.heading)]
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, two blanks between columns, none at their ends.
  var text: String {
    let widths = alignments.indices.map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        line += column == 0 ? "" : "  "
        line += alignments[column] == .left ? cell + blanks : blanks + cell
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}

/// Numbers as people read them.
enum NumberText {
  /// Digits in groups of three: `61,706`.
  static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// Bytes in the largest unit that keeps the number above one: `1.2 MiB`.
  static func bytes(_ count: Int) -> String {
    guard count >= 1024 else { return "\(count) B" }
    let (unit, name) =
      count >= 1 << 30 ? (1 << 30, "GiB") : count >= 1 << 20 ? (1 << 20, "MiB") : (1 << 10, "KiB")
    return "\(fixed(Double(count) / Double(unit), 1)) \(name)"
  }

  /// A number with so many digits after the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let whole = Int((value.magnitude * Double(scale)).rounded())
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let rest = String(whole % scale)
    return "\(sign)\(whole / scale)." + String(repeating: "0", count: digits - rest.count) + rest
  }

  /// A number in three digits: `1.23e-05`.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var exponent = 0
    var mantissa = value.magnitude
    while mantissa >= 9.995, exponent < 400 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 0.9995, exponent > -400 {
      (mantissa, exponent) = (mantissa * 10, exponent - 1)
    }
    let sign = value < 0 ? "-" : ""
    if (-3...2).contains(exponent) { return sign + fixed(value.magnitude, 2 - exponent) }
    let digits = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    return "\(sign)\(fixed(mantissa, 2))e\(exponent < 0 ? "-" : "+")\(digits)"
  }

  /// A share as a percentage: `88.6 %`.
  static func percent(_ share: Double) -> String { "\(fixed(100 * share, 2)) %" }

  /// `1x28x28`.
  static func extents(_ shape: [Int]) -> String {
    shape.isEmpty ? "() of one value" : shape.map(String.init).joined(separator: "x")
  }
}
