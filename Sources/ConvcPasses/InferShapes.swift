import ConvcIR

/// Finds the type of every tensor, and puts the nodes into topological order.
///
/// Before: layers and edges by name. After: every edge has a shape, every parameter a place in the parameter block
/// (trainable ones first, then frozen ones, then running statistics). Layers that no output needs are an error: they
/// would be silently left out. Needs nothing; everything later needs shapes.
public struct InferShapes: Pass {
  public static let name = "infer-shapes"

  public let batch: Int
  public let memoryLimit: Int

  public init(batch: Int, memoryLimit: Int) {
    self.batch = batch
    self.memoryLimit = memoryLimit
  }

  public func run(_ model: Model) throws(CompileError) -> Graph {
    guard (1...1 << 20).contains(batch) else {
      throw CompileError(
        layer: model.name, "batch \(batch) is out of range; 1...\(1 << 20) is expected")
    }
    guard !model.isUnbatched || batch == 1 else {
      throw CompileError(
        layer: model.name, "has a fixed shape, so a call is one run: its batch is 1, not \(batch)")
    }
    var inference = Inference(model: model, batch: batch, memoryLimit: memoryLimit)
    inference.checkNames()
    inference.addInputs()
    inference.addNodes(in: inference.order())
    inference.addOutputsAndLosses()
    guard inference.findings.isEmpty else { throw CompileError(inference.findings) }
    return inference.graph()
  }
}

/// A parameter before it has a place.
private struct Declared {
  let name: String
  let spec: ParameterSpec
  let kind: ParameterKind
  /// The layer that declares it.
  let node: String
  let regularizer: Regularizer?
}

/// The state of one run.
private struct Inference {
  let model: Model
  let batch: Int
  let memoryLimit: Int
  var findings: [Diagnostic] = []
  var tensors: [Tensor] = []
  var byName: [String: Tensor.ID] = [:]
  var inputs: [Tensor.ID] = []
  var nodes: [Node] = []
  var declared: [Declared] = []
  var outputs: [(name: String, tensor: Tensor.ID)] = []
  var losses: [LossNode] = []
  var targets: [TargetTensor] = []
  var bytes = 0

  mutating func report(_ layer: String, _ location: SourceLocation?, _ message: String) {
    findings.append(Diagnostic(layer: layer, location: location, message: message))
  }

  mutating func checkNames() {
    var seen: Set<String> = []
    let named =
      model.inputs.map { ($0.name, $0.location) } + model.nodes.map { ($0.name, $0.location) }
    for (name, location) in named {
      if !name.isCIdentifier {
        report(
          name, location,
          "is not a C identifier; use letters, digits and underscores, no digit first and no C keyword"
        )
      }
      if !seen.insert(name).inserted {
        report(name, location, "is the name of two layers; rename one")
      }
    }
    if model.outputs.isEmpty { report(model.name, nil, "has no output; name at least one") }
    if let problem = model.regularizer?.problem { report(model.name, nil, problem) }
  }

  /// Bytes of a dense tensor; the largest number where there is none for it.
  private func bytes(of shape: [Int], element: Int) -> Int {
    shape.reduce(element) { size, extent in
      let product = size.multipliedReportingOverflow(by: extent)
      return product.overflow ? Int.max : product.partialValue
    }
  }

  mutating func addTensor(
    _ name: String, _ type: TensorType, producer: Node.ID?, location: SourceLocation?
  ) -> Tensor.ID? {
    let size = bytes(of: type.shape, element: type.element.size)
    let sum = bytes.addingReportingOverflow(size)
    guard size < Int.max, !sum.overflow, sum.partialValue <= memoryLimit else {
      report(
        name, location,
        "its output \(type) takes the network's tensors beyond the memory limit of \(memoryLimit >> 20) MiB; "
          + "use a smaller batch or image, or raise the limit")
      return nil
    }
    bytes = sum.partialValue
    let id = Tensor.ID(tensors.count)
    tensors.append(Tensor(id: id, name: name, type: type, producer: producer))
    byName[name] = id
    return id
  }

  mutating func addInputs() {
    for input in model.inputs {
      let ranks = model.isUnbatched ? 1...8 : 1...4
      guard ranks.contains(input.shape.count), input.shape.allSatisfy({ $0 > 0 }) else {
        report(
          input.name, input.location,
          "has shape \(input.shape); "
            + (model.isUnbatched ? "one to eight extents" : "extents [C, H, W], [C, L] or [F]")
            + ", all above 0, are expected")
        continue
      }
      let type = TensorType(
        shape: (model.isUnbatched ? [] : [batch]) + input.shape, element: input.element)
      if let id = addTensor(input.name, type, producer: nil, location: input.location) {
        inputs.append(id)
      }
    }
  }

