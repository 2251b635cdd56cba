/// A formula and its derivative as C: named steps for what is needed twice or would be long, then two expressions.
struct LossSteps {
  private(set) var lines: [(name: String, text: String)] = []
  private(set) var value = ""
  private(set) var slope = ""
  /// Templates of the functions that are called.
  private(set) var support: [String] = []
  /// How many expressions each one is a part of.
  private var uses: [LossExpression: Int] = [:]
  /// What has been written already.
  private var written: [LossExpression: Term] = [:]

  /// An expression in C, and how tightly it holds together: 3 never needs parentheses.
  private struct Term {
    let text: String
    let level: Int

    func above(_ least: Int) -> String { level < least ? "(\(text))" : text }
  }

  init(_ expression: LossExpression) {
    let derivative = expression.derivative
    count(expression)
    count(derivative)
    value = term(expression).text
    slope = term(derivative).text
  }

  private mutating func count(_ expression: LossExpression) {
    uses[expression, default: 0] += 1
    guard uses[expression] == 1 else { return }
    for part in expression.parts { count(part) }
  }

  private mutating func term(_ expression: LossExpression) -> Term {
    if let known = written[expression] { return known }
    let plain = plainTerm(expression)
    let isAtom = expression.parts.isEmpty
    guard !isAtom, (uses[expression] ?? 0) > 1 || plain.text.utf8.count > 36 else {
      written[expression] = plain
      return plain
    }
    return named(expression, plain)
  }

  /// The expression under a name: for texts that say it more than once.
  private mutating func atom(_ expression: LossExpression) -> String {
    let term = term(expression)
    return expression.parts.isEmpty || term.text.hasPrefix("e") && !term.text.contains("(")
      ? term.above(3) : named(expression, term).text
  }

  private mutating func named(_ expression: LossExpression, _ term: Term) -> Term {
    let name = "e\(lines.count + 1)"
    lines.append((name, term.text))
    let result = Term(text: name, level: 3)
    written[expression] = result
    return result
  }

  private mutating func plainTerm(_ expression: LossExpression) -> Term {
    switch expression {
    case .p: return Term(text: "p", level: 3)
    case .t: return Term(text: "t", level: 3)
    case .number(let number): return Term(text: cFloat(number), level: number < 0 ? 0 : 3)
    case .sum(let a, let b):
      let (a, b) = (term(a).above(1), term(b).above(2))
      return Term(text: "\(a) + \(b)", level: 1)
    case .difference(let a, let b):
      let (a, b) = (term(a).above(1), term(b).above(2))
      return Term(text: "\(a) - \(b)", level: 1)
    case .product(let a, let b):
      let (a, b) = (term(a).above(2), term(b).above(3))
      return Term(text: "\(a) * \(b)", level: 2)
    case .quotient(let a, let b):
      let (a, b) = (term(a).above(2), term(b).above(3))
      return Term(text: "\(a) / \(b)", level: 2)
    case .call(let function, let x):
      need(function.support)
      return Term(text: function.text(term(x).text), level: 3)
    case .power(let x, let exponent): return power(x, exponent)
    case .minimum(let a, let b): return choice(atom(b), atom(a), atom(b), atom(a))
    case .maximum(let a, let b): return choice(atom(a), atom(b), atom(b), atom(a))
    case .choice(let a, let b, let then, let other):
      return choice(atom(a), atom(b), atom(then), atom(other))
    }
  }

  private func choice(_ a: String, _ b: String, _ then: String, _ other: String) -> Term {
    Term(text: "\(a) < \(b) ? \(then) : \(other)", level: 0)
  }

  private mutating func power(_ x: LossExpression, _ exponent: Float) -> Term {
    switch exponent {
    case 0: return Term(text: "1.0f", level: 3)
    case 1: return term(x)
    case 0.5: return Term(text: "sqrtf(\(term(x).text))", level: 3)
    case 2, 3, 4:
      let factor = atom(x)
      return Term(
        text: [String](repeating: factor, count: Int(exponent)).joined(separator: " * "), level: 2)
    case -1: return Term(text: "1.0f / \(term(x).above(3))", level: 2)
    default:
      need(LossFunction.exp.support + LossFunction.log.support)
      return Term(
        text: "exp_float(\(cFloat(exponent)) * ln_float(\(term(x).text)))", level: 3)
    }
  }

  private mutating func need(_ templates: [String]) {
    for template in templates where !support.contains(template) { support.append(template) }
  }
}
