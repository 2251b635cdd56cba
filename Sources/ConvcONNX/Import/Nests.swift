import ConvcIR
import ConvcLayers

/// An input of a node as a nest reads it.
struct NestOperand {
  enum Source {
    case value(ConvertedValue)
    /// Real numbers that become a parameter.
    case constant(ONNXTensor)
    /// Whole numbers or truths that stand in the C code.
    case table([Int])
  }

  let source: Source
  let shape: [Int]
  let element: ElementType
  /// Its number among the nest's operands, or among its tables.
  fileprivate(set) var number = 0

  var isReal: Bool { element == .float32 }

  /// The cell at indices, one for each axis.
  func cell(_ indices: [Cell]) -> Cell {
    guard case .table = source else { return .operand(number, indices) }
    let place = zip(shape, indices).reduce(Cell.whole(0)) { $0 * .whole($1.0) + $1.1 }
    let entry = Cell.table(number, place)
    return element == .bool ? entry.applying(.toTruth) : entry
  }

  /// The cell that stands at the output's variables, with ONNX's broadcasting: extents of 1 stand for all.
  func broadcast(to target: [Int]) -> Cell {
    let missing = target.count - shape.count
    return cell(
      shape.indices.map { axis in
        shape[axis] == 1 && target[axis + missing] != 1 ? .whole(0) : .variable(axis + missing)
      })
  }
}

/// Operators as loop nests.
extension NodeConversion {
  /// An input as an operand; nil where it is left out.
  func optionalOperand(_ index: Int) throws(ConversionError) -> NestOperand? {
    guard node.input(index) != nil else { return nil }
    if let tensor = constant(index) { return try operand(tensor) }
    return operand(try value(index))
  }

  func operand(_ index: Int) throws(ConversionError) -> NestOperand {
    guard let operand = try optionalOperand(index) else {
      throw problem("lacks its input \(index + 1); export the model again")
    }
    return operand
  }

  func operand(_ value: ConvertedValue) -> NestOperand {
    NestOperand(source: .value(value), shape: value.shape, element: value.element)
  }

  func operand(_ tensor: ONNXTensor) throws(ConversionError) -> NestOperand {
    if tensor.type.kind == .floating {
      return NestOperand(source: .constant(tensor), shape: tensor.dims, element: .float32)
    }
    guard tensor.count <= 1 << 16 else {
      throw problem("reads a constant of \(tensor.count) whole numbers, expected up to \(1 << 16)")
    }
    let numbers = try read { (_) throws(ONNXError) in try tensor.integers() }
    return NestOperand(
      source: .table(numbers.map { Int($0) }), shape: tensor.dims,
      element: tensor.type == .bool ? .bool : .int64)
  }

  /// Numbers operands: those of run time first, then constants; tables apart.
  func numbered(_ operands: [NestOperand]) -> [NestOperand] {
    var (values, constants, tables) = (0, 0, 0)
    let first = operands.count { if case .value = $0.source { true } else { false } }
    return operands.map { operand in
      var operand = operand
      switch operand.source {
      case .value:
        operand.number = values
        values += 1
      case .constant:
        operand.number = first + constants
        constants += 1
      case .table:
        operand.number = tables
        tables += 1
      }
      return operand
    }
  }

