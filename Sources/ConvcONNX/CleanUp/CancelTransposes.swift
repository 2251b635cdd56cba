/// Removes transposes that undo each other, also where operators of single values stand between them.
///
/// Before: programs whose images end with the channels write each convolution between two transposes. After:
/// - two transposes in a row are one, and none where the axes are back in their order;
/// - an operator of single values comes before the transpose that it read, so that this one meets the next;
/// - a sum or product of two values that are transposed alike is transposed once, behind it.
///
/// What is left is converted as a layer that moves axes.
public struct CancelTransposes: GraphPass {
  public static let name = "cancel-transposes"

  /// Operators that take each value by itself, whatever axes it has.
  private static let pointwise: Set<String> = [
    "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Selu", "Softplus", "Softsign", "HardSigmoid",
    "HardSwish", "Swish", "Gelu", "Mish", "Clip", "Exp", "Log", "Sqrt", "Abs", "Neg", "Erf",
  ]
  private static let ofTwo: Set<String> = ["Add", "Sub", "Mul", "Div", "Max", "Min"]

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var editor = GraphEditor(graph)
    // In the nodes' order: a transpose that moved down is met again by what reads it.
    for place in editor.places {
      guard let node = editor[place], node.domain.isEmpty else { continue }
      if node.op == "Transpose" {
        try join(node, place, &editor)
      } else if Self.pointwise.contains(node.op) {
        try pass(node, place, &editor)
      } else if Self.ofTwo.contains(node.op), node.inputs.count == 2 {
        try joinTwo(node, place, &editor)
      }
    }
    return editor.finish()
  }

  /// A transpose that a node reads and nothing else does.
  private struct Source {
    let place: Int
    let node: ONNXNode
    let input: String
    let order: [Int]
  }

  private func source(
    _ value: String?, _ editor: GraphEditor
  ) throws(ONNXError) -> Source? {
    guard let value, editor.isReadOnce(value), let node = editor.node("Transpose", of: value),
      let place = editor.place(of: value), let input = node.input(0),
      let order = try Self.order(node)
    else { return nil }
    return Source(place: place, node: node, input: input, order: order)
  }

  /// The axes' order; nil: it is not said, or none.
  private static func order(_ node: ONNXNode) throws(ONNXError) -> [Int]? {
    guard let order = try node.ints("perm"), order.sorted() == Array(order.indices) else {
      return nil
    }
    return order
  }

  /// Two transposes become one, or none.
  private func join(
    _ node: ONNXNode, _ place: Int, _ editor: inout GraphEditor
  ) throws(ONNXError) {
    guard let value = node.input(0), let order = try Self.order(node),
      let first = editor.node("Transpose", of: value), let input = first.input(0),
      let before = try Self.order(first), before.count == order.count
    else { return }
    let joined = order.map { before[$0] }
    guard let output = node.output(0) else { return }
    if joined == Array(joined.indices), editor.redirect(output, to: input) {
      editor.remove(place)
    } else {
      editor.replace(
        place,
        by: node.replaced(
          by: "Transpose", inputs: [input], attributes: ["perm": .ints(joined.map(Int64.init))]))
    }
  }

  /// An operator of single values comes before the transpose that it reads.
  private func pass(
    _ node: ONNXNode, _ place: Int, _ editor: inout GraphEditor
  ) throws(ONNXError) {
    // What else it reads has to be there before the transpose.
    let others = node.inputs.dropFirst()
    guard let source = try source(node.input(0), editor),
      others.allSatisfy({ $0.isEmpty || editor.constant($0) != nil })
    else { return }
    move(node, [source.input] + node.inputs.dropFirst(), place, [source], &editor)
  }

  /// So does an operator of two values that are transposed alike, or of one and a number.
  private func joinTwo(
    _ node: ONNXNode, _ place: Int, _ editor: inout GraphEditor
  ) throws(ONNXError) {
    let (left, right) = (
      try source(node.input(0), editor), try source(node.input(1), editor)
    )
    if let left, let right {
      guard left.order == right.order else { return }
      move(node, [left.input, right.input], place, [left, right], &editor)
    } else if let left, try editor.scalar(node.input(1)) != nil {
      move(node, [left.input, node.inputs[1]], place, [left], &editor)
    } else if let right, try editor.scalar(node.input(0)) != nil {
      move(node, [node.inputs[0], right.input], place, [right], &editor)
    }
  }

  private func move(
    _ node: ONNXNode, _ inputs: [String], _ place: Int, _ sources: [Source],
    _ editor: inout GraphEditor
  ) {
    guard let output = node.output(0), let last = sources.max(by: { $0.place < $1.place }) else {
      return
    }
    var moved = node
    moved.inputs = inputs
    moved.outputs = [editor.unique(output + "_moved")]
    for source in sources { editor.remove(source.place) }
    editor.replace(last.place, by: moved)
    var turned = last.node
    turned.inputs = moved.outputs
    turned.outputs = [output]
    editor.replace(place, by: turned)
  }
}
