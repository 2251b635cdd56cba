/// Pieces of C text: lines of at most 120 columns, and words of the user's made harmless.
enum CText {
  static let columns = 120

  // MARK: Words

  static func isIdentifier(_ text: String) -> Bool {
    guard let first = text.utf8.first, !isDigit(first) else { return false }
    return text.utf8.allSatisfy(isWord)
  }

  /// A C identifier that resembles the text: `_` for other characters, a letter before a digit.
  static func identifier(_ text: String) -> String {
    var name = String(
      text.unicodeScalars.map { scalar in
        scalar.isASCII && isWord(UInt8(truncatingIfNeeded: scalar.value)) ? Character(scalar) : "_"
      })
    // A leading underscore is reserved for the compiler.
    if name.utf8.first.map({ isDigit($0) || $0 == UInt8(ascii: "_") }) ?? true {
      name = "m\(name)"
    }
    return keywords.contains(name) ? "\(name)_" : name
  }

  /// The identifier that prefixes a model's symbols and files, of at most 64 characters.
  static func prefix(_ name: String) -> String {
    let prefix = String(identifier(name).prefix(64))
    return occupied.contains(prefix.lowercased()) ? "m_\(prefix)" : prefix
  }

  /// What `NAME.h` or `libNAME.so` would stand before when a program is compiled with `-I` and `-L`: headers and libraries
  /// of the system. `convc` is the interface's own, `run` the prefix of functions in each file.
  private static let occupied: Set<String> = [
    "convc", "alloca", "assert", "complex", "ctype", "dlfcn", "endian", "errno", "fcntl",
    "features", "fenv", "float", "inttypes", "iso646", "limits", "locale", "malloc", "math",
    "memory", "omp", "pthread", "sched", "setjmp", "signal", "stdalign", "stdarg", "stdatomic",
    "stdbool", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "strings",
    "tgmath", "threads", "time", "uchar", "unistd", "wchar", "wctype", "c", "dl", "gcc", "gcc_s",
    "gomp", "m", "resolv", "rt", "util", "run",
  ]

