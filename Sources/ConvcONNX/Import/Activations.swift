import ConvcIR
import ConvcLayers

/// Functions of one value at a time.
let activationOperators: [String: OperatorConverter] = [
  "Relu": { (node) throws(ConversionError) in try node.activation(ReLU()) },
  "LeakyRelu": { (node) throws(ConversionError) in
    try node.activation(LeakyReLU(slope: try node.float("alpha", 0.01)))
  },
  "Sigmoid": { (node) throws(ConversionError) in try node.activation(Sigmoid()) },
  "Tanh": { (node) throws(ConversionError) in try node.activation(Tanh()) },
  "Elu": { (node) throws(ConversionError) in
    try node.activation(ELU(alpha: try node.float("alpha", 1)))
  },
  "Selu": { (node) throws(ConversionError) in try node.selu() },
  "Softplus": { (node) throws(ConversionError) in try node.activation(Softplus()) },
  "Softsign": { (node) throws(ConversionError) in try node.activation(Softsign()) },
  "HardSigmoid": { (node) throws(ConversionError) in
    try node.activation(
      HardSigmoid(slope: try node.float("alpha", 0.2), offset: try node.float("beta", 0.5)))
  },
  "HardSwish": { (node) throws(ConversionError) in try node.activation(HardSwish()) },
  "Gelu": { (node) throws(ConversionError) in
    try node.activation(GELU(try node.string("approximate", "none") == "tanh" ? .tanh : .none))
  },
  "Mish": { (node) throws(ConversionError) in
    let x = try node.ranked(0)
    let gate = try node.apply(Tanh(), to: try node.apply(Softplus(), to: x))
    node.define(try node.apply(Multiply(), to: x, gate), as: x.shape)
  },
  "Exp": { (node) throws(ConversionError) in try node.activation(Elementary(.exp)) },
  "Log": { (node) throws(ConversionError) in try node.activation(Elementary(.log)) },
  "Sqrt": { (node) throws(ConversionError) in try node.activation(Elementary(.sqrt)) },
  "Abs": { (node) throws(ConversionError) in try node.activation(Elementary(.abs)) },
  "Neg": { (node) throws(ConversionError) in try node.activation(Elementary(.negate)) },
  "Reciprocal": { (node) throws(ConversionError) in try node.activation(Elementary(.reciprocal)) },
  "Floor": { (node) throws(ConversionError) in try node.activation(Elementary(.floor)) },
  "Ceil": { (node) throws(ConversionError) in try node.activation(Elementary(.ceil)) },
  "Round": { (node) throws(ConversionError) in try node.activation(Elementary(.round)) },
  "Sign": { (node) throws(ConversionError) in try node.activation(Elementary(.sign)) },
  "Sin": { (node) throws(ConversionError) in try node.activation(Elementary(.sin)) },
  "Cos": { (node) throws(ConversionError) in try node.activation(Elementary(.cos)) },
  "Erf": { (node) throws(ConversionError) in try node.activation(Elementary(.erf)) },
  "Clip": { (node) throws(ConversionError) in try node.clip() },
  "PRelu": { (node) throws(ConversionError) in try node.prelu() },
  "Celu": { (node) throws(ConversionError) in
    let alpha = Double(try node.float("alpha", 1))
    try node.formula("Celu with alpha \(alpha)") { x in
      .select(
        x < .real(0), .real(alpha) * ((x / .real(alpha)).applying(.exp) - .real(1)), x)
    }
  },
  "ThresholdedRelu": { (node) throws(ConversionError) in
    let alpha = Double(try node.float("alpha", 1))
    try node.formula("ThresholdedRelu above \(alpha)") { x in
      .select(.real(alpha) < x, x, .real(0))
    }
  },
  "Shrink": { (node) throws(ConversionError) in
    let lambda = Double(try node.float("lambd", 0.5))
    let bias = Double(try node.float("bias", 0))
    try node.formula("Shrink by \(bias) beyond \(lambda)") { x in
      .select(
        x < .real(-lambda), x + .real(bias),
        .select(.real(lambda) < x, x - .real(bias), .real(0)))
    }
  },
  "Swish": { (node) throws(ConversionError) in
    let alpha = try node.float("alpha", 1)
    if alpha == 1 { return try node.activation(SiLU()) }
    try node.formula("Swish with alpha \(alpha)") { x in
      x / (.real(1) + (.real(-Double(alpha)) * x).applying(.exp))
    }
  },
  "Identity": { (node) throws(ConversionError) in node.define(try node.value(0)) },
  "Dropout": { (node) throws(ConversionError) in try node.dropout() },
]

