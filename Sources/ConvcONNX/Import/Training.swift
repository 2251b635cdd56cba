import ConvcIR
import ConvcLayers

/// Updates of optimisers as operators.
let trainingOperators: [String: OperatorConverter] = [
  "ai.onnx.preview.training.Adagrad": { (node) throws(ConversionError) in try node.adagrad() },
  "ai.onnx.preview.training.Adam": { (node) throws(ConversionError) in try node.adam() },
  "ai.onnx.preview.training.Momentum": { (node) throws(ConversionError) in try node.momentum() },
  "ai.onnx.preview.training.Gradient": { (node) throws(ConversionError) in
    try node.gradientOfOperators()
  },
]

extension NodeConversion {
  /// The tensors behind rate and step: for each that is updated its value, its gradient and what the optimiser keeps of it.
  private func updated(states: Int) throws(ConversionError) -> [[NestOperand]] {
    let kinds = 2 + states
    let count = node.inputs.count - 2
    let tensors = count / kinds
    guard count > 0, count % kinds == 0, node.outputs.count <= tensors * (1 + states) else {
      throw problem(
        "has \(node.inputs.count) inputs and \(node.outputs.count) outputs, which do not fit together"
      )
    }
    var result: [[NestOperand]] = []
    for tensor in 0..<tensors {
      var parts: [NestOperand] = []
      for kind in 0..<kinds { parts.append(try operand(2 + kind * tensors + tensor)) }
      parts[1] = try penalized(parts[1], parts[0])
      result.append(parts)
    }
    return result
  }

  /// The gradient with that of a penalty on the squares of the values.
  private func penalized(
    _ gradient: NestOperand, _ x: NestOperand
  ) throws(ConversionError) -> NestOperand {
    let factor = try coefficient("norm_coefficient", 0)
    guard factor != .real(0) else { return gradient }
    return operand(
      try cells("\(node.op), the gradient with its penalty", [gradient, x]) {
        $0[0] + factor * $0[1]
      })
  }

  private func coefficient(_ name: String, _ standard: Float) throws(ConversionError) -> Cell {
    .real(Double(try float(name, standard)))
  }

  private func one(minus cell: Cell) -> Cell {
    if case .real(let value) = cell { .real(1 - value) } else { .real(1) - cell }
  }

  /// `H' = H + G²`, `X' = X − R / (1 + T · decay) · G / (√H' + ε)`.
  fileprivate func adagrad() throws(ConversionError) {
    let (rate, step) = (try operand(0), try operand(1))
    let decay = try coefficient("decay_factor", 0)
    let epsilon = try coefficient("epsilon", 1e-6)
    let tensors = try updated(states: 1)
    for (index, parts) in tensors.enumerated() {
      let squares = try cells("Adagrad, the sum of squares", [parts[2], parts[1]]) {
        $0[0] + .function(.multiply, [$0[1], $0[1]])
      }
      let operands = [parts[0], parts[1], operand(squares), rate, step]
      define(
        try cells("Adagrad, the new values", operands) {
          $0[0] - $0[3] / (.real(1) + $0[4].applying(.toReal) * decay) * $0[1]
            / ($0[2].applying(.sqrt) + epsilon)
        }, output: index)
      define(squares, output: tensors.count + index)
    }
  }

  /// `V' = α V + (1 − α) G`, `H' = β H + (1 − β) G²`, `X' = (1 − post) (X − R' V' / (√H' + ε))`, where from the second step on
  /// `R' = R √(1 − βᵀ) / (1 − αᵀ)`.
  fileprivate func adam() throws(ConversionError) {
    let (rate, step) = (try operand(0), try operand(1))
    let (alpha, beta) = (try coefficient("alpha", 0.9), try coefficient("beta", 0.999))
    let epsilon = try coefficient("epsilon", 1e-6)
    let post = one(minus: try coefficient("norm_coefficient_post", 0))
    let adjusted = operand(
      try cells("Adam, the rate of this step", [rate, step]) {
        let count = $0[1].applying(.toReal)
        let (a, b) = (
          Cell.function(.power, [alpha, count]), Cell.function(.power, [beta, count])
        )
        return .select(
          .whole(0) < $0[1], $0[0] * (.real(1) - b).applying(.sqrt) / (.real(1) - a), $0[0])
      })
    let tensors = try updated(states: 2)
    for (index, parts) in tensors.enumerated() {
      let mean = try cells("Adam, the mean of gradients", [parts[2], parts[1]]) {
        alpha * $0[0] + one(minus: alpha) * $0[1]
      }
      let squares = try cells("Adam, the mean of their squares", [parts[3], parts[1]]) {
        beta * $0[0] + one(minus: beta) * .function(.multiply, [$0[1], $0[1]])
      }
      let operands = [parts[0], operand(mean), operand(squares), adjusted]
      define(
        try cells("Adam, the new values", operands) {
          post * ($0[0] - $0[3] * $0[1] / ($0[2].applying(.sqrt) + epsilon))
        }, output: index)
      define(mean, output: tensors.count + index)
      define(squares, output: 2 * tensors.count + index)
    }
  }

  /// `V' = α V + β G`, `X' = X − R V'`; by Nesterov `X' = X − R (G + α V')`. In the first step β is 1.
  fileprivate func momentum() throws(ConversionError) {
    let (rate, step) = (try operand(0), try operand(1))
    let (alpha, beta) = (try coefficient("alpha", 0.9), try coefficient("beta", 1))
    let mode = try string("mode", "standard")
    guard mode == "standard" || mode == "nesterov" else {
      throw problem("has mode \(ONNXError.quoted(mode)), expected standard or nesterov")
    }
    let tensors = try updated(states: 1)
    for (index, parts) in tensors.enumerated() {
      let velocity = try cells("Momentum, the new momentum", [parts[2], parts[1], step]) {
        alpha * $0[0] + .select(.whole(0) < $0[2], beta, .real(1)) * $0[1]
      }
      let operands = [parts[0], parts[1], operand(velocity), rate]
      define(
        try cells("Momentum, the new values", operands) {
          $0[0] - $0[3] * (mode == "standard" ? $0[2] : $0[1] + alpha * $0[2])
        }, output: index)
      define(velocity, output: tensors.count + index)
    }
  }
}
