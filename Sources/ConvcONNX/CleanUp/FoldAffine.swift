/// Folds sums and products with constants of each channel into the operator before them.
///
/// Before: `Conv`, `ConvTranspose`, `Gemm`, `MatMul`, or a `BatchNormalization` behind one of these, then `Add`, `Sub`, `Mul` or `Div` with a
/// number or a constant that has a value for each channel. After: the operator with other weights and bias; a `MatMul` with a
/// bias is `convc.MatMulAdd`. Only where nothing else reads the value between. Batch normalisation itself stays: the compiler
/// folds it for inference, and training needs its statistics.
public struct FoldAffine: GraphPass {
  public static let name = "fold-affine"

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var editor = GraphEditor(graph)
    // Weights are multiplied a few times at most, however long a chain of products is.
    let weights = graph.initializers.values.reduce(0) { $0 + ($1.isRepeated ? 0 : $1.count) }
    var room = max(1 << 24, 4 * weights)
    for place in editor.places {
      guard let node = editor[place], let step = AffineStep(node, editor),
        editor.isReadOnce(step.input), let source = editor.place(of: step.input),
        let linear = editor[source], let form = LinearForm(linear, editor),
        form.weightCount <= room, let values = try step.values(of: form),
        let (inputs, op) = try form.inputs(scale: values.scale, shift: values.shift, &editor)
      else { continue }
      room -= form.weightCount
      var folded = linear
      folded.outputs = node.outputs
      folded = folded.replaced(
        by: op.op, domain: op.domain, inputs: inputs, attributes: linear.attributes)
      editor.remove(source)
      editor.replace(place, by: folded)
    }
    return editor.finish()
  }
}

/// `x ∘ constant` or `constant ∘ x`.
private struct AffineStep {
  let op: String
  /// The value that is computed.
  let input: String
  let constant: ONNXTensor
  let isConstantFirst: Bool

  init?(_ node: ONNXNode, _ editor: GraphEditor) {
    guard node.domain.isEmpty, ["Add", "Sub", "Mul", "Div"].contains(node.op),
      node.inputs.count == 2
    else { return nil }
    op = node.op
    if let tensor = editor.constant(node.inputs[1]), tensor.type == .float {
      (input, constant, isConstantFirst) = (node.inputs[0], tensor, false)
    } else if let tensor = editor.constant(node.inputs[0]), tensor.type == .float, op != "Div" {
      (input, constant, isConstantFirst) = (node.inputs[1], tensor, true)
    } else {
      return nil
    }
  }

  /// What each channel is multiplied by, and what is added then; nil: the constant has other values than one a channel.
  func values(of form: LinearForm) throws(ONNXError) -> (scale: [Double], shift: [Double])? {
    guard form.fits(constant) else { return nil }
    let given = try constant.doubles()
    let values = form.channels.map { given[given.count == 1 ? 0 : $0] }
    let (ones, zeros) = (values.map { _ in 1.0 }, values.map { _ in 0.0 })
    switch op {
    case "Add": return (ones, values)
    case "Sub" where isConstantFirst: return (values.map { _ in -1 }, values)
    case "Sub": return (ones, values.map { -$0 })
    case "Mul": return (values, zeros)
    default: return (values.map { 1 / $0 }, zeros)
    }
  }
}

/// An operator whose result has a scale and a shift for each channel.
private struct LinearForm {
  private let node: ONNXNode
  private let weight: ONNXTensor
  /// Numbers of the channels.
  let channels: Range<Int>
  /// Axes of the result; nil: one or more.
  private let rank: Int?
  /// Where the bias stands among the inputs.
  private let biasInput: Int