  static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte < 0x80
  }

  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static let keywords: Set<String> = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "bool", "true", "false",
    "class", "delete", "explicit", "export", "friend", "mutable", "namespace", "new", "operator",
    "private", "protected", "public", "template", "this", "throw", "try", "catch", "typename",
    "using", "virtual", "main",
  ]

  // MARK: Texts of the user's

  /// Bytes that every C99 compiler takes in a string literal, with its end.
  private static let longestLiteral = 4095

  /// A string literal: anything but plain ASCII as octal escapes, `?` escaped against trigraphs; absurdly long text is cut.
  static func string(_ text: String) -> String {
    var literal = "\""
    for byte in text.utf8.prefix(longestLiteral - 1) {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "?"):
        literal += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F:
        literal += String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 8)
        literal += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }
    return literal + "\""
  }

  /// Text that can stand in a `//` comment: on one line, without what would end or nest a comment.
  ///
  /// A `\\` at its end is left to ``closed(_:)``, which sees the whole line.
  static func comment(_ text: String) -> String {
    if isPlain(text) { return text }
    var result = ""
    var last: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      let next = visible(scalar)
      switch (last, next) {
      case ("*", "/"), ("/", "*"), ("?", "?"): result += " "
      default: break
      }
      result.unicodeScalars.append(next)
      last = next
    }
    return result
  }

  /// Whether the text is ASCII without anything that ``comment(_:)`` changes.
  private static func isPlain(_ text: String) -> Bool {
    let special: [UInt8] = [UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "?")]
    var last: UInt8 = 0
    return text.utf8.allSatisfy { byte in
      defer { last = byte }
      return (0x20..<0x7F).contains(byte) && !(special.contains(byte) && special.contains(last))
    }
  }

  /// The line, with a full stop where its comment would go on in the next line.
  static func closed(_ line: String) -> String {
    line.utf8.last == UInt8(ascii: "\\") && line.contains("//") ? "\(line) ." : line
  }

  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator: " "
    case .format, .surrogate, .privateUse, .unassigned: "?"
    default: scalar
    }
  }

  /// A `float` in its shortest exact form.
  static func float(_ value: Float) -> String {
    if value.isNaN { return "NAN" }
    if value.isInfinite { return value < 0 ? "-INFINITY" : "INFINITY" }
    return "\(value)f"
  }

  // MARK: Lines

  /// `head` + items + `tail`, broken after commas: aligned with the head's end, or 8 columns deeper.
  ///
  /// - Parameter indentation: columns that the lines will be moved to the right.
  static func list(
    _ head: String, _ items: [String], _ tail: String, indentation: Int = 0
  ) -> [String] {
    let longest = (items.map(\.width).max() ?? 0) + tail.width + 1
    let own = head.utf8.prefix { $0 == UInt8(ascii: " ") }.count
    let width = head.width
    let isAligned = width <= 64 && width + longest + indentation <= columns
    return fill(
      head, items, tail, column: isAligned ? width : own + 8, separator: ",",
      width: columns - indentation)
  }

  /// A condition broken after `||`, aligned with the head's end.
  static func anyOf(
    _ head: String, _ items: [String], _ tail: String, indentation: Int = 0
  ) -> [String] {
    fill(
      head, items, tail, column: head.width, separator: " ||", width: columns - indentation)
  }

  private static func fill(
    _ head: String, _ items: [String], _ tail: String, column: Int, separator: String, width: Int
  ) -> [String] {
    var lines: [String] = []
    var line = head
    var used = head.width
    for (index, item) in items.enumerated() {
      let text = item + (index == items.count - 1 ? tail : separator)
      let space = index == 0 ? "" : " "
      if used + space.width + text.width <= width || used <= column {
        line += space + text
        used += space.width + text.width
      } else {
        lines.append(line)
        line = String(repeating: " ", count: column) + text
        used = column + text.width
      }
    }
    if items.isEmpty { line += tail }
    return lines + [line]
  }

  /// The lines; where one of a comment's is too long, its words fill this line and those below it.
  static func wrapComments(_ lines: [String]) -> [String] {
    var result: [String] = []
    var index = 0
    while index < lines.count {
      let line = lines[index]
      index += 1
      guard line.width > columns, let prefix = commentPrefix(line) else {
        result.append(line)
        continue
      }
      var text = line.dropFirst(prefix.count)
      while index < lines.count, lines[index].count > prefix.count,
        commentPrefix(lines[index]) == prefix
      {
        text += " " + lines[index].dropFirst(prefix.count)
        index += 1
      }
      result += wrap(String(text), first: prefix, following: prefix)
    }
    return result
  }

  /// What stands before the words of a line that is all comment.
  private static func commentPrefix(_ line: String) -> String? {
    let spaces = line.prefix { $0 == " " }
    let body = line.dropFirst(spaces.count)
    guard body.hasPrefix("//") else { return nil }
    return "\(spaces)//\(body.dropFirst(2).prefix { $0 == " " })"
  }

  /// Words in lines of at most 120 columns.
  static func wrap(_ text: String, first: String, following: String) -> [String] {
    var lines: [String] = []
    var line = first
    var used = first.width
    var isEmpty = true
    for word in text.split(separator: " ") {
      let width = word.width
      if isEmpty {
        line += word
        used += width
      } else if used + 1 + width <= columns {
        line += " "
        line += word
        used += 1 + width
      } else {
        lines.append(line)
        line = following + word
        used = following.width + width
      }
      isEmpty = false
    }
    return lines + [line]
  }

  /// The identifiers in C text, without comments and strings.
  static func words(in lines: [String]) -> Set<String> {
    var words: Set<String> = []
    for line in lines {
      for word in line[...].code.utf8.split(whereSeparator: { !isWord($0) }) {
        words.insert(String(decoding: word, as: UTF8.self))
      }
    }
    return words
  }
}

extension StringProtocol {
  /// Columns that the text takes: its characters, counted quickly where all are ASCII.
  var width: Int {
    utf8.allSatisfy { $0 < 0x80 && $0 != 0x0D } ? utf8.count : count
  }
}

extension Substring {
  /// The line up to its `//` comment.
  var code: Substring {
    let slash = UInt8(ascii: "/")
    var last: UInt8 = 0
    guard
      let second = utf8.firstIndex(where: { byte in
        defer { last = byte }
        return byte == slash && last == slash
      })
    else { return self }
    return self[..<utf8.index(before: second)]
  }
}
