import ConvcIR
import ConvcLayers

/// A network that an ONNX file described.
public struct ImportedModel: Sendable {
  public let model: Model
  /// What a user should know: dimensions that were chosen for him.
  public let notes: [String]
}

/// Turns a graph of operators into a network of layers.
///
/// Before: operators on values of any shape. After: layers on `[N, ...]`, with the file's weights as their first
/// values. Where no operator touches axis 0 it is the batch; else the network is an unbatched one, in which tensors have
/// an extent of their own there. Operators whose inputs are constants are computed on the way.
public struct ConvertOperators: Sendable {
  /// Extents of symbolic dimensions.
  public let dims: [String: Int]

  public init(dims: [String: Int] = [:]) { self.dims = dims }

  /// - Throws: what cannot be converted, every unknown operator at once.
  public func run(_ graph: ONNXGraph) throws(ONNXError) -> ImportedModel {
    let (bound, notes) = try BindDimensions(dims: dims).run(graph)
    let folded = try FoldConstants().run(bound)
    if let error = Self.unknownOperators(of: folded) { throw error }
    for input in folded.inputs {
      guard let type = input.type, type.tensorElement == nil else { continue }
      throw ONNXError(
        "input \(ONNXError.quoted(input.name))",
        "has elements of type \(type.name), expected float, int32, int64 or bool; cast it before the model"
      )
    }
    let clean = try CleanUp().run(folded)
    try Self.checkPorts(of: clean)
    if let conversion = Conversion(clean, isUnbatched: false) {
      switch conversion.run() {
      case .success(let model): return ImportedModel(model: model, notes: notes)
      case .failure(.problem(let error)): throw error
      // The batch is no batch: once more with whole shapes.
      case .failure(.needsAxis0): break
      }
    }
    guard let conversion = Conversion(clean, isUnbatched: true) else {
      throw ONNXError(graph.source, "has an input without a shape; give it one and export again")
    }
    switch conversion.run() {
    case .success(let model): return ImportedModel(model: model, notes: notes)
    case .failure(.problem(let error)), .failure(.needsAxis0(let error)): throw error
    }
  }

  /// - Throws: more inputs and outputs than a function's caller can pass.
  private static func checkPorts(of graph: ONNXGraph) throws(ONNXError) {
    for (count, what) in [(graph.inputs.count, "inputs"), (graph.outputs.count, "outputs")]
    where count > graph.limits.ports {
      throw ONNXError(
        graph.source,
        "has \(count) \(what), more than \(graph.limits.ports); "
          + "join them, or \(ONNXError.exportAgain) in parts")
    }
    for node in graph.nodes where node.inputs.count > graph.limits.ports {
      throw node.error(
        "has \(node.inputs.count) inputs, more than \(graph.limits.ports); \(ONNXError.exportAgain) in parts"
      )
    }
  }

  /// The operators that convc does not know, all in one message; nil: there are none.
  static func unknownOperators(of graph: ONNXGraph) -> ONNXError? {
    let unknown = graph.operatorCounts.filter { OperatorTable.knows($0.op) == false }
    guard !unknown.isEmpty else { return nil }
    let list = unknown.prefix(50).map { "\(ONNXError.plain($0.op)) (\($0.count))" }
    let more = unknown.count > 50 ? " and \(unknown.count - 50) more" : ""
    return ONNXError(
      graph.source,
      "has operators that convc does not know: \(list.joined(separator: ", "))\(more)")
  }
}

/// Why a conversion ends.
enum ConversionError: Error {
  case problem(ONNXError)
  /// Axis 0 cannot be the batch; the message where that does not help.
  case needsAxis0(ONNXError)
}

/// A value of the model as the network has it.
struct ConvertedValue {
  let value: Value
  let element: ElementType
  /// The shape in the model.
  let shape: [Int]
  /// The shape in the network: the same, or one with axes joined or extents of 1 before them.
  let extents: [Int]
  /// The node that gave the values their shape, where nothing was computed; nil: the one that computed them.
  var view: String?

  /// The shape in the model as a network can have it: single values are an axis of one.
  var plainExtents: [Int] { shape.isEmpty ? [1] : shape }

  /// The same values as a shape of the model.
  func read(as shape: [Int], by node: String? = nil) -> ConvertedValue {
    ConvertedValue(value: value, element: element, shape: shape, extents: extents, view: node)
  }
}

