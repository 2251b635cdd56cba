import ConvcIR
import ConvcLayers

/// Comparisons, truths, and choices by them.
let comparisonOperators: [String: OperatorConverter] = [
  "Less": { (node) throws(ConversionError) in try node.comparison { $0 < $1 } },
  "LessOrEqual": { (node) throws(ConversionError) in try node.comparison { $0 <= $1 } },
  "Greater": { (node) throws(ConversionError) in try node.comparison { $1 < $0 } },
  "GreaterOrEqual": { (node) throws(ConversionError) in try node.comparison { $1 <= $0 } },
  "Equal": { (node) throws(ConversionError) in try node.comparison { $0.equals($1) } },
  "And": { (node) throws(ConversionError) in try node.comparison { $0 && $1 } },
  "Or": { (node) throws(ConversionError) in
    try node.comparison { .function(.or, [$0, $1]) }
  },
  "Xor": { (node) throws(ConversionError) in
    try node.comparison { .function(.exclusiveOr, [$0, $1]) }
  },
  "Not": { (node) throws(ConversionError) in
    node.define(
      try node.cells("Not", [try node.operand(0)], element: .bool) { $0[0].applying(.not) })
  },
  "Where": { (node) throws(ConversionError) in
    let operands = [try node.operand(0), try node.operand(1), try node.operand(2)]
    guard operands[0].element == .bool, operands[1].element == operands[2].element else {
      throw node.problem("chooses between values of different types; export the model again")
    }
    node.define(
      try node.cells("Where", operands, element: operands[1].element) {
        .select($0[0], $0[1], $0[2])
      })
  },
]

/// Operators that change the type of elements.
let typeOperators: [String: OperatorConverter] = [
  "Cast": { (node) throws(ConversionError) in
    try node.castInput(to: try node.elementType(try node.int("to", 0)))
  },
  "CastLike": { (node) throws(ConversionError) in
    try node.castInput(to: try node.operand(1).element)
  },
]

extension NodeConversion {
  fileprivate func comparison(_ compare: (Cell, Cell) -> Cell) throws(ConversionError) {
    let operands = [try operand(0), try operand(1)]
    guard operands[0].isReal == operands[1].isReal else {
      throw problem("compares values of different types; export the model again")
    }
    define(try cells(node.op, operands, element: .bool) { compare($0[0], $0[1]) })
  }

  fileprivate func castInput(to element: ElementType) throws(ConversionError) {
    let x = try operand(0)
    if case .value(let value) = x.source, x.element == element { return define(value) }
    define(try cast(x, to: element))
  }
}