  /// Applies a nest.
  ///
  /// - Parameters:
  ///   - title: what it computes, in words.
  ///   - operands: as ``numbered(_:)`` gave them.
  ///   - shape: the result's shape in the model.
  ///   - tables: those that the formula looks up beside the operands'; they are numbered behind them.
  func nest(
    _ title: String, _ operands: [NestOperand], shape: [Int], element: ElementType = .float32,
    tables: [LoopNest.Table] = [], reduction: LoopNest.Reduction? = nil, reduced: [Int] = [],
    steps: [LoopNest.Step] = [], guards: [Cell] = [], value: Cell, result: Cell? = nil
  ) throws(ConversionError) -> ConvertedValue {
    var inputs: [ConvertedValue] = []
    var constants: [ONNXTensor] = []
    var own: [LoopNest.Table] = []
    for operand in operands {
      switch operand.source {
      case .value(let value): inputs.append(try dense(value))
      case .constant(let tensor): constants.append(tensor)
      case .table(let numbers):
        own.append(LoopNest.Table("numbers\(own.count + 1)", wholes: numbers))
      }
    }
    guard shape.count + reduced.count <= 16, Self.isHeld(shape), Self.isHeld(reduced) else {
      throw problem("has an output of shape \(shape), which this version cannot make")
    }
    // A network has no tensors of rank 0: a single value is an axis of one, and the other variables move up.
    let lift = shape.isEmpty ? 1 : 0
    func layer(isPerImage: Bool) -> LoopNest {
      LoopNest(
        title, shape: shape.isEmpty ? [1] : shape, element: element, inputs: inputs.map(\.shape),
        constants: constants.map(\.dims), tables: own + tables, reduction: reduction,
        reduced: reduced, steps: steps.map { LoopNest.Step($0.name, $0.cell.lifted(by: lift)) },
        guards: guards.map { $0.lifted(by: lift) }, value: value.lifted(by: lift),
        result: result?.lifted(by: lift), isPerImage: isPerImage)
    }
    let whole = layer(isPerImage: false)
    if !conversion.isUnbatched {
      guard !inputs.isEmpty, whole.staysInImage(batch: conversion.batch) else {
        throw .needsAxis0(
          node.error("takes values of several images together, which a network with a batch cannot")
        )
      }
    }
    var given: [String: GivenValues] = [:]
    for (index, tensor) in constants.enumerated() {
      given[LoopNest.parameter(index, of: constants.count)] = weights(tensor)
    }
    let result = try apply(
      conversion.isUnbatched ? whole : layer(isPerImage: true), to: inputs, shape: shape,
      weights: given)
    // A nest's shape is the model's own; single values are an axis of one.
    return ConvertedValue(
      value: result.value, element: element, shape: shape, extents: result.extents)
  }

  /// A value under the extents of its shape, as whose cells a nest counts its memory: maps that are read as another shape
  /// may stand among zeros for a convolution beside the nest.
  private func dense(_ value: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    let isBatchAlone = !conversion.isUnbatched && value.shape.count < 2
    if value.shape.contains(0) || isBatchAlone { return value }
    if conversion.isUnbatched || value.shape.count <= 5 {
      return try reshape(value, to: value.plainExtents)
    }
    // Images have up to four axes; with more they are read from a row.
    let count = value.shape.reduce(1, *)
    return try reshape(value, to: [value.shape[0], count / value.shape[0]])
  }

  /// Whether loops can go over extents: none is below 1, and an index of all of them fits.
  private static func isHeld(_ shape: [Int]) -> Bool {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, (1..<1 << 31).contains(extent), product < 1 << 40 else { return false }
      count = product
    }
    return true
  }

  /// A nest that computes a cell from the cells of all operands at its place, with broadcasting.
  func cells(
    _ title: String, _ operands: [NestOperand], element: ElementType = .float32,
    _ formula: ([Cell]) -> Cell
  ) throws(ConversionError) -> ConvertedValue {
    let operands = numbered(operands)
    guard let shape = Places.broadcast(operands.map(\.shape)) else {
      throw problem("takes shapes \(operands.map(\.shape)), which do not stand for each other")
    }
    return try nest(
      title, operands, shape: shape, element: element,
      value: formula(operands.map { $0.broadcast(to: shape) }))
  }

  /// A constant as a value of its own.
  func constantValue(_ tensor: ONNXTensor) throws(ConversionError) -> ConvertedValue {
    if tensor.dims.contains(0) {
      let element = try elementType(tensor.type.rawValue)
      let none = try nest(
        "\(node.op), no values", [], shape: [1], element: element,
        value: element == .float32 ? .real(0) : .whole(0))
      return none.read(as: tensor.dims)
    }
    let operands = numbered([try operand(tensor)])
    return try nest(
      "\(node.op) \(tensor.dims)", operands, shape: tensor.dims, element: operands[0].element,
      value: operands[0].broadcast(to: tensor.dims))
  }

  /// The element type that a number in an attribute names.
  func elementType(_ number: Int) throws(ConversionError) -> ElementType {
    guard let element = ONNXElementType(rawValue: number)?.tensorElement else {
      let name = ONNXElementType(rawValue: number)?.name ?? "\(number)"
      throw problem("casts to type \(name), expected float, int32, int64 or bool")
    }
    return element
  }

  /// A cell as another type's.
  static func cast(_ cell: Cell, from: ElementType, to: ElementType) -> Cell {
    guard from != to else { return cell }
    switch to {
    case .float32: return cell.applying(.toReal)
    case .bool: return cell.applying(.toTruth)
    default: return cell.applying(.toWhole)
    }
  }

  func cast(_ x: NestOperand, to element: ElementType) throws(ConversionError) -> ConvertedValue {
    try cells("Cast to \(element.rawValue)", [x], element: element) {
      Self.cast($0[0], from: x.element, to: element)
    }
  }
}