/// The state of one conversion.
final class Conversion {
  let graph: ONNXGraph
  let isUnbatched: Bool
  let builder: ModelBuilder
  private(set) var folder: ConstantFolder
  private var values: [String: ConvertedValue] = [:]
  private var given: [String: GivenValues] = [:]
  private var names: IdentifierTable
  /// Layers so far.
  private var layers = 0
  /// Images of a batch; in an unbatched network of no meaning.
  let batch: Int

  /// - Returns: nil where the inputs do not have the form that is asked for.
  init?(_ graph: ONNXGraph, isUnbatched: Bool) {
    self.graph = graph
    self.isUnbatched = isUnbatched
    var names = IdentifierTable()
    builder = ModelBuilder(
      name: IdentifierTable.identifier(graph.name.isEmpty ? "model" : graph.name),
      isUnbatched: isUnbatched)
    batch = graph.inputs.first?.shape?.first ?? 1
    var graph = graph
    for input in graph.inputs {
      guard let shape = input.shape else { return nil }
      let isEmpty = shape.contains(0)
      if !isUnbatched, !(2...5).contains(shape.count) || shape[0] != batch || isEmpty { return nil }
      let extents = isEmpty || shape.isEmpty ? [1] : shape
      let element = (input.type ?? .float).tensorElement ?? .float32
      var declared = Model.Input(
        name: names.unique(input.name, or: "input"),
        shape: isUnbatched ? extents : Array(extents.dropFirst()), element: element, location: nil)
      declared.label = input.name
      declared.isOptional = true
      if extents != shape { declared.callerShape = shape }
      let value = builder.input(declared)
      if isEmpty {
        // What has no elements is known without them.
        graph.initializers[input.name] = try? ONNXTensor(
          place: "input \(ONNXError.quoted(input.name))", type: input.type ?? .float, dims: shape,
          storage: .bytes([]))
      } else {
        values[input.name] = ConvertedValue(
          value: value, element: element, shape: shape, extents: extents)
      }
    }
    folder = ConstantFolder(graph)
    self.names = names
  }

  func run() -> Result<Model, ConversionError> {
    do { return .success(try model()) } catch { return .failure(error) }
  }

  private func model() throws(ConversionError) -> Model {
    for node in graph.nodes { try convert(node) }
    for output in graph.outputs {
      let value =
        if let computed = values[output.name] { computed } else {
          try constantOutput(output.name)
        }
      let isEmpty = value.shape.contains(0)
      let plain = isEmpty ? value : try reshape(value, to: value.plainExtents, at: nil)
      builder.output(
        names.unique(output.name, or: "output"), plain.value, label: output.name,
        callerShape: value.shape == plain.extents ? nil : value.shape)
    }
    var model = Self.withEarlyViews(Self.needed(of: builder.model))
    model.values = given
    model.usualBatch = isUnbatched ? 1 : batch
    return model
  }

  /// An output that no input changes.
  private func constantOutput(_ name: String) throws(ConversionError) -> ConvertedValue {
    guard let tensor = folder.constant(name) else {
      throw .problem(
        ONNXError("output \(ONNXError.quoted(name))", "is computed by no node; export again"))
    }
    let node = ONNXNode(name: name, op: "Constant", opset: 13, inputs: [name], outputs: [])
    return try NodeConversion(node: node, conversion: self).constantValue(tensor)
  }

  /// The network without layers that no output needs, such as parts of a split.
  private static func needed(of model: Model) -> Model {
    var model = model
    var names = Set(model.outputs.map(\.node))
    for node in model.nodes.reversed() where names.contains(node.name) {
      names.formUnion(node.inputs)
    }
    // Layers come from a file, so that messages have no line of Swift to name.
    model.nodes = model.nodes.filter { names.contains($0.name) }.map {
      Model.Node(
        name: $0.name, layer: $0.layer, inputs: $0.inputs, isFrozen: $0.isFrozen,
        regularizer: $0.regularizer, location: nil)
    }
    return model
  }

  /// The network with each change of a shape right behind what it reads, so that it keeps no layers from joining one kernel.
  private static func withEarlyViews(_ model: Model) -> Model {
    func isView(_ node: Model.Node) -> Bool {
      if case .view = node.layer.role(in: .inference, frozen: false) { true } else { false }
    }
    let inputs = Set(model.inputs.map(\.name))
    let views = Dictionary(
      grouping: model.nodes.filter { isView($0) && !inputs.contains($0.inputs[0]) },
      by: { $0.inputs[0] })
    let moved = Set(views.values.flatMap { $0 }.map(\.name))
    var model = model
    var waiting = Array(model.nodes.filter { !moved.contains($0.name) }.reversed())
    model.nodes = []
    while let node = waiting.popLast() {
      model.nodes.append(node)
      waiting += (views[node.name] ?? []).reversed()
    }
    return model
  }

