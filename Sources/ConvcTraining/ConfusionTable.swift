/// A confusion matrix as a table of HTML: whole where it can be read, else its worst classes.
struct ConfusionTable {
  let confusion: ConfusionMatrix
  /// Names of the classes; classes without one are called by their number.
  let names: [String]

  /// More classes than a page can show as a matrix.
  static let limit = 30

  var html: String { confusion.classes <= Self.limit ? matrix : worst }

  private func name(_ index: Int) -> String {
    HTML.escaped(index < names.count ? names[index] : "\(index)")
  }

  private var matrix: String {
    let classes = 0..<confusion.classes
    let isShort = classes.allSatisfy { name($0).count <= 3 }
    let heads = classes.map { isShort ? name($0) : "<span>\(name($0))</span>" }
    let worstMiss = classes.flatMap { row in
      classes.filter { $0 != row }.map { confusion[row, $0] }
    }.max()
    let rows = classes.map { row in
      let total = max(1, confusion.total(of: row))
      let cells = classes.map { column -> String in
        let count = confusion[row, column]
        if count == 0 { return "<td class=\"zero\">·</td>" }
        let isHit = row == column
        let share =
          isHit
          ? 60 * Double(count) / Double(total)
          : 8 + 52 * Double(count) / Double(max(1, worstMiss ?? 1))
        return "<td class=\"\(isHit ? "hit" : "miss")\" "
          + "style=\"--share:\(NumberText.fixed(share, 0))\">\(NumberText.grouped(count))</td>"
      }
      let found = confusion.accuracy(of: row).map { NumberText.percent($0, 1) } ?? ""
      return "<tr><th scope=\"row\">\(name(row))</th>\(cells.joined())"
        + "<td class=\"found\">\(found)</td></tr>\n"
    }
    return "<p class=\"soft\">Row: the true class. Column: what the network took it for. "
      + "Right: share of the class that was found.</p>\n<div class=\"beside\">\n"
      + "<table class=\"matrix\">\n" + HTML.head([""] + heads + [""]) + "<tbody>\n"
      + rows.joined() + "</tbody>\n</table>\n\(errors)</div>\n"
  }

  /// The pairs of classes that were confused most.
  private var errors: String {
    let classes = 0..<confusion.classes
    let pairs = classes.flatMap { row in
      classes.filter { $0 != row && confusion[row, $0] > 0 }.map { (row, $0) }
    }.sorted { confusion[$0.0, $0.1] > confusion[$1.0, $1.1] }
    guard !pairs.isEmpty else { return "" }
    let items = pairs.prefix(8).map { row, column in
      HTML.row([
        "\(name(row)) <span class=\"soft\">taken for</span> \(name(column))",
        NumberText.grouped(confusion[row, column]),
      ])
    }
    return "<table class=\"errors\">\n" + HTML.head(["most frequent errors", "images"])
      + "<tbody>\n" + items.joined() + "</tbody>\n</table>\n"
  }

  private var worst: String {
    let ranked = (0..<confusion.classes)
      .compactMap { index in confusion.accuracy(of: index).map { (index, $0) } }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    let rows = ranked.prefix(20).map { index, share in
      HTML.row([
        name(index), NumberText.grouped(confusion.total(of: index)), NumberText.percent(share, 1),
      ])
    }
    return "<p class=\"soft\">The classes that were found least, of \(confusion.classes).</p>\n"
      + "<table>\n" + HTML.head(["class", "images", "found"]) + "<tbody>\n" + rows.joined()
      + "</tbody>\n</table>\n"
  }
}
