import ConvcIR

/// A nest's loops and formula in C.
///
/// Steps and guards stand right inside the loop whose variable they need last. Where the last axis of the output is long
/// enough, the reduction goes over whole rows of it, so that a compiler can take several cells at once.
struct LoopNestText {
  let nest: LoopNest
  private let context: ForwardContext
  let elements: [ElementType]
  private let shapes: [[Int]]
  /// Extents of the output, the batch's where the nest works on one image at a time.
  private let shape: [Int]
  /// The axis whose cells are reduced side by side; nil: one cell after the other.
  private let row: Int?

  init(_ nest: LoopNest, _ context: ForwardContext) {
    self.nest = nest
    self.context = context
    elements =
      context.inputs.map(\.type.element) + nest.constants.map { _ in ElementType.float32 }
    shapes = nest.inputs + nest.constants
    shape = nest.shape
    let last = nest.shape.count - 1
    let isLong = last >= (nest.isPerImage ? 1 : 0) && (8...4096).contains(nest.shape[last])
    row = isLong && nest.reduction?.isPlace == false ? last : nil
  }

  var call: KernelCall {
    let depth = outerLoops.count
    var fragments: [String: [Fragment]] = [:]
    fragments["loops"] = lines(outerLoops.map(loop))
    fragments["before"] = lines(steps(before: true))
    fragments["reduction"] = nest.reduction.map { lines(reductionLines($0)) } ?? []
    fragments["after"] = lines(afterLines)
    fragments["ends"] = lines(outerLoops.map { _ in "}" })
    return KernelCall(
      template: "loop_nest", name: "\(context.context.group.name)_forward", title: nest.title,
      layers: layerNames(context.context), constants: [],
      texts: ["collapse": collapsed > 1 ? " collapse(\(collapsed))" : ""],
      fragments: fragments, tables: tables, scalars: nest.isPerImage ? [.batch] : [],
      arguments: arguments, isParallel: depth > 0, work: work)
  }

  private func lines(_ texts: [String]) -> [Fragment] {
    texts.map { Fragment(template: "loop_nest_line", values: ["text": $0], layer: "") }
  }

  private var work: Work {
    let cells = Double(context.output.type.count)
    let depth = Double(nest.reduced.reduce(1, *))
    let bytes = (context.inputs + [context.output]).reduce(0) { $0 + $1.bytes }
    return Work(
      flops: 2 * cells * depth, bytes: Double(bytes), efficiency: row == nil ? 0.01 : 0.05)
  }

  // MARK: Arguments

  private var arguments: [Argument] {
    let inputs = context.inputs.enumerated().map { index, input in
      argument(name(index), .read, input, shapes[index])
    }
    let parameters = context.context.anchor?.parameters ?? []
    let constants = parameters.enumerated().map { index, parameter in
      Argument(
        name(nest.inputs.count + index), element: ElementType.float32.cName, access: .read,
        buffer: context.buffers.parameter(parameter),
        dimensions: nest.constants[index].dropFirst().map(String.init),
        text: Self.text(nest.constants[index].map(String.init)))
    }
    return inputs + constants + [argument("y", .write, context.output, shape)]
  }

  /// A tensor with the zeros around its maps, if other readers need some.
  private func argument(
    _ name: String, _ access: Access, _ tensor: Placement, _ shape: [Int]
  ) -> Argument {
    var extents = shape
    let hasHalo = tensor.isMaps && (tensor.rows, tensor.columns) != (tensor.maps.h, tensor.maps.w)
    if hasHalo {
      extents[extents.count - 1] = tensor.columns
      if extents.count == 4 { extents[2] = tensor.rows }
    }
    var texts = extents.map(String.init)
    if nest.isPerImage { texts[0] = "batch" }
    let element = tensor.type.element
    let kind = element == .float32 ? "" : "  \(element.rawValue)"
    return Argument(
      name, element: element.cName, access: access, buffer: tensor.buffer,
      origin: hasHalo ? tensor.origin(top: 0, left: 0) : 0,
      dimensions: extents.dropFirst().map(String.init),
      text: Self.text(texts) + kind + (hasHalo ? ", zeros around the maps" : ""))
  }

  private static func text(_ extents: [String]) -> String {
    "[\(extents.joined(separator: ", "))]"
  }