  /// Nodes so that each comes after what it reads, else as written.
  mutating func order() -> [Model.Node] {
    let known = Set(model.inputs.map(\.name)).union(model.nodes.map(\.name))
    for node in model.nodes {
      for input in node.inputs where !known.contains(input) {
        report(node.name, node.location, "reads \(input), which is neither a layer nor an input")
      }
    }
    guard findings.isEmpty else { return [] }
    var placed = Set(model.inputs.map(\.name))
    var result: [Model.Node] = []
    var waiting = model.nodes
    while !waiting.isEmpty {
      var rest: [Model.Node] = []
      for node in waiting {
        if node.inputs.allSatisfy(placed.contains) {
          placed.insert(node.name)
          result.append(node)
        } else {
          rest.append(node)
        }
      }
      if rest.count == waiting.count {
        let path = cycle(among: rest)
        report(
          path[0], rest.first?.location, "is part of a cycle: \(path.joined(separator: " -> "))")
        return []
      }
      waiting = rest
    }
    return result
  }

  /// A cycle's names, the first again at the end.
  private func cycle(among nodes: [Model.Node]) -> [String] {
    let reads = Dictionary(nodes.map { ($0.name, $0.inputs) }, uniquingKeysWith: { a, _ in a })
    var path: [String] = []
    var name = nodes[0].name
    while !path.contains(name) {
      path.append(name)
      guard let next = reads[name]?.first(where: { reads[$0] != nil }) else { return path }
      name = next
    }
    let start = path.firstIndex(of: name) ?? 0
    return (path[start...] + [name]).reversed()
  }

  mutating func addNodes(in order: [Model.Node]) {
    for node in order {
      let ids = node.inputs.compactMap { byName[$0] }
      // What an earlier finding left without a shape is not reported again.
      guard ids.count == node.inputs.count else { continue }
      let types = ids.map { tensors[$0.index].type }
      if node.layer.traits.contains(.wholeShape), !model.isUnbatched {
        report(
          node.name, node.location,
          "works on axis 0, which is the batch here; make the network an unbatched one")
        continue
      }
      if !node.layer.traits.contains(.anyElement),
        let other = types.first(where: { $0.element != .float32 })
      {
        report(
          node.name, node.location,
          "reads values of type \(other.element.rawValue), expected float32; a cast comes before it"
        )
        continue
      }
      let type: TensorType
      do {
        type = try node.layer.output(for: types)
      } catch {
        let readers = node.inputs.joined(separator: ", ")
        report(
          node.name, node.location, "\(error)" + (readers.isEmpty ? "" : " (reads \(readers))"))
        continue
      }
      let id = Node.ID(nodes.count)
      guard
        let output = addTensor(node.name, type, producer: id, location: node.location),
        let parameters = declare(node, types)
      else { continue }
      nodes.append(
        Node(
          id: id, name: node.name, layer: node.layer, inputs: ids, output: output,
          parameters: parameters, isFrozen: node.isFrozen, location: node.location))
    }
  }

  private mutating func declare(_ node: Model.Node, _ types: [TensorType]) -> [Int]? {
    var indices: [Int] = []
    let regularizer = node.regularizer ?? model.regularizer
    if let problem = node.regularizer?.problem { report(node.name, node.location, problem) }
    for spec in node.layer.parameters(for: types) {
      if let problem = spec.initializer.problem {
        report(node.name, node.location, "its \(spec.name): \(problem)")
      }
      let count = bytes(of: spec.shape, element: ElementType.float32.size)
      guard count < memoryLimit, bytes + count <= memoryLimit else {
        report(
          node.name, node.location,
          "its \(spec.name) \(spec.shape.map(String.init).joined(separator: "x")) takes the network beyond the memory "
            + "limit of \(memoryLimit >> 20) MiB; make the layer smaller, or raise the limit")
        return nil
      }
      bytes += count
      let kind: ParameterKind =
        spec.isStatistic
        ? .statistic : node.isFrozen || spec.isConstant ? .frozen : .trainable
      indices.append(declared.count)
      declared.append(
        Declared(
          name: node.name + "." + spec.name, spec: spec, kind: kind, node: node.name,
          regularizer: regularizer.flatMap { $0.covers(spec) && kind == .trainable ? $0 : nil }))
    }
    return indices
  }

