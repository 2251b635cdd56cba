import ConvcIR
import ConvcLayers
import ConvcPasses

/// Which layers of a network keep their parameters while it is trained.
public enum Freezing: Sendable, Hashable {
  /// None: all are trained.
  case none
  /// All but the last that has weights: scores are learned from features that stay.
  case allButHead
  /// A layer, and all that it is computed from.
  case until(String)
  /// Layers of these names; `*` stands for any letters: `block1*`.
  case layers([String])
}

/// A network that somebody trained, to be trained further.
///
/// A network that an ONNX file brings has neither a loss nor a layer for other classes. These take one step each:
///
///     let network = try ConvertOperators().run(ONNXFile.read("resnet20.onnx")).model
///     let trained = try await network.replacingHead(outputs: 5).judgingClasses()
///       .freezing(.until("conv7")).train(on: dataset)
extension Model {
  /// The network with another last layer, of other classes, whose parameters are drawn from the seed.
  ///
  /// The last layer is the dense or convolutional one from which the output is computed by layers without weights of
  /// their own: softmax, flatten, pooling. A bias that an ONNX file adds behind it becomes the new layer's own.
  ///
  /// - Throws: an output that is not computed from one such layer, or from which the shape of another one does not lead
  ///   to scores.
  public func replacingHead(outputs count: Int) throws(CompileError) -> Model {
    guard count > 0 else {
      throw CompileError(
        layer: name, "cannot have a last layer of \(count) outputs; 1 is the least")
    }
    let path = try headPath()
    var result = self
    guard let head = path.head.layer as? any HeadLayer else { return self }
    result.replace(path.head, by: head.withOutputs(count))
    for parameter in values.keys where parameter.hasPrefix(path.head.name + ".") {
      result.values[parameter] = nil
    }
    let types = try InferShapes(batch: 1, memoryLimit: .max).run(self).types
    for node in path.tail {
      let constants = node.layer.parameters(for: node.inputs.compactMap { types[$0] })
      let isBias = constants.contains { $0.count > 1 && $0.count == head.outputCount }
      if isBias {
        result.bypass(node)
        for constant in constants { result.values["\(node.name).\(constant.name)"] = nil }
      } else if node.isView, types[node.name]?.shape.count == 2 {
        result.replace(node, by: Flatten())
      }
    }
    do {
      _ = try InferShapes(batch: 1, memoryLimit: .max).run(result)
    } catch {
      throw CompileError(
        layer: path.head.name, "cannot have \(count) outputs, because of what follows: \(error)")
    }
    return result
  }

  /// The network with layers whose parameters training leaves alone.
  ///
  /// - Throws: a name that no layer has.
  public func freezing(_ choice: Freezing) throws(CompileError) -> Model {
    let frozen: Set<String>
    switch choice {
    case .none: return self
    case .allButHead:
      let head = try headPath().head.name
      frozen = Set(nodes.map(\.name)).subtracting([head])
    case .until(let last):
      guard nodes.contains(where: { $0.name == last }) else { throw unknownLayer(last) }
      frozen = sources(of: last)
    case .layers(let patterns):
      var names: Set<String> = []
      for pattern in patterns {
        let found = nodes.map(\.name).filter { Self.matches($0[...], pattern[...]) }
        guard !found.isEmpty else { throw unknownLayer(pattern) }
        names.formUnion(found)
      }
      frozen = names
    }
    var result = self
    for node in nodes where frozen.contains(node.name) {
      result.replace(node, by: node.layer, isFrozen: true)
    }
    return result
  }

  /// The network with a cross-entropy over the classes that its one output scores; a network that has losses as it is.
  ///
  /// A softmax at its end is taken off, for the loss has it in itself and is exact where probabilities are 0. Scores
  /// `[N, K, 1, 1]` are flattened.
  ///
  /// - Throws: several outputs, or one that holds no scores of at least two classes.
  public func judgingClasses() throws(CompileError) -> Model {
    guard losses.isEmpty else { return self }
    return try puttingLoss(SoftmaxCrossEntropy(), onClasses: true)
  }

  /// The network with another loss in place of its only one, for the same output, with a target of the same name; a network
  /// without losses with one for its only output.
  ///
  /// There a softmax at the end is taken off where the loss wants scores, and scores `[N, K, 1, 1]` are flattened. Whether
  /// the output suits the loss is else looked at when the network is compiled.
  ///
  /// - Throws: several losses, or no loss and several outputs.
  public func judging(by loss: any Loss) throws(CompileError) -> Model {
    guard !losses.isEmpty else { return try puttingLoss(loss, onClasses: false) }
    guard losses.count == 1 else {
      let names = losses.map(\.name).joined(separator: ", ")
      throw CompileError(
        layer: name,
        "has the losses \(names), of which one alone cannot be replaced; change them in its model file"
      )
    }
    let term = losses[0]
    var result = self
    result.losses = [
      LossTerm(
        name: term.name, loss: loss, output: term.output, target: term.target, weight: term.weight,
        location: term.location)
    ]
    return result
  }