  func name(_ operand: Int) -> String {
    if operand < nest.inputs.count { return nest.inputs.count == 1 ? "x" : "x\(operand + 1)" }
    let index = operand - nest.inputs.count
    return nest.constants.count == 1 ? "constant" : "constant\(index + 1)"
  }

  private var tables: [KernelTable] {
    nest.tables.map { table in
      KernelTable(
        table.name, element: table.isWhole ? "int" : "float",
        values: table.values.map { table.isWhole ? "\(Int($0))" : real($0) })
    }
  }

  // MARK: Loops

  private var outerLoops: [Int] { shape.indices.filter { isLoop($0) && $0 != row } }

  private var reducedLoops: [Int] {
    nest.reduced.indices.map { shape.count + $0 }.filter(isLoop)
  }

  /// Loops over one cell are left out, but the first reduced one where guards have to leave it.
  private func isLoop(_ variable: Int) -> Bool {
    nest.extent(variable) != 1 || (nest.isPerImage && variable == 0)
      || (variable == shape.count && !nest.guards.isEmpty)
  }

  /// Loops that threads share: as few as give enough pieces.
  private var collapsed: Int {
    var pieces = 1
    for (count, loop) in outerLoops.enumerated() {
      if pieces >= 64 { return count }
      pieces *= nest.isPerImage && loop == 0 ? context.output.type.shape[0] : nest.extent(loop)
    }
    return outerLoops.count
  }

  func variable(_ index: Int) -> String {
    if nest.isPerImage, index == 0 { return "n" }
    guard isLoop(index) else { return "0" }
    return index < shape.count ? "i\(index)" : "r\(index - shape.count)"
  }

  private func loop(_ index: Int) -> String {
    let name = variable(index)
    let end = nest.isPerImage && index == 0 ? "batch" : "\(nest.extent(index))"
    return "for (int \(name) = 0; \(name) < \(end); \(name)++) {"
  }

  /// Steps of the output's variables alone, of the reduction's, or of what follows it.
  private func steps(before: Bool) -> [String] {
    nest.steps.indices.filter { index in
      let cell = nest.steps[index].cell
      let isOuter = (nest.depth(cell) ?? -1) < shape.count
      return isOuter && !usesTotal(cell) && !dependsOnRow(cell) == before
    }.map(step)
  }

  private func usesTotal(_ cell: Cell) -> Bool {
    switch cell {
    case .total: true
    case .step(let index): usesTotal(nest.steps[index].cell)
    default: cell.parts.contains(where: usesTotal)
    }
  }

  private func dependsOnRow(_ cell: Cell) -> Bool {
    guard let row else { return false }
    switch cell {
    case .variable(row): return true
    case .step(let index): return dependsOnRow(nest.steps[index].cell)
    default: return cell.parts.contains(where: dependsOnRow)
    }
  }

  private func step(_ index: Int) -> String {
    let step = nest.steps[index]
    return "const \(type(nest.kind(step.cell, elements))) \(step.name) = \(text(step.cell));"
  }

  private func type(_ kind: CellKind) -> String {
    switch kind {
    case .real: "float"
    case .whole: readsWholes ? "int64_t" : "int"
    case .truth: "int"
    }
  }

  /// Whether whole numbers may be as long as those of an operand.
  private var readsWholes: Bool {
    elements.contains(.int64) || context.output.type.element == .int64
  }

  // MARK: Reduction

