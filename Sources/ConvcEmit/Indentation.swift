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
    let text = line.utf8.drop { $0 == UInt8(ascii: " ") }
    guard let first = text.first, first != UInt8(ascii: "#") else { return line }
    let own = line.utf8.count - text.count
    let code = Self.code(Substring(text))
    if code.first == UInt8(ascii: "}"), let opener = blocks.popLast() {
      column = opener
      moved = opener - own
    } else if moved == nil {
      column = (blocks.last.map { $0 + 4 } ?? 0) + 4 * headers
      moved = column - own
    }
    let distance = moved ?? 0
    close(code)
    if distance == 0 { return line }
    return String(repeating: " ", count: max(0, own + distance)) + Substring(text)
  }

  /// Notes how a line ends.
  private mutating func close(_ code: Substring.UTF8View) {
    for byte in code {
      if byte == UInt8(ascii: "(") { parentheses += 1 }
      if byte == UInt8(ascii: ")") { parentheses -= 1 }
    }
    guard parentheses == 0 else { return }
    if code.last == UInt8(ascii: "{") {
      blocks.append(column)
      headers = 0
    } else if code.isEmpty || code.starts(with: "OMP(".utf8) {
      // A comment or a directive belongs to the next statement.
    } else if code.last == UInt8(ascii: ";") || code.last == UInt8(ascii: "}") {
      headers = 0
    } else if Self.isHeader(code) {
      headers += 1
    } else if !blocks.isEmpty {
      return
    }
    moved = nil
  }

  private static let headerWords = [
    "for (", "if (", "while (", "else", "UNROLL for (", "ROLL for (",
  ]

  private static func isHeader(_ code: Substring.UTF8View) -> Bool {
    headerWords.contains { code.starts(with: $0.utf8) }
      && (code.last == UInt8(ascii: ")") || code.elementsEqual("else".utf8))
  }

  /// The line without its comment.
  private static func code(_ text: Substring) -> Substring.UTF8View {
    var code = text.code.utf8
    while code.last == UInt8(ascii: " ") { code.removeLast() }
    return code
  }
}