  init?(_ node: ONNXNode, _ editor: GraphEditor) {
    guard let weight = editor.constant(node.input(1)), weight.type == .float, weight.count > 0
    else { return nil }
    self.node = node
    self.weight = weight
    biasInput = 2
    let dims = weight.dims
    switch node.title {
    case "Conv" where dims.count > 2:
      (channels, rank) = (0..<dims[0], dims.count)
    case "ConvTranspose" where dims.count > 2:
      guard let groups = try? node.int("group", default: 1), groups > 0, dims[0] % groups == 0,
        groups < 1 << 24, dims[1] < 1 << 24
      else { return nil }
      (channels, rank) = (0..<dims[1] * groups, dims.count)
    case "Gemm" where dims.count == 2:
      guard (try? node.float("alpha", default: 1)) == 1, (try? node.float("beta", default: 1)) == 1,
        let transposed = try? node.int("transB", default: 0)
      else { return nil }
      (channels, rank) = (0..<(transposed != 0 ? dims[0] : dims[1]), 2)
    case "MatMul" where dims.count == 2, "convc.MatMulAdd" where dims.count == 2:
      (channels, rank) = (0..<dims[1], nil)
    case "BatchNormalization" where dims.count == 1:
      // What it reads says how many axes there are.
      guard let value = node.input(0), node.output(1) == nil, node.inputs.count == 5,
        let source = editor.place(of: value).flatMap({ editor[$0] }), source.op != node.op,
        let rank = LinearForm(source, editor)?.rank
      else { return nil }
      (channels, self.rank) = (0..<dims[0], rank)
    default: return nil
    }
    if let bias = node.input(biasInput) {
      guard let tensor = editor.constant(bias), tensor.type == .float,
        tensor.count == channels.count
      else { return nil }
    }
  }

  var weightCount: Int { weight.count }

  /// Whether a constant has one value, or one for each channel.
  func fits(_ constant: ONNXTensor) -> Bool {
    guard let rank else {
      return constant.dims.isEmpty || constant.dims == [1] || constant.dims == [channels.count]
    }
    guard constant.dims.count <= rank else { return false }
    let dims = [Int](repeating: 1, count: rank - constant.dims.count) + constant.dims
    return dims.enumerated().allSatisfy { axis, extent in
      extent == 1 || axis == 1 && extent == channels.count
    }
  }

  /// The operator and its inputs with other weights and bias.
  func inputs(
    scale: [Double], shift: [Double], _ editor: inout GraphEditor
  ) throws(ONNXError) -> ([String], (op: String, domain: String))? {
    guard scale.allSatisfy(\.isFinite), shift.allSatisfy(\.isFinite) else { return nil }
    var inputs = node.inputs
    if scale.contains(where: { $0 != 1 }) {
      var values = try weight.doubles()
      for index in values.indices { values[index] *= scale[channel(of: index)] }
      inputs[1] = try editor.addConstant(inputs[1] + "_scaled", values, dims: weight.dims)
    }
    let bias = try editor.constant(node.input(biasInput))?.doubles()
    if bias != nil || shift.contains(where: { $0 != 0 }) {
      let values = channels.map { (bias?[$0] ?? 0) * scale[$0] + shift[$0] }
      let name = try editor.addConstant(
        node.input(biasInput) ?? "\(node.name).bias", values, dims: [channels.count])
      inputs = Array(inputs.prefix(2)) + [name] + inputs.dropFirst(3)
    }
    let isSum = node.op == "MatMul" && inputs.count == 3
    return (inputs, isSum ? ("MatMulAdd", "convc") : (node.op, node.domain))
  }

  /// The channel that a weight is for.
  private func channel(of index: Int) -> Int {
    let dims = weight.dims
    switch node.op {
    case "Conv", "BatchNormalization": return index / (weight.count / dims[0])
    case "ConvTranspose":
      let inputs = dims[0] / (channels.count / dims[1])
      let taps = weight.count / dims[0] / dims[1]
      return index / taps / dims[1] / inputs * dims[1] + index / taps % dims[1]
    case "Gemm" where channels.count == dims[0] && isTransposed: return index / dims[1]
    default: return index % channels.count
    }
  }

  private var isTransposed: Bool { (try? node.int("transB", default: 0)) != 0 }
}
