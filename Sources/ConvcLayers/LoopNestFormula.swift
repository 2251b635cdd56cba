import ConvcIR

/// A nest's formulas in C.
extension LoopNestText {
  func real(_ value: Double) -> String {
    if value.isNaN { return "NAN" }
    if value.isInfinite { return value < 0 ? "-INFINITY" : "INFINITY" }
    return cFloat(Float(value))
  }

  func text(_ cell: Cell) -> String { expression(cell).text }

  /// The opposite of a condition.
  func negated(_ cell: Cell) -> String {
    guard case .function(let function, let parts) = cell else { return "!(\(text(cell)))" }
    switch function {
    case .less: return "\(text(parts[0], above: 5)) >= \(text(parts[1], above: 6))"
    case .lessOrEqual:
      // `0 <= h` turns into `h < 0`.
      if case .whole = parts[0] {
        return "\(text(parts[1], above: 5)) < \(text(parts[0], above: 6))"
      }
      return "\(text(parts[0], above: 5)) > \(text(parts[1], above: 6))"
    case .and: return "\(negated(parts[0])) || \(negated(parts[1]))"
    default: return "!(\(text(cell)))"
    }
  }

  /// A part of an operator that binds as strongly as `level`.
  private func text(_ cell: Cell, above level: Int) -> String {
    let (text, own) = expression(cell)
    return own < level ? "(\(text))" : text
  }

  /// A cell in C, and how strongly its outermost operator binds: 1 for a choice, 9 for a name.
  private func expression(_ cell: Cell) -> (text: String, level: Int) {
    switch cell {
    case .whole(let value):
      return (Int(Int32(truncatingIfNeeded: value)) == value ? "\(value)" : "INT64_C(\(value))", 9)
    case .real(let value): return (real(value), value < 0 ? 8 : 9)
    case .truth(let value): return (value ? "1" : "0", 9)
    case .variable(let index): return (variable(index), 9)
    case .step(let index): return (nest.steps[index].name, 9)
    case .total: return ("total", 9)
    case .table(let index, let position):
      return ("\(nest.tables[index].name)[\(text(position))]", 9)
    case .operand(let index, let indices):
      let places = indices.isEmpty ? "[0]" : indices.map { "[\(text($0))]" }.joined()
      return (name(index) + places, 9)
    case .function(let function, let parts): return expression(function, parts)
    }
  }

  private func expression(_ function: CellFunction, _ parts: [Cell]) -> (String, Int) {
    func binary(_ sign: String, _ level: Int) -> (String, Int) {
      ("\(text(parts[0], above: level)) \(sign) \(text(parts[1], above: level + 1))", level)
    }
    func call(_ name: String) -> (String, Int) {
      ("\(name)(\(parts.map { text($0) }.joined(separator: ", ")))", 9)
    }
    let kind = nest.kind(parts[0], elements)
    switch function {
    case .add: return binary("+", 6)
    case .subtract: return binary("-", 6)
    case .multiply: return binary("*", 7)
    case .divide: return binary("/", 7)
    case .remainder: return binary("%", 7)
    case .less: return binary("<", 5)
    case .lessOrEqual: return binary("<=", 5)
    case .equal: return binary("==", 4)
    case .exclusiveOr: return binary("!=", 4)
    case .and: return binary("&&", 3)
    case .or: return ("(\(text(parts[0], above: 3)) || \(text(parts[1], above: 3)))", 9)
    case .not: return ("!" + text(parts[0], above: 8), 8)
    case .negate: return ("-" + text(parts[0], above: 9), 8)
    case .select:
      return (
        "\(text(parts[0], above: 2)) ? \(text(parts[1], above: 2)) : \(text(parts[2], above: 1))", 1
      )
    case .minimum, .maximum:
      guard kind == .real else { return call(function == .minimum ? "MIN" : "MAX") }
      return extreme(function, text(parts[0], above: 6), text(parts[1], above: 6))
    case .toReal: return ("(float)" + text(parts[0], above: 8), 8)
    case .toWhole: return ("(int64_t)" + text(parts[0], above: 8), 8)
    case .toTruth: return ("\(text(parts[0], above: 4)) != 0", 4)
    case .abs:
      guard kind != .real else { return call("fabsf") }
      let x = text(parts[0], above: 8)
      return ("\(x) < 0 ? -\(x) : \(x)", 1)
    case .sign:
      let x = text(parts[0], above: 6)
      return ("\(x) > 0 ? 1 : \(x) < 0 ? -1 : \(x)", 1)
    case .power: return call("powf")
    case .exp: return call("expf")
    case .log: return call("logf")
    case .sqrt: return call("sqrtf")
    case .tanh: return call("tanhf")
    case .erf: return call("erff")
    case .sin: return call("sinf")
    case .cos: return call("cosf")
    case .floor: return call("floorf")
    case .ceil: return call("ceilf")
    case .round: return call("rintf")
    }
  }

  /// The larger or smaller one; where one is NaN neither comparison holds, and the sum is NaN.
  private func extreme(_ function: CellFunction, _ a: String, _ b: String) -> (String, Int) {
    let sign = function == .maximum ? ">" : "<"
    return ("\(a) \(sign) \(b) ? \(a) : \(b) \(sign)= \(a) ? \(b) : \(a) + \(b)", 1)
  }
}
