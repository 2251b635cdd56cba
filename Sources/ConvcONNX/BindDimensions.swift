/// Gives every extent of a model's inputs a number.
///
/// Before: inputs like `[N, 3, ?, 192]`. After: `[1, 3, 1, 192]`, with `N` as the caller says or 1.
/// What was not said comes back as notes. Symbols are equal by name in all inputs and outputs.
public struct BindDimensions: Sendable {
  /// Extents by symbol, as the caller says; `INPUT.AXIS` names an extent without a symbol.
  public let dims: [String: Int]

  public init(dims: [String: Int]) {
    self.dims = dims
  }

  /// - Throws: a name of ``dims`` that the model does not have, an extent below 1, an input whose
  ///   number of axes is not said.
  public func run(_ graph: ONNXGraph) throws(ONNXError) -> (graph: ONNXGraph, notes: [String]) {
    var graph = graph
    var notes: [String] = []
    var used: Set<String> = []
    var noted: Set<String> = []
    var bound: [String: Int] = [:]
    for (name, extent) in dims.sorted(by: { $0.key < $1.key }) where extent < 1 {
      throw ONNXError(
        graph.source, "cannot have the extent \(name)=\(extent), expected 1 or more; correct --dim")
    }
    for index in graph.inputs.indices {
      let input = graph.inputs[index]
      guard let known = input.dims else {
        throw ONNXError(
          "input \(ONNXError.quoted(input.name))",
          "has no shape; \(ONNXError.exportAgain) with the shapes of its inputs")
      }
      graph.inputs[index].dims = known.enumerated().map { axis, dim in
        let place = "\(input.name).\(axis)"
        switch dim {
        case .fixed: return dim
        case .symbol(let symbol):
          used.formUnion([symbol, place].filter { dims[$0] != nil })
          let chosen = dims[place] ?? dims[symbol]
          bound[symbol] = bound[symbol] ?? chosen ?? 1
          if let chosen { return .fixed(chosen) }
          if noted.insert(symbol).inserted {
            notes.append(
              "dimension \(ONNXError.quoted(symbol)) is taken as 1; "
                + "choose another with --dim \(Self.safe(symbol))=EXTENT")
          }
        case .unknown:
          if let extent = dims[place] {
            used.insert(place)
            return .fixed(extent)
          }
          notes.append(
            "axis \(axis) of input \(ONNXError.quoted(input.name)) is taken as 1; "
              + "choose another with --dim \(Self.safe(input.name)).\(axis)=EXTENT")
        }
        return .fixed(1)
      }
    }
    for index in graph.outputs.indices {
      graph.outputs[index].dims = graph.outputs[index].dims?.map { dim in
        if case .symbol(let symbol) = dim, let extent = bound[symbol] {
          .fixed(extent)
        } else {
          dim
        }
      }
    }
    try check(used, graph, noted)
    return (graph, notes)
  }

  private func check(
    _ used: Set<String>, _ graph: ONNXGraph, _ noted: Set<String>
  ) throws(ONNXError) {
    for name in dims.keys.sorted() where !used.contains(name) {
      let known = noted.union(used).sorted().map(ONNXError.quoted)
      throw ONNXError(
        graph.source,
        "has no dimension \(ONNXError.quoted(name)) that could be chosen; "
          + (known.isEmpty ? "all extents of its inputs are fixed" : "it has ")
          + known.joined(separator: ", "))
    }
  }

  /// A name as an argument of a command, as far as it can be written in one line.
  private static func safe(_ name: String) -> String {
    String(ONNXError.quoted(name).dropFirst().dropLast())
  }
}