extension NodeConversion {
  /// An input with at least two axes, as every layer takes it.
  func ranked(_ index: Int) throws(ConversionError) -> ConvertedValue {
    try ranked(try value(index))
  }

  /// A value with at least two axes.
  func ranked(_ x: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    x.extents.count < 2 ? try reshape(x, to: [1] + x.extents) : x
  }

  fileprivate func activation(_ layer: any Layer) throws(ConversionError) {
    let x = try ranked(0)
    define(try apply(layer, to: x), as: x.shape)
  }

  /// A function of each value that no layer stands for.
  fileprivate func formula(
    _ title: String, _ function: (Cell) -> Cell
  ) throws(ConversionError) {
    define(try cells(title, [try operand(0)]) { function($0[0]) })
  }

  fileprivate func selu() throws(ConversionError) {
    let (alpha, gamma) = (try float("alpha", 1.673_263_2), try float("gamma", 1.050_701))
    if abs(alpha - 1.673_263_2) < 1e-4, abs(gamma - 1.050_701) < 1e-4 {
      return try activation(SELU())
    }
    try formula("Selu with alpha \(alpha), gamma \(gamma)") { x in
      .select(
        .real(0) < x, .real(Double(gamma)) * x,
        .real(Double(gamma * alpha)) * (x.applying(.exp) - .real(1)))
    }
  }

  fileprivate func clip() throws(ConversionError) {
    let isConstant = [1, 2].allSatisfy { node.input($0) == nil || constant($0) != nil }
    guard isConstant, try operand(0).isReal else { return try clipAtRunTime() }
    func bound(_ index: Int, _ name: String, _ standard: Float) throws(ConversionError) -> Float {
      if node.input(index) != nil { return try floats(index)?.first ?? standard }
      return try float(name, standard)
    }
    let largest = Float.greatestFiniteMagnitude
    let low = try bound(1, "min", -largest)
    let high = try bound(2, "max", largest)
    guard low < high, low.isFinite, high.isFinite else {
      // The upper bound wins where the two make no range.
      return try formula("Clip to \(low), then to \(high)") { x in
        .function(.minimum, [.function(.maximum, [x, .real(Double(low))]), .real(Double(high))])
      }
    }
    try activation(low == 0 && high == 6 ? ReLU6() : Clip(minimum: low, maximum: high))
  }

  private func clipAtRunTime() throws(ConversionError) {
    var result = try operand(0)
    let element = result.element
    for (index, function) in [(1, CellFunction.maximum), (2, .minimum)] {
      guard let bound = try optionalOperand(index) else { continue }
      result = operand(
        try cells(
          "Clip, its \(index == 1 ? "lower" : "upper") bound", [result, bound], element: element
        ) {
          .function(function, [$0[0], $0[1]])
        })
    }
    if case .value(let value) = result.source { define(value) }
  }

  fileprivate func prelu() throws(ConversionError) {
    let x = try ranked(0)
    let channels = [1, x.extents[1]] + x.extents.dropFirst(2).map { _ in 1 }
    // Some exporters mean channels by an only axis that does not fit the last one.
    let fits = try Places.broadcast([operand(0).shape, operand(1).shape]) != nil
    guard let slope = constant(1), slope.dims.count <= channels.count,
      slope.count == 1 || !fits && slope.dims == [x.extents[1]]
        || channels == channels.dropLast(slope.dims.count).map({ _ in 1 }) + slope.dims
    else {
      let operands = [try operand(0), try operand(1)]
      return define(
        try cells("PRelu", operands) {
          .select($0[0] < .real(0), .function(.multiply, [$0[0], $0[1]]), $0[0])
        })
    }
    define(
      try apply(PReLU(isShared: slope.count == 1), to: x, weights: ["slope": weights(slope)]),
      as: x.shape)
  }

  /// In inference nothing is dropped: a mask is true everywhere.
  fileprivate func dropout() throws(ConversionError) {
    let x = try operand(0)
    guard node.input(2) == nil || constant(2) != nil else {
      throw problem("is told at run time whether it trains, expected a constant; set it to false")
    }
    if let tensor = constant(2), try read({ (_) throws(ONNXError) in try tensor.integers() }) != [0]
    {
      let ratio = try floats(1)?.first ?? 0.5
      guard ratio == 0 else {
        throw problem(
          "drops values at random, as in training; set training_mode to false, or its ratio to 0")
      }
    }
    define(try value(0))
    guard node.output(1) != nil else { return }
    // Older versions return the mask in the values' own type.
    let isTruth = node.opset >= 10
    define(
      try nest(
        "Dropout, its mask", [], shape: x.shape, element: isTruth ? .bool : .float32,
        value: isTruth ? .truth(true) : .real(1)), output: 1)
  }
}
