import ConvcIR

/// What a ``LoopNest`` computes for one cell, as a tree.
///
/// Whole numbers are indices and elements of integer tensors, real ones float32, truths what comparisons give.
package indirect enum Cell: Sendable, Hashable {
  case whole(Int)
  case real(Double)
  case truth(Bool)
  /// The variable of a loop: axes of the output first, then those that are reduced.
  case variable(Int)
  /// A cell of an operand.
  case operand(Int, [Cell])
  /// An entry of a table.
  case table(Int, Cell)
  /// A step that was computed before.
  case step(Int)
  /// What the reduction gave.
  case total
  case function(CellFunction, [Cell])
}

/// What can be computed of cells.
package enum CellFunction: String, Sendable, Hashable {
  case add, subtract, multiply, divide, remainder, minimum, maximum, negate
  case less, lessOrEqual, equal, and, or, exclusiveOr, not
  /// The second where the first holds, else the third.
  case select
  case toReal, toWhole, toTruth
  case exp, log, sqrt, abs, power, tanh, erf, sin, cos, floor, ceil, round, sign
}

/// What values of a cell are.
package enum CellKind: Sendable, Hashable {
  case whole, real, truth

  init(_ element: ElementType) {
    switch element {
    case .float32: self = .real
    case .bool: self = .truth
    case .int32, .int64, .uint8, .uint16: self = .whole
    }
  }
}

// MARK: Writing cells

extension Cell {
  package static func + (a: Cell, b: Cell) -> Cell {
    switch (a, b) {
    case (.whole(let a), .whole(let b)): .whole(a + b)
    case (let a, .whole(0)): a
    case (.whole(0), let b): b
    case (let a, .whole(let b)) where b < 0: .function(.subtract, [a, .whole(-b)])
    default: .function(.add, [a, b])
    }
  }

  package static func - (a: Cell, b: Cell) -> Cell {
    switch (a, b) {
    case (.whole(let a), .whole(let b)): .whole(a - b)
    case (let a, .whole(0)): a
    default: .function(.subtract, [a, b])
    }
  }

  package static func * (a: Cell, b: Cell) -> Cell {
    switch (a, b) {
    case (.whole(let a), .whole(let b)): .whole(a * b)
    case (let a, .whole(1)): a
    case (.whole(1), let b): b
    case (_, .whole(0)), (.whole(0), _): .whole(0)
    default: .function(.multiply, [a, b])
    }
  }

  package static func / (a: Cell, b: Cell) -> Cell {
    if case .whole(1) = b { a } else { .function(.divide, [a, b]) }
  }

  package static prefix func - (a: Cell) -> Cell { .function(.negate, [a]) }
  package static func < (a: Cell, b: Cell) -> Cell { .function(.less, [a, b]) }
  package static func <= (a: Cell, b: Cell) -> Cell { .function(.lessOrEqual, [a, b]) }
  package static func && (a: Cell, b: Cell) -> Cell { .function(.and, [a, b]) }

  package func equals(_ other: Cell) -> Cell { .function(.equal, [self, other]) }
  package func applying(_ function: CellFunction) -> Cell { .function(function, [self]) }

  package static func select(_ condition: Cell, _ a: Cell, _ b: Cell) -> Cell {
    .function(.select, [condition, a, b])
  }

  /// Whether a whole number is in `0..<extent`.
  package func isIn(_ extent: Int) -> Cell { .whole(0) <= self && self < .whole(extent) }

  /// The cell with loop variables of higher numbers.
  package func lifted(by distance: Int) -> Cell {
    guard distance > 0 else { return self }
    func lifted(_ cells: [Cell]) -> [Cell] { cells.map { $0.lifted(by: distance) } }
    switch self {
    case .variable(let index): return .variable(index + distance)
    case .operand(let index, let indices): return .operand(index, lifted(indices))
    case .table(let index, let position): return .table(index, position.lifted(by: distance))
    case .function(let function, let parts): return .function(function, lifted(parts))
    case .whole, .real, .truth, .step, .total: return self
    }
  }

  /// The cells that it is made of.
  var parts: [Cell] {
    switch self {
    case .whole, .real, .truth, .variable, .step, .total: []
    case .operand(_, let indices): indices
    case .table(_, let position): [position]
    case .function(_, let parts): parts
    }
  }
}
