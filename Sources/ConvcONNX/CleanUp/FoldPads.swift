/// Lets windows pad for themselves.
///
/// Before: `Pad` with zeros on the axes in space, then `Conv`, `AveragePool` or `MaxPool`. After: the window with larger pads. An
/// average has to count them, so it is left alone where it would not count its own; a maximum has to be of values that are
/// not negative, among which zeros change nothing: those behind a ReLU, a sigmoid or a maximum behind one.
public struct FoldPads: GraphPass {
  public static let name = "fold-pads"

  public init() {}

  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ONNXGraph {
    var editor = GraphEditor(graph)
    for place in editor.places {
      guard let node = editor[place], let value = node.input(0), editor.isReadOnce(value),
        let pad = editor.node("Pad", of: value), let input = pad.input(0),
        let rank = Self.rank(of: node, editor), let cells = try Self.cells(pad, rank, editor),
        let wider = try Self.window(node, padded: cells, input, editor)
      else { continue }
      if let padding = editor.place(of: value) { editor.remove(padding) }
      editor.replace(place, by: wider)
    }
    return editor.finish()
  }

  /// Number of axes of what a window reads; nil: it is no window.
  private static func rank(of node: ONNXNode, _ editor: GraphEditor) -> Int? {
    switch node.title {
    case "Conv": return editor.constant(node.input(1))?.dims.count
    case "AveragePool", "MaxPool":
      guard case .ints(let kernel)? = node.attributes["kernel_shape"] else { return nil }
      return kernel.count + 2
    default: return nil
    }
  }

  /// Zeros before the axes in space, then behind them; nil: something else is put there, or elsewhere too.
  private static func cells(
    _ pad: ONNXNode, _ rank: Int, _ editor: GraphEditor
  ) throws(ONNXError) -> [Int]? {
    guard try pad.string("mode", default: "constant") == "constant" else { return nil }
    let value =
      pad.input(2) != nil
      ? try editor.scalar(pad.input(2)) : Double(try pad.float("value", default: 0))
    guard value == 0 else { return nil }
    let given =
      pad.input(1) != nil ? try editor.constant(pad.input(1))?.ints() : try pad.ints("pads")
    let axes = pad.input(3) != nil ? try editor.constant(pad.input(3))?.ints() : Array(0..<rank)
    guard let given, let axes, given.count == 2 * axes.count,
      axes.allSatisfy({ (-rank..<rank).contains($0) }),
      given.allSatisfy({ (0..<1 << 24).contains($0) })
    else { return nil }
    var all = [Int](repeating: 0, count: 2 * rank)
    for (index, axis) in axes.enumerated() {
      let axis = axis < 0 ? axis + rank : axis
      all[axis] += given[index]
      all[rank + axis] += given[axes.count + index]
    }
    guard all[0] == 0, all[1] == 0, all[rank] == 0, all[rank + 1] == 0 else { return nil }
    return Array(all[2..<rank] + all[(rank + 2)...])
  }

  /// The window with more pads; nil: it would compute something else.
  private static func window(
    _ node: ONNXNode, padded cells: [Int], _ input: String, _ editor: GraphEditor
  ) throws(ONNXError) -> ONNXNode? {
    guard ["NOTSET", "VALID"].contains(try node.string("auto_pad", default: "NOTSET")) else {
      return nil
    }
    let own = try node.ints("pads") ?? cells.map { _ in 0 }
    guard own.count == cells.count, own.allSatisfy({ (0..<1 << 24).contains($0) }) else {
      return nil
    }
    var wider = node
    wider.inputs[0] = input
    let pads = zip(own, cells).map { Int64($0 + $1) }
    wider.attributes["pads"] = .ints(pads)
    wider.attributes["auto_pad"] = nil
    guard node.op != "Conv" else { return wider }
    // A pool's window reaches into the map.
    let kernel = try node.ints("kernel_shape") ?? []
    guard kernel.count * 2 == pads.count, try node.int("ceil_mode", default: 0) == 0,
      pads.indices.allSatisfy({ pads[$0] < kernel[$0 % kernel.count] })
    else { return nil }
    if node.op == "MaxPool" {
      return node.output(1) == nil && isNonNegative(input, editor) ? wider : nil
    }
    let counts = try node.int("count_include_pad", default: 0) != 0
    guard counts || own.allSatisfy({ $0 == 0 }) else { return nil }
    wider.attributes["count_include_pad"] = .int(1)
    return wider
  }

  private static func isNonNegative(_ value: String, _ editor: GraphEditor) -> Bool {
    let source = editor.node("MaxPool", of: value)?.input(0) ?? value
    return editor.node("Relu", of: source) != nil || editor.node("Sigmoid", of: source) != nil
  }
}