  private func reductionLines(_ reduction: LoopNest.Reduction) -> [String] {
    let kind = nest.kind(nest.value, elements)
    let type = type(kind)
    var lines: [String] = []
    if let row {
      lines.append("\(type) totals[\(nest.extent(row))];")
      lines.append("\(loop(row).dropLast(2)) totals[\(variable(row))] = \(start(reduction, kind));")
    } else if reduction.isPlace {
      lines.append("\(type) best = \(start(reduction, kind));")
      lines.append("int total = 0;")
    } else {
      lines.append("\(type) total = \(start(reduction, kind));")
    }
    let inner = nest.steps.indices.filter { (nest.depth(nest.steps[$0].cell) ?? -1) >= shape.count }
    var ends = 0
    func place(at variable: Int?) {
      for index in inner
      where loop(of: nest.steps[index].cell) == variable && !dependsOnRow(nest.steps[index].cell) {
        lines.append(step(index))
      }
      for condition in nest.guards
      where (loop(of: condition) ?? reducedLoops.first) == variable && !dependsOnRow(condition) {
        lines.append("if (\(negated(condition))) continue;")
      }
    }
    place(at: nil)
    for variable in reducedLoops {
      lines.append(loop(variable))
      ends += 1
      place(at: variable)
    }
    if let row {
      lines.append(loop(row))
      ends += 1
      for index in nest.steps.indices
      where dependsOnRow(nest.steps[index].cell) && !usesTotal(nest.steps[index].cell) {
        lines.append(step(index))
      }
      for condition in nest.guards where dependsOnRow(condition) {
        lines.append("if (\(negated(condition))) continue;")
      }
    }
    lines += accumulation(reduction, kind)
    return lines + [String](repeating: "}", count: ends)
  }

  /// The reduction's innermost loop that a cell needs; nil: none.
  private func loop(of cell: Cell) -> Int? {
    nest.depth(cell).flatMap { depth in reducedLoops.last { $0 <= depth } }
  }

  private func start(_ reduction: LoopNest.Reduction, _ kind: CellKind) -> String {
    let bits = readsWholes ? 64 : 32
    return switch reduction {
    case .product: kind == .real ? "1.0f" : "1"
    case .maximum: kind == .real ? "-INFINITY" : "INT\(bits)_MIN"
    case .minimum: kind == .real ? "INFINITY" : "INT\(bits)_MAX"
    case .firstMaximum, .lastMaximum: kind == .real ? "NAN" : "INT\(bits)_MIN"
    case .firstMinimum, .lastMinimum: kind == .real ? "NAN" : "INT\(bits)_MAX"
    case .sum: kind == .real ? "0.0f" : "0"
    }
  }

  private func accumulation(_ reduction: LoopNest.Reduction, _ kind: CellKind) -> [String] {
    let total = row.map { "totals[\(variable($0))]" } ?? "total"
    switch reduction {
    case .sum: return ["\(total) += \(text(nest.value));"]
    case .product: return ["\(total) *= \(text(nest.value));"]
    case .maximum, .minimum:
      let sign = reduction == .maximum ? ">" : "<"
      return [
        "const \(type(kind)) v = \(text(nest.value));",
        "\(total) = v \(sign) \(total)\(kind == .real ? " || isnan(v)" : "") ? v : \(total);",
      ]
    case .firstMaximum, .lastMaximum, .firstMinimum, .lastMinimum:
      let sign =
        switch reduction {
        case .firstMaximum: ">"
        case .lastMaximum: ">="
        case .firstMinimum: "<"
        default: "<="
        }
      let place = reducedLoops.first.map(variable) ?? "0"
      return [
        "const \(type(kind)) v = \(text(nest.value));",
        "if (v \(sign) best\(kind == .real ? " || isnan(best)" : "")) {", "best = v;",
        "total = \(reducedLoops.count > 1 ? flatPlace : place);", "}",
      ]
    }
  }

  /// The place among all reduced cells.
  private var flatPlace: String {
    nest.reduced.indices.map { axis in
      let inner = nest.reduced.dropFirst(axis + 1).reduce(1, *)
      let name = variable(shape.count + axis)
      return inner == 1 ? name : "\(name) * \(inner)"
    }.joined(separator: " + ")
  }

  private var afterLines: [String] {
    let steps = steps(before: false)
    let own = nest.steps.indices.filter { usesTotal(nest.steps[$0].cell) }.map(step)
    let stored = nest.result ?? (nest.reduction == nil ? nest.value : .total)
    let cell = "y" + shape.indices.map { "[\(variable($0))]" }.joined()
    guard let row else { return own + ["\(cell) = \(text(stored));"] }
    let total = "const \(type(nest.kind(nest.value, elements))) total = totals[\(variable(row))];"
    return [loop(row)] + (usesSteps(stored) ? steps : []) + (usesTotal(stored) ? [total] : [])
      + own + ["\(cell) = \(text(stored));", "}"]
  }

  private func usesSteps(_ cell: Cell) -> Bool {
    if case .step = cell { return true }
    return cell.parts.contains(where: usesSteps)
  }
}
