import ConvcIR
import ConvcLayers

/// What passes of `CleanUp` put in the place of several operators and no set of operators has.
let fusedOperators: [String: OperatorConverter] = [
  "convc.MatMulAdd": { (node) throws(ConversionError) in try node.matrixWithBias() }
]

extension NodeConversion {
  /// A product with a constant matrix and a bias of each column; of more than rows, a product and a sum again.
  fileprivate func matrixWithBias() throws(ConversionError) {
    guard let matrix = constant(1), let bias = constant(2), matrix.dims.count == 2,
      bias.count == matrix.dims[1], let input = node.input(0), let output = node.output(0)
    else { throw problem("has no matrix and bias of constants; export the model again") }
    let shape = try value(0).shape
    guard shape.count == 2, shape[1] == matrix.dims[0] else {
      var product = node.replaced(by: "MatMul", inputs: [input, node.inputs[1]])
      product.outputs = ["\(output) without bias"]
      try conversion.convert(product)
      return try conversion.convert(
        node.replaced(by: "Add", inputs: product.outputs + [node.inputs[2]]))
    }
    let values = ["weight": transposed(matrix), "bias": weights(bias)]
    define(try apply(Dense(outputs: matrix.dims[1]), to: try plain(0), weights: values))
  }

  // MARK: Gates

  /// Whether one of two values has one number for each map or sequence of the other.
  func isGate(_ a: ConvertedValue, _ b: ConvertedValue) -> Bool {
    guard (3...4).contains(a.shape.count), a.shape.count == b.shape.count,
      a.shape.prefix(2) == b.shape.prefix(2)
    else { return false }
    return [a, b].contains { $0.shape.dropFirst(2).allSatisfy { $0 == 1 } }
  }

  /// Maps times a number each, as squeeze-and-excitation has it: a layer with a gradient.
  func gated(_ a: ConvertedValue, _ b: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    try apply(Multiply(), to: try reshape(a, to: a.shape), try reshape(b, to: b.shape))
  }
}
