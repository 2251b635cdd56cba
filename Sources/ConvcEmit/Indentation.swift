/// Indents C by its blocks: a template's loop that is left out leaves its body too far to the right.
struct Indentation {
  /// Columns of the lines that open and close each block.
  private var blocks: [Int] = []
  /// Column of the statement at hand.
  private var column = 0
  /// Headers without a brace above the next statement: `for (...)`.
  private var headers = 0
  /// Columns by which the statement at hand moves to the right; nil: the next line begins one.
  private var moved: Int?
  /// Parentheses that are open.
  private var parentheses = 0

  /// The lines, each block four columns deeper than what opens it. Lines that go on with a statement
  /// keep their place below its first line.
  static func byBlocks(_ lines: [String]) -> [String] {
    var indentation = Indentation()
    return lines.map { indentation.place($0) }
  }

  private mutating func place(_ line: String) -> String {
    let text = line.drop { $0 == " " }
    guard !text.isEmpty, !text.hasPrefix("#") else { return line }
    let own = line.utf8.count - text.utf8.count
    let code = Self.code(text)
    if code.hasPrefix("}"), let opener = blocks.popLast() {
      column = opener
      moved = opener - own
    } else if moved == nil {
      column = (blocks.last.map { $0 + 4 } ?? 0) + 4 * headers
      moved = column - own
    }
    let result = String(repeating: " ", count: max(0, own + (moved ?? 0))) + text
    close(code)
    return result
  }

  /// Notes how a line ends.
  private mutating func close(_ code: Substring) {
    for byte in code.utf8 {
      if byte == UInt8(ascii: "(") { parentheses += 1 }
      if byte == UInt8(ascii: ")") { parentheses -= 1 }
    }
    guard parentheses == 0 else { return }
    if code.hasSuffix("{") {
      blocks.append(column)
      headers = 0
    } else if code.isEmpty || code.hasPrefix("OMP(") {
      // A comment or a directive belongs to the next statement.
    } else if code.hasSuffix(";") || code.hasSuffix("}") {
      headers = 0
    } else if Self.isHeader(code) {
      headers += 1
    } else if !blocks.isEmpty {
      return
    }
    moved = nil
  }

  private static func isHeader(_ code: Substring) -> Bool {
    let words = ["for (", "if (", "while (", "else", "UNROLL for (", "ROLL for ("]
    return words.contains(where: code.hasPrefix) && (code.hasSuffix(")") || code == "else")
  }

  /// The line without its comment.
  private static func code(_ text: Substring) -> Substring {
    var code = text.firstRange(of: "//").map { text[..<$0.lowerBound] } ?? text
    while code.last == " " { code.removeLast() }
    return code
  }
}