  func convert(_ node: ONNXNode) throws(ConversionError) {
    let outcome: FoldOutcome
    do {
      let shapes = values
      outcome = try folder.fold(node) { shapes[$0]?.shape }
    } catch {
      throw .problem(error)
    }
    switch outcome {
    case .folded: return
    case .runtime: break
    case .replaced(let nodes):
      for node in nodes { try convert(node) }
      return
    }
    guard let converter = OperatorTable.converters[node.title] else {
      throw .problem(node.error("is an operator that convc does not know"))
    }
    try converter(NodeConversion(node: node, conversion: self))
  }

  // MARK: Values

  func value(_ name: String) -> ConvertedValue? { values[name] }

  func define(_ name: String, _ value: ConvertedValue) { values[name] = value }

  /// Whether the network grew beyond the limits.
  var hasTooManyLayers: Bool { layers > graph.limits.layers }

  /// Applies a layer.
  ///
  /// - Parameters:
  ///   - shape: the result's shape in the model; nil: the network's.
  ///   - weights: first values of the layer's parameters, by their names within the layer.
  ///   - name: what the layer is called; nil: as the node.
  func apply(
    _ layer: any Layer, to inputs: [ConvertedValue], shape: [Int]?, at node: ONNXNode?,
    weights: [String: GivenValues] = [:], name: String? = nil
  ) throws(ConversionError) -> ConvertedValue {
    layers += 1
    guard !hasTooManyLayers else {
      throw .problem(
        ONNXError(
          graph.source,
          "becomes more than \(graph.limits.layers) layers; \(ONNXError.exportAgain) in parts"))
    }
    let types = inputs.map { TensorType(shape: $0.extents, element: $0.element) }
    if !layer.traits.contains(.anyElement),
      let other = inputs.first(where: { $0.element != .float32 })
    {
      throw .problem(
        ONNXError(
          node?.place ?? graph.source,
          "reads values of type \(other.element.rawValue), which this version takes as float only; cast them"
        ))
    }
    let result: TensorType
    do {
      result = try layer.output(for: types)
    } catch {
      throw .problem(
        ONNXError(node?.place ?? graph.source, "\(error)"))
    }
    let name = names.unique(name ?? node?.name ?? "", or: type(of: layer).kind)
    let value = builder.apply(layer, to: inputs.map(\.value), name: name)
    for (parameter, values) in weights { given["\(name).\(parameter)"] = values }
    return ConvertedValue(
      value: value, element: result.element, shape: shape ?? result.shape, extents: result.shape)
  }

  /// The same values under other extents.
  func reshape(
    _ value: ConvertedValue, to extents: [Int], at node: ONNXNode?
  ) throws(ConversionError) -> ConvertedValue {
    if value.extents == extents { return value }
    func view(_ layer: any Layer) throws(ConversionError) -> ConvertedValue {
      try apply(layer, to: [value], shape: value.shape, at: node, name: value.view ?? "")
    }
    if isUnbatched { return try view(ReshapeAll(extents)) }
    guard extents.first == value.extents.first, extents.count > 1 else {
      throw .needsAxis0(
        ONNXError(
          node?.place ?? graph.source,
          "takes values of several images together, which a network with a batch cannot"))
    }
    let image = Array(extents.dropFirst())
    return try view(image.count == 1 && value.extents.count > 2 ? Flatten() : Reshape(image))
  }
}

/// Names of layers: identifiers in C, each once.
struct IdentifierTable {
  private var names = UniqueNames()

  /// A name made from any text; where nothing of it is left, from a word and a number.
  mutating func unique(_ text: String, or word: String) -> String {
    text.isEmpty ? names.numbered(word, from: 1) : names.unique(Self.identifier(text))
  }

  /// Text with `_` for what a C identifier cannot have.
  static func identifier(_ text: String) -> String {
    var result = ""
    for byte in text.utf8.prefix(48) {
      let allowed =
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
      result.append(allowed ? Character(UnicodeScalar(byte)) : "_")
    }
    if result.first.map({ $0.isNumber || $0 == "_" }) ?? true { result = "n" + result }
    return result.isCIdentifier ? result : result + "_"
  }
}
