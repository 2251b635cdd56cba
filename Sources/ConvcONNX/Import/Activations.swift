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

  fileprivate func selu() throws(ConversionError) {
    let (alpha, gamma) = (try float("alpha", 1.673_263_2), try float("gamma", 1.050_701))
    guard abs(alpha - 1.673_263_2) < 1e-4, abs(gamma - 1.050_701) < 1e-4 else {
      throw problem("has alpha \(alpha) and gamma \(gamma); convc's SELU has those of the paper")
    }
    try activation(SELU())
  }

  fileprivate func clip() throws(ConversionError) {
    func bound(_ index: Int, _ name: String, _ standard: Float) throws(ConversionError) -> Float {
      if node.input(index) != nil { return try floats(index)?.first ?? standard }
      return try float(name, standard)
    }
    let largest = Float.greatestFiniteMagnitude
    let low = try bound(1, "min", -largest)
    let high = try bound(2, "max", largest)
    try activation(low == 0 && high == 6 ? ReLU6() : Clip(minimum: low, maximum: high))
  }

  fileprivate func prelu() throws(ConversionError) {
    let x = try ranked(0)
    guard let slope = constant(1) else {
      throw problem("computes its slopes at run time, which this version cannot")
    }
    let channels = x.extents[1]
    let perChannel = slope.count == channels && slope.dims.count + 1 >= x.shape.count
    guard slope.count == 1 || perChannel else {
      throw problem("has slopes of shape \(slope.dims); one for all or one a channel are expected")
    }
    define(
      try apply(PReLU(isShared: slope.count == 1), to: x, weights: ["slope": weights(slope)]),
      as: x.shape)
  }

  /// In inference nothing is dropped.
  fileprivate func dropout() throws(ConversionError) {
    guard node.output(1) == nil else {
      throw problem("returns its mask, which this version cannot")
    }
    define(try value(0))
  }
}
