import ConvcIR

/// A tensor that is computed cell by cell: a formula of cells of other tensors, reduced over further axes where it says so.
///
/// This is how operators run that no other layer stands for: of any rank, on whole numbers and truths, with windows over
/// three axes. The loops are the plain ones of the definition: a layer of its own is faster wherever there is one.
///
/// - Inputs: tensors of any shape and element type, read as the shapes that the nest names.
/// - Output: `shape`, of any element type.
/// - Parameters: constants that the formula reads, which training leaves alone.
/// - Gradient: none.
/// - Fusion: none.
/// - Errors: inputs of other sizes than the nest names.
package struct LoopNest: Layer {
  package static let kind = "nest"

  /// How values are taken together.
  package enum Reduction: String, Sendable, Hashable {
    case sum, product, maximum, minimum
    /// The place of the first or last largest or smallest value along the axis that is reduced.
    case firstMaximum, lastMaximum, firstMinimum, lastMinimum

    var isPlace: Bool {
      switch self {
      case .sum, .product, .maximum, .minimum: false
      case .firstMaximum, .lastMaximum, .firstMinimum, .lastMinimum: true
      }
    }
  }

  /// A value that is named, because it is needed twice or would make a long line.
  package struct Step: Sendable, Hashable {
    package let name: String
    package let cell: Cell

    package init(_ name: String, _ cell: Cell) {
      self.name = name
      self.cell = cell
    }
  }

  /// Numbers that the formula looks up.
  package struct Table: Sendable, Hashable {
    let name: String
    let isWhole: Bool
    let values: [Double]

    package init(_ name: String, wholes: [Int]) {
      self.name = name
      isWhole = true
      values = wholes.map(Double.init)
    }

    package init(_ name: String, reals: [Double]) {
      self.name = name
      isWhole = false
      values = reals
    }
  }

  /// What it computes, in words: `ReduceMax over axes 1, 2`.
  let title: String
  /// Whole extents of the output. Where it works on one image at a time, axis 0 is the batch's.
  let shape: [Int]
  let element: ElementType
  /// Whole shapes as which the inputs are read.
  let inputs: [[Int]]
  /// Shapes of the constants, which are operands after the inputs.
  let constants: [[Int]]
  let tables: [Table]
  let reduction: Reduction?
  /// Extents of the axes that are reduced.
  let reduced: [Int]
  let steps: [Step]
  /// What has to hold for a cell to count in the reduction.
  let guards: [Cell]
  let value: Cell
  /// What is stored, of ``Cell/total``; nil: the value, or the total.
  let result: Cell?
  /// Whether it works on one image at a time, so that the batch may have any size.
  package let isPerImage: Bool

  package init(
    _ title: String, shape: [Int], element: ElementType = .float32, inputs: [[Int]],
    constants: [[Int]] = [], tables: [Table] = [], reduction: Reduction? = nil,
    reduced: [Int] = [], steps: [Step] = [], guards: [Cell] = [], value: Cell,
    result: Cell? = nil, isPerImage: Bool
  ) {
    self.title = title
    self.shape = shape
    self.element = element
    self.inputs = inputs
    self.constants = constants
    self.tables = tables
    self.reduction = reduction
    self.reduced = reduced
    self.steps = steps
    self.guards = guards
    self.value = value
    self.result = result
    self.isPerImage = isPerImage
  }

  package var summary: String { title }
  package var traits: LayerTraits { isPerImage ? .anyElement : [.anyElement, .wholeShape] }
  package func hasGradient(for inputs: [TensorType]) -> Bool { false }
  package func reach(for inputs: [TensorType]) -> Reach { .everything }
  package func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  package func multiplyAdds(for inputs: [TensorType]) -> Int {
    guard reduction != nil else { return 0 }
    return outputShape(for: inputs).reduce(1, *) * reduced.reduce(1, *)
  }

  private func outputShape(for types: [TensorType]) -> [Int] {
    guard isPerImage, let batch = types.first?.shape.first else { return shape }
    return [batch] + shape.dropFirst()
  }

  package func output(for types: [TensorType]) throws(LayerError) -> TensorType {
    guard types.count == inputs.count else {
      throw .inputCount(expected: "\(inputs.count) inputs", got: types.count)
    }
    for (type, expected) in zip(types, inputs) {
      let (own, wanted) =
        isPerImage
        ? (type.shape.dropFirst().reduce(1, *), expected.dropFirst().reduce(1, *))
        : (type.count, expected.reduce(1, *))
      guard own == wanted else {
        throw .shapesDiffer(type.shape, expected, wayOut: "\(title) reads as many values")
      }
    }
    return TensorType(shape: outputShape(for: types), element: element)
  }

  package func parameters(for types: [TensorType]) -> [ParameterSpec] {
    constants.enumerated().map { index, shape in
      ParameterSpec(
        Self.parameter(index, of: constants.count), shape: shape, initializer: .constant(0),
        isConstant: true)
    }
  }

  /// The name of a constant among the layer's parameters.
  package static func parameter(_ index: Int, of count: Int) -> String {
    count == 1 ? "value" : "value\(index + 1)"
  }

  package func candidates(for group: GroupContext) -> [Candidate] {
    [
      rowsCandidate(
        for: group, forward: { LoopNestText(self, $0).call },
        backward: { _ in
          preconditionFailure("internal error: the gradient of \(title), which has none")
        })
    ]
  }
}

// MARK: What cells are

extension LoopNest {
  /// Whether every value operand is read at the output's own image: then the batch may have any size.
  ///
  /// - Parameter batch: the extent of axis 0 of all tensors.
  package func staysInImage(batch: Int) -> Bool {
    guard shape.first == batch, inputs.allSatisfy({ $0.first == batch }) else { return false }
    let cells = steps.map(\.cell) + guards + [value] + (result.map { [$0] } ?? [])
    return cells.allSatisfy(staysInImage)
  }

  private func staysInImage(_ cell: Cell) -> Bool {
    switch cell {
    case .variable(0): return false
    case .operand(let index, let indices) where index < inputs.count:
      return indices.first == .variable(0) && indices.dropFirst().allSatisfy(staysInImage)
    default: return cell.parts.allSatisfy(staysInImage)
    }
  }

  /// The extent of a loop.
  func extent(_ variable: Int) -> Int {
    variable < shape.count ? shape[variable] : reduced[variable - shape.count]
  }

  /// The innermost of the loops' variables that a cell depends on; nil: it is constant.
  func depth(_ cell: Cell) -> Int? {
    switch cell {
    case .variable(let variable): variable
    case .step(let index): depth(steps[index].cell)
    default: cell.parts.compactMap(depth).max()
    }
  }

  func kind(_ cell: Cell, _ elements: [ElementType]) -> CellKind {
    switch cell {
    case .whole, .variable: return .whole
    case .real: return .real
    case .truth: return .truth
    case .operand(let index, _):
      return CellKind(index < elements.count ? elements[index] : .float32)
    case .table(let index, _): return tables[index].isWhole ? .whole : .real
    case .step(let index): return kind(steps[index].cell, elements)
    case .total: return reduction?.isPlace == true ? .whole : kind(value, elements)
    case .function(let function, let parts):
      switch function {
      case .add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum, .negate, .abs,
        .sign:
        return kind(parts[0], elements)
      case .select: return kind(parts[1], elements)
      case .less, .lessOrEqual, .equal, .and, .or, .exclusiveOr, .not, .toTruth: return .truth
      case .toWhole: return .whole
      case .toReal, .exp, .log, .sqrt, .power, .tanh, .erf, .sin, .cos, .floor, .ceil, .round:
        return .real
      }
    }
  }
}
