/// Removes operators that hand on what they read.
///
/// Before: `Identity`; `Dropout`, which does nothing in inference, unless its mask is read or training asked for; `Sum`, `Max`,
/// `Min` and `Concat` of a single value. After: who read them reads what they read. Those whose result is an output stay,
/// for outputs keep their names.
public struct RemoveIdentities: GraphPass {
  public static let name = "remove-identities"

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var editor = GraphEditor(graph)
    for place in editor.places {
      guard let node = editor[place], Self.isIdentity(node), let input = node.input(0),
        let output = node.output(0)
      else { continue }
      if editor.redirect(output, to: input) { editor.remove(place) }
    }
    return editor.finish()
  }

  private static func isIdentity(_ node: ONNXNode) -> Bool {
    guard node.domain.isEmpty else { return false }
    switch node.op {
    case "Identity": return true
    case "Dropout": return node.output(1) == nil && node.input(2) == nil && !trains(node)
    case "Sum", "Max", "Min", "Concat": return node.inputs.count == 1
    default: return false
    }
  }

  /// Version 6 asks for training by an attribute.
  private static func trains(_ node: ONNXNode) -> Bool {
    guard node.opset < 7, case .int(let isTest)? = node.attributes["is_test"] else { return false }
    return isTest == 0
  }
}
