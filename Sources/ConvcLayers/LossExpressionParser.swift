/// Why a text is no formula of a loss.
public struct LossExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  public let text: String
  /// Characters before the place at fault.
  public let position: Int
  public let expected: String

  public var description: String {
    "formula '\(text)' is wrong at character \(position + 1): \(expected) is expected, "
      + "as in abs(p - t) + 0.5 * pow(p, 2)"
  }
}

extension LossExpression {
  /// Reads a formula: `p`, `t`, numbers, `+ - * /`, parentheses, `exp log sqrt abs sigmoid tanh softplus` of one value,
  /// `min max` of two, `pow(x, 2)` with a constant exponent, and `where(a < b, x, y)`.
  ///
  /// - Throws: the place at fault, and what is expected there.
  public init(_ text: String) throws(LossExpressionError) {
    var parser = Parser(text)
    self = try parser.sum()
    guard parser.next == nil else { throw parser.wanted("+, -, *, / or the end") }
  }

  private struct Parser {
    let text: String
    private let characters: [Character]
    private var position = 0
    private var depth = 0

    init(_ text: String) {
      self.text = text
      characters = Array(text)
      skip()
    }

    var next: Character? { position < characters.count ? characters[position] : nil }

    private mutating func skip() {
      while position < characters.count, characters[position] == " " { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
      guard next == character else { return false }
      position += 1
      skip()
      return true
    }

    private mutating func expect(_ character: Character) throws(LossExpressionError) {
      guard take(character) else { throw wanted("'\(character)'") }
    }

    func wanted(_ expected: String) -> LossExpressionError {
      LossExpressionError(text: text, position: position, expected: expected)
    }

    mutating func sum() throws(LossExpressionError) -> LossExpression {
      var result = try product()
      while true {
        if take("+") {
          result = .sum(result, try product())
        } else if take("-") {
          result = .difference(result, try product())
        } else {
          return result
        }
      }
    }

    private mutating func product() throws(LossExpressionError) -> LossExpression {
      var result = try factor()
      while true {
        if take("*") {
          result = .product(result, try factor())
        } else if take("/") {
          result = .quotient(result, try factor())
        } else {
          return result
        }
      }
    }

    private mutating func factor() throws(LossExpressionError) -> LossExpression {
      guard depth < 64 else { throw wanted("a formula of at most 64 levels") }
      depth += 1
      defer { depth -= 1 }
      if take("-") { return -(try factor()) }
      if take("(") {
        let result = try sum()
        try expect(")")
        return result
      }
      if let number = number() { return .number(number) }
      let start = position
      let word = word()
      switch word {
      case "p": return .p
      case "t": return .t
      case "min", "max":
        let (a, b) = try pair()
        return word == "min" ? .minimum(a, b) : .maximum(a, b)
      case "pow": return try power()
      case "where": return try choice()
      default:
        guard let function = LossFunction(rawValue: word) else {
          position = start
          throw wanted("p, t, a number, a function or '('")
        }
        try expect("(")
        let x = try sum()
        try expect(")")
        return .call(function, x)
      }
    }

    private mutating func pair() throws(LossExpressionError) -> (LossExpression, LossExpression) {
      try expect("(")
      let a = try sum()
      try expect(",")
      let b = try sum()
      try expect(")")
      return (a, b)
    }

    private mutating func power() throws(LossExpressionError) -> LossExpression {
      try expect("(")
      let x = try sum()
      try expect(",")
      let sign: Float = take("-") ? -1 : 1
      guard let exponent = number() else { throw wanted("a constant exponent") }
      try expect(")")
      return .power(x, sign * exponent)
    }

    private mutating func choice() throws(LossExpressionError) -> LossExpression {
      try expect("(")
      let a = try sum()
      try expect("<")
      let b = try sum()
      try expect(",")
      let then = try sum()
      try expect(",")
      let other = try sum()
      try expect(")")
      return .choice(a, b, then, other)
    }

    private mutating func word() -> String {
      let start = position
      while let next, next.isASCII, next.isLetter { position += 1 }
      let word = String(characters[start..<position])
      skip()
      return word
    }

    /// A number, if one stands here.
    private mutating func number() -> Float? {
      guard let first = next, first.isASCII, first.isNumber || first == "." else { return nil }
      let start = position
      while let next, next.isASCII, next.isNumber || next == "." || isExponent(at: position) {
        position += 1
      }
      guard let value = Float(String(characters[start..<position])), value.isFinite else {
        position = start
        return nil
      }
      skip()
      return value
    }

    /// Whether a character belongs to `e-7` of a number that began before.
    private func isExponent(at place: Int) -> Bool {
      if characters[place] == "e" { return true }
      return "+-".contains(characters[place]) && characters[place - 1] == "e"
    }
  }
}