  mutating func addOutputsAndLosses() {
    guard findings.isEmpty else { return }
    var seen: Set<String> = []
    for output in model.outputs {
      guard let tensor = byName[output.node] else {
        report(output.name, nil, "is an output of \(output.node), which is not a layer")
        continue
      }
      if !seen.insert(output.name).inserted {
        report(output.name, nil, "is the name of two outputs; rename one")
      }
      outputs.append((output.name, tensor))
    }
    for term in model.losses { add(term) }
    reportUnused()
  }

  private mutating func add(_ term: Model.LossTerm) {
    guard let output = outputs.firstIndex(where: { $0.name == term.output }) else {
      report(term.name, term.location, "judges \(term.output), which is not an output")
      return
    }
    guard term.weight.isFinite, term.weight >= 0 else {
      report(
        term.name, term.location,
        "has weight \(term.weight); a finite one of at least 0 is expected")
      return
    }
    let prediction = outputs[output].tensor
    let type = tensors[prediction.index].type
    if let layer = producer(of: prediction),
      let mismatch = term.loss.expectedOutput.mismatch(with: layer.layer.outputKind, of: layer.name)
    {
      report(term.name, term.location, mismatch)
      return
    }
    do {
      let indices = try term.loss.targets(for: type).map { place($0, of: term) }
      losses.append(
        LossNode(
          name: term.name, loss: term.loss, prediction: prediction, output: output,
          target: indices[0], others: Array(indices.dropFirst()), weight: term.weight))
    } catch {
      report(term.name, term.location, "\(error)")
    }
  }

  /// The layer that computes a tensor's values, through those that change the shape alone; nil: the caller passes them.
  private func producer(of tensor: Tensor.ID) -> Node? {
    guard let id = tensors[tensor.index].producer else { return nil }
    let node = nodes[id.index]
    guard case .view = node.layer.role(in: .training, frozen: node.isFrozen) else { return node }
    return producer(of: node.inputs[0])
  }

  /// The index of a loss's target, which losses may share.
  private mutating func place(_ target: LossTarget, of term: Model.LossTerm) -> Int {
    let name = term.target + (target.suffix.map { "_\($0)" } ?? "")
    if let index = targets.firstIndex(where: { $0.name == name }) {
      if targets[index].type != target.type || targets[index].labels != target.labels {
        report(
          term.name, term.location,
          "needs another type of target \(name) than an earlier loss; rename it")
      }
      return index
    }
    targets.append(
      TargetTensor(name: name, type: target.type, labels: target.labels, values: target.values))
    return targets.count - 1
  }

  private mutating func reportUnused() {
    let needed = nodes.sources(of: outputs.map(\.tensor))
    for node in nodes where !needed.contains(node.output) {
      report(
        node.name, node.location,
        "is computed, but no output needs it; make it an output or leave it out")
    }
    let optional = Set(model.inputs.filter(\.isOptional).map(\.name))
    for input in inputs
    where !needed.contains(input) && !optional.contains(tensors[input.index].name) {
      report(tensors[input.index].name, nil, "is an input that no output needs; leave it out")
    }
  }

  /// Names of the layers from which a loss is reached.
  private var judged: Set<String> {
    let judged = nodes.sources(of: losses.map(\.prediction))
    return Set(nodes.filter { judged.contains($0.output) }.map(\.name))
  }

  func graph() -> Graph {
    let judged = judged
    let order = declared.indices.sorted {
      (declared[$0].kind, $0) < (declared[$1].kind, $1)
    }
    var table: [Parameter] = []
    var place = [Int](repeating: 0, count: declared.count)
    var offset = 0
    for index in order {
      let entry = declared[index]
      place[index] = table.count
      table.append(
        Parameter(
          name: entry.name, spec: entry.spec, kind: entry.kind, offset: offset,
          regularizer: judged.contains(entry.node) ? entry.regularizer : nil))
      offset += entry.spec.count
    }
    let placed = nodes.map { node in
      Node(
        id: node.id, name: node.name, layer: node.layer, inputs: node.inputs, output: node.output,
        parameters: node.parameters.map { place[$0] }, isFrozen: node.isFrozen,
        location: node.location)
    }
    return Graph(
      name: model.name, batch: batch, tensors: tensors, inputs: inputs, nodes: placed,
      outputs: outputs, losses: losses, targets: targets, parameters: table,
      preprocessing: model.preprocessing, classNames: model.classNames,
      isUnbatched: model.isUnbatched, values: model.values,
      inputLabels: model.inputs.map(\.label), outputLabels: model.outputs.map(\.label),
      inputShapes: model.inputs.map(\.callerShape), outputShapes: model.outputs.map(\.callerShape))
  }
}