  /// A network without losses with one for its only output, which with `onClasses` has to score at least two classes.
  private func puttingLoss(_ loss: any Loss, onClasses: Bool) throws(CompileError) -> Model {
    guard !isUnbatched else {
      throw CompileError(
        layer: name,
        "computes with axis 0, which is the batch in training; export it so that its operators leave that axis alone"
      )
    }
    guard outputs.count == 1 else {
      let names = outputs.map { $0.label ?? $0.name }.joined(separator: ", ")
      throw CompileError(
        layer: name,
        "has the outputs \(names), expected one to judge; add the losses in a model file"
      )
    }
    var result = self
    if let softmax = lastSoftmax, !loss.expectedOutput.kinds.contains(softmax.layer.outputKind) {
      result.bypass(softmax)
    }
    let types = try InferShapes(batch: 1, memoryLimit: .max).run(result).types
    let output = result.outputs[0]
    let shape = types[output.node]?.shape ?? []
    guard !onClasses || shape.count >= 2 && shape[1] > 1 else {
      throw CompileError(
        layer: output.node,
        "gives \(shape.dropFirst().map(String.init).joined(separator: "x")) an image, expected the scores of at least two classes; "
          + "replace the last layer (--head)")
    }
    if shape.count > 2, shape.dropFirst(2).allSatisfy({ $0 == 1 }) {
      let flat = result.unusedName("flatten")
      result.nodes.append(
        Node(
          name: flat, layer: Flatten(), inputs: [output.node], isFrozen: false, location: nil))
      result.outputs = [Output(name: output.name, label: output.label, node: flat)]
    }
    result.losses = [
      LossTerm(
        name: "loss_\(output.name)", loss: loss, output: output.name,
        target: result.inputs.contains { $0.name == "target" } ? "class_target" : "target",
        weight: 1, location: nil)
    ]
    return result
  }
}

extension Model {
  /// The last layer with weights, and the layers behind it, the output's first.
  private func headPath() throws(CompileError) -> (head: Node, tail: [Node]) {
    guard outputs.count == 1 else {
      throw CompileError(
        layer: name, "has \(outputs.count) outputs, so none of its layers is the last one")
    }
    let types = try InferShapes(batch: 1, memoryLimit: .max).run(self).types
    var tail: [Node] = []
    var next = outputs[0].node
    while let node = nodes.first(where: { $0.name == next }) {
      if node.layer is any HeadLayer { return (node, tail) }
      let parameters = node.layer.parameters(for: node.inputs.compactMap { types[$0] })
      guard node.inputs.count == 1, parameters.allSatisfy(\.isConstant) else { break }
      tail.append(node)
      next = node.inputs[0]
    }
    throw CompileError(
      layer: next,
      "stands where the last layer is looked for; a dense or convolutional one is expected, and behind it layers without weights"
    )
  }

  /// The softmax from which the output is read, through layers that change the shape alone.
  private var lastSoftmax: Node? {
    var next = outputs[0].node
    while let node = nodes.first(where: { $0.name == next }) {
      switch node.layer.outputKind {
      case .probabilities, .logProbabilities: return node
      default: break
      }
      guard node.isView, let input = node.inputs.first else { return nil }
      next = input
    }
    return nil
  }

  /// A layer and all layers that it is computed from, by name.
  private func sources(of name: String) -> Set<String> {
    var result: Set<String> = []
    var waiting = [name]
    while let next = waiting.popLast() {
      guard let node = nodes.first(where: { $0.name == next }), result.insert(next).inserted
      else { continue }
      waiting += node.inputs
    }
    return result
  }

  private func unknownLayer(_ pattern: String) -> CompileError {
    let names = nodes.map(\.name)
    return CompileError(
      layer: name,
      "has no layer '\(pattern)' to freeze; \(Spelling.hint(for: pattern, among: names))'convc inspect' lists its layers"
    )
  }

  /// Whether a name has the form of a pattern in which `*` stands for any letters, also none.
  private static func matches(_ name: Substring, _ pattern: Substring) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    guard first == "*" else {
      return name.first == first && matches(name.dropFirst(), pattern.dropFirst())
    }
    return matches(name, pattern.dropFirst()) || !name.isEmpty && matches(name.dropFirst(), pattern)
  }

  private func unusedName(_ stem: String) -> String {
    let taken = Set(nodes.map(\.name) + inputs.map(\.name))
    return (1...).lazy.map { "\(stem)\($0)" }.first { !taken.contains($0) } ?? stem
  }

  /// Puts another layer in a layer's place.
  private mutating func replace(_ node: Node, by layer: any Layer, isFrozen: Bool? = nil) {
    nodes = nodes.map { other in
      guard other.name == node.name else { return other }
      return Node(
        name: other.name, layer: layer, inputs: other.inputs,
        isFrozen: isFrozen ?? other.isFrozen, regularizer: other.regularizer,
        location: other.location)
    }
  }

  /// Leaves a layer of one input out: what reads it reads that input.
  private mutating func bypass(_ node: Node) {
    let source = node.inputs[0]
    nodes = nodes.filter { $0.name != node.name }.map { other in
      Node(
        name: other.name, layer: other.layer,
        inputs: other.inputs.map { $0 == node.name ? source : $0 }, isFrozen: other.isFrozen,
        regularizer: other.regularizer, location: other.location)
    }
    outputs = outputs.map { output in
      guard output.node == node.name else { return output }
      var result = Output(name: output.name, label: output.label, node: source)
      result.callerShape = output.callerShape
      return result
    }
  }
}

extension Model.Node {
  /// Whether the layer changes the shape alone.
  fileprivate var isView: Bool {
    if case .view = layer.role(in: .training, frozen: isFrozen) { true } else { false }
  }
}

extension Graph {
  /// The types of all tensors, by name.
  fileprivate var types: [String: TensorType] {
    Dictionary(tensors.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
  }
}
