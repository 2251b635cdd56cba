import ConvcIR
import ConvcLayers

/// Converts one operator: reads what it says, and applies layers.
typealias OperatorConverter = @Sendable (NodeConversion) throws(ConversionError) -> Void

/// A node with what its converter needs at hand.
struct NodeConversion {
  let node: ONNXNode
  let conversion: Conversion

  // MARK: Reading

  /// What the node says, as an error of the conversion where it is malformed.
  func read<T>(_ body: (ONNXNode) throws(ONNXError) -> T) throws(ConversionError) -> T {
    do { return try body(node) } catch { throw .problem(error) }
  }

  func int(_ name: String, _ standard: Int) throws(ConversionError) -> Int {
    try read { (node) throws(ONNXError) in try node.int(name, default: standard) }
  }

  func float(_ name: String, _ standard: Float) throws(ConversionError) -> Float {
    try read { (node) throws(ONNXError) in try node.float(name, default: standard) }
  }

  func string(_ name: String, _ standard: String) throws(ConversionError) -> String {
    try read { (node) throws(ONNXError) in try node.string(name, default: standard) }
  }

  func ints(_ name: String) throws(ConversionError) -> [Int]? {
    try read { (node) throws(ONNXError) in try node.ints(name) }
  }

  /// An error at this node.
  func problem(_ message: String) -> ConversionError { .problem(node.error(message)) }

  /// The constant that an input is; nil where it is left out or computed at run time.
  func constant(_ index: Int) -> ONNXTensor? { conversion.folder.constant(node, index) }

  /// Whole numbers of a constant input; nil where it is left out.
  func integers(_ index: Int) throws(ConversionError) -> [Int]? {
    guard node.input(index) != nil else { return nil }
    guard let tensor = constant(index) else { throw runtime(index) }
    return try read { (_) throws(ONNXError) in try tensor.ints() }
  }

  /// Numbers of a constant input; nil where it is left out.
  func floats(_ index: Int) throws(ConversionError) -> [Float]? {
    guard node.input(index) != nil else { return nil }
    guard let tensor = constant(index) else { throw runtime(index) }
    return try read { (_) throws(ONNXError) in try tensor.floats() }
  }

  /// Whole numbers that older versions have as an attribute and newer ones as an input.
  func integers(_ index: Int, or name: String) throws(ConversionError) -> [Int]? {
    if let values = try integers(index) { return values }
    return try ints(name)
  }

  private func runtime(_ index: Int) -> ConversionError {
    problem(
      "computes its input \(index + 1) at run time, expected a constant; export it with fixed values"
    )
  }

  // MARK: Values

  /// An input as a value of run time, also where it is a constant.
  func value(_ index: Int) throws(ConversionError) -> ConvertedValue {
    guard let name = node.input(index) else {
      throw problem("lacks its input \(index + 1); export the model again")
    }
    if let tensor = constant(index) { return try constantValue(tensor) }
    guard let value = conversion.value(name) else {
      throw problem("reads \(ONNXError.quoted(name)), which nothing computes")
    }
    return value
  }

  /// A value of run time in the model's own shape.
  func plain(_ index: Int) throws(ConversionError) -> ConvertedValue {
    let value = try value(index)
    return try reshape(value, to: value.plainExtents)
  }

  func reshape(_ value: ConvertedValue, to extents: [Int]) throws(ConversionError)
    -> ConvertedValue
  {
    try conversion.reshape(value, to: extents, at: node)
  }

  /// Applies a layer; without a shape the result has the network's.
  func apply(
    _ layer: any Layer, to inputs: ConvertedValue..., shape: [Int]? = nil,
    weights: [String: GivenValues] = [:]
  ) throws(ConversionError) -> ConvertedValue {
    try apply(layer, to: inputs, shape: shape, weights: weights)
  }

  func apply(
    _ layer: any Layer, to inputs: [ConvertedValue], shape: [Int]? = nil,
    weights: [String: GivenValues] = [:]
  ) throws(ConversionError) -> ConvertedValue {
    try conversion.apply(layer, to: inputs, shape: shape, at: node, weights: weights)
  }

  /// Names a result as one of the node's outputs.
  func define(_ value: ConvertedValue, output index: Int = 0) {
    if let name = node.output(index) { conversion.define(name, value) }
  }

  /// The same values under another shape of the model: nothing is computed.
  func define(_ value: ConvertedValue, as shape: [Int], output index: Int = 0) {
    let isView = node.input(0).flatMap { conversion.value($0)?.value.name } == value.value.name
    define(value.read(as: shape, by: isView ? node.name : nil), output: index)
  }

  /// An axis counted from the front.
  func axis(_ axis: Int, of rank: Int) throws(ConversionError) -> Int {
    guard (-rank..<max(rank, 1)).contains(axis) else {
      throw problem("has axis \(axis), expected \(-rank)...\(rank - 1); export the model again")
    }
    return axis < 0 ? axis + rank : axis
  }

  // MARK: Weights

  /// A constant as first values of a parameter.
  func weights(_ tensor: ONNXTensor) -> GivenValues {
    GivenValues(count: tensor.count) { target in
      if tensor.type == .float {
        try tensor.read(into: UnsafeMutableRawBufferPointer(target))
      } else {
        for (index, value) in try tensor.floats().enumerated() { target[index] = value }
      }
    }
  }

  /// The same for a matrix whose rows become columns.
  func transposed(_ tensor: ONNXTensor, scale: Float = 1) -> GivenValues {
    let (rows, columns) = (tensor.dims[0], tensor.dims[1])
    return GivenValues(count: tensor.count) { target in
      let values = try tensor.floats()
      for row in 0..<rows {
        for column in 0..<columns {
          target[column * rows + row] = scale * values[row * columns + column]
        }
      }
    }
  }

  func scaled(_ tensor: ONNXTensor, by scale: Float) -> GivenValues {
    GivenValues(count: tensor.count) { target in
      for (index, value) in try tensor.floats().enumerated() { target[index] = scale * value }
    }
  }
}
