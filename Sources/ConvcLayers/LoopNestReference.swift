import ConvcIR
import ConvcReference
import Glibc

extension LoopNest: ReferenceLayer {
  package func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    let evaluation = LoopNestEvaluation(
      nest: self, operands: call.inputs + call.parameters,
      shapes: inputs.map { isPerImage ? [call.outputShape[0]] + $0.dropFirst() : $0 } + constants)
    var variables = [Int](repeating: 0, count: shape.count + reduced.count)
    for place in 0..<y.count {
      var rest = place
      for axis in call.outputShape.indices.reversed() {
        variables[axis] = rest % call.outputShape[axis]
        rest /= call.outputShape[axis]
      }
      y.address[place] = evaluation.cell(at: &variables)
    }
    return LayerResult(output: y)
  }

  package func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    preconditionFailure("internal error: the gradient of \(title), which has none")
  }
}

/// Computes cells of a nest as its formula says, in double precision.
private struct LoopNestEvaluation {
  let nest: LoopNest
  let operands: [DoubleTensor]
  let shapes: [[Int]]

  /// What is stored in one cell; the variables of reduced axes are its own.
  func cell(at variables: inout [Int]) -> Double {
    guard let reduction = nest.reduction else {
      let value = evaluate(nest.value, variables, 0)
      return nest.result.map { evaluate($0, variables, value) } ?? value
    }
    var total = start(reduction)
    var best = Double.nan
    let count = nest.reduced.reduce(1, *)
    for place in 0..<count {
      var rest = place
      for axis in nest.reduced.indices.reversed() {
        variables[nest.shape.count + axis] = rest % nest.reduced[axis]
        rest /= nest.reduced[axis]
      }
      guard nest.guards.allSatisfy({ evaluate($0, variables, 0) != 0 }) else { continue }
      let value = evaluate(nest.value, variables, 0)
      switch reduction {
      case .sum: total += value
      case .product: total *= value
      case .maximum: if value > total || value.isNaN { total = value }
      case .minimum: if value < total || value.isNaN { total = value }
      case .firstMaximum, .lastMaximum, .firstMinimum, .lastMinimum:
        let isBetter =
          switch reduction {
          case .firstMaximum: value > best
          case .lastMaximum: value >= best
          case .firstMinimum: value < best
          default: value <= best
          }
        if isBetter || best.isNaN {
          best = value
          total = Double(place)
        }
      }
    }
    return nest.result.map { evaluate($0, variables, total) } ?? total
  }

  private func start(_ reduction: LoopNest.Reduction) -> Double {
    switch reduction {
    case .product: 1
    case .maximum: -.infinity
    case .minimum: .infinity
    default: 0
    }
  }

  private func evaluate(_ cell: Cell, _ variables: [Int], _ total: Double) -> Double {
    switch cell {
    case .whole(let value): return Double(value)
    case .real(let value): return value
    case .truth(let value): return value ? 1 : 0
    case .variable(let index): return Double(variables[index])
    case .step(let index): return evaluate(nest.steps[index].cell, variables, total)
    case .total: return total
    case .table(let index, let position):
      return nest.tables[index].values[Int(evaluate(position, variables, total))]
    case .operand(let index, let indices):
      var place = 0
      for (extent, index) in zip(shapes[index], indices) {
        let value = Int(evaluate(index, variables, total))
        precondition((0..<extent).contains(value), "internal error: \(nest.title) reads outside")
        place = place * extent + value
      }
      return operands[index].address[place]
    case .function(.select, let parts):
      // The side that is not taken may have no value.
      return evaluate(
        evaluate(parts[0], variables, total) != 0 ? parts[1] : parts[2], variables, total)
    case .function(.and, let parts):
      return evaluate(parts[0], variables, total) != 0
        ? evaluate(parts[1], variables, total) : 0
    case .function(let function, let parts):
      let values = parts.map { evaluate($0, variables, total) }
      return apply(function, values, isWhole: isWhole(parts[0]))
    }
  }

  private func isWhole(_ cell: Cell) -> Bool {
    let elements = nest.inputs.indices.map { _ in ElementType.float32 }
    return nest.kind(cell, elements) == .whole
  }

  private func apply(_ function: CellFunction, _ x: [Double], isWhole: Bool) -> Double {
    let a = x[0]
    let b = x.count > 1 ? x[1] : 0
    switch function {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide: return isWhole ? (a / b).rounded(.towardZero) : a / b
    case .remainder: return a.truncatingRemainder(dividingBy: b)
    case .minimum: return a.isNaN || b.isNaN ? .nan : min(a, b)
    case .maximum: return a.isNaN || b.isNaN ? .nan : max(a, b)
    case .negate: return -a
    case .less: return a < b ? 1 : 0
    case .lessOrEqual: return a <= b ? 1 : 0
    case .equal: return a == b ? 1 : 0
    case .or: return a != 0 || b != 0 ? 1 : 0
    case .exclusiveOr: return (a != 0) != (b != 0) ? 1 : 0
    case .not: return a == 0 ? 1 : 0
    case .toTruth: return a != 0 ? 1 : 0
    case .toWhole: return a.rounded(.towardZero)
    case .toReal: return a
    case .exp: return Glibc.exp(a)
    case .log: return Glibc.log(a)
    case .sqrt: return a.squareRoot()
    case .abs: return Swift.abs(a)
    case .power: return pow(a, b)
    case .tanh: return Glibc.tanh(a)
    case .erf: return Glibc.erf(a)
    case .sin: return Glibc.sin(a)
    case .cos: return Glibc.cos(a)
    case .floor: return a.rounded(.down)
    case .ceil: return a.rounded(.up)
    case .round: return a.rounded(.toNearestOrEven)
    case .sign: return a > 0 ? 1 : a < 0 ? -1 : a
    case .select, .and: preconditionFailure("internal error: \(function) is evaluated before")
    }
  }
}
