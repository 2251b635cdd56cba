import ConvcIR

/// A plain evaluation of a graph in double precision, against which generated code is checked.
///
/// It shares shapes and parameter offsets with the compiler, and nothing else: no fusion, no layouts, no kernels. A batch
/// of any size is accepted, whatever the graph was built for.
public struct ReferenceNetwork: Sendable {
  public let graph: Graph
  private let layers: [any ReferenceLayer]
  private let losses: [any ReferenceLoss]

  /// - Throws: a layer or loss that has no reference.
  public init(_ graph: Graph) throws(ReferenceError) {
    self.graph = graph
    var layers: [any ReferenceLayer] = []
    for node in graph.nodes {
      guard let layer = node.layer as? any ReferenceLayer else {
        throw .layer(name: node.name, kind: type(of: node.layer).kind)
      }
      layers.append(layer)
    }
    var losses: [any ReferenceLoss] = []
    for node in graph.losses {
      guard let loss = node.loss as? any ReferenceLoss else {
        throw .loss(name: node.name, kind: type(of: node.loss).kind)
      }
      losses.append(loss)
    }
    self.layers = layers
    self.losses = losses
  }

  /// The outputs of inference: dropout is off, batch norm reads its running statistics.
  ///
  /// - Parameter parameters: the parameter block, laid out as `graph.parameters` says.
  public func infer(parameters: [Double], _ sample: ReferenceSample) -> [[Double]] {
    let pass = forward(tensors(parameters), sample, PassOptions(mode: .inference))
    return graph.outputs.map { pass[$0.tensor].values }
  }

  /// One training pass: outputs, losses, gradients and new running statistics. The parameters are not updated.
  public func train(
    parameters: [Double], _ sample: ReferenceSample, seed: UInt64 = 0, step: UInt64 = 0
  ) -> ReferenceResult {
    let options = PassOptions(seed: seed, step: step)
    let parameters = tensors(parameters)
    let pass = forward(parameters, sample, options)
    let judged = judge(pass, sample)
    let gradients = backward(pass, judged, parameters, options)
    let statistics = graph.parameters.indices.filter { graph.parameters[$0].kind != .trainable }
      .flatMap { (pass.statistics[$0] ?? parameters[$0]).values }
    let penalty = graph.isRegularized ? [penalty(parameters)] : []
    return ReferenceResult(
      outputs: graph.outputs.map { pass[$0.tensor].values },
      losses: judged.map(\.value) + penalty, total: total(judged) + (penalty.first ?? 0),
      gradients: gradients.block, untrained: statistics, margin: pass.margin)
  }

  /// The weighted sum of the losses, without the penalty on weights.
  func total(of pass: ForwardPass, _ sample: ReferenceSample) -> Double {
    total(judge(pass, sample))
  }

  /// The penalty on weights.
  func penalty(_ parameters: [DoubleTensor]) -> Double {
    zip(graph.parameters, parameters).reduce(0) { sum, pair in
      guard let regularizer = pair.0.regularizer else { return sum }
      let tensor = pair.1
      return (0..<tensor.count).reduce(sum) { $0 + regularizer.value(tensor.address[$1]) }
    }
  }

  private func total(_ judged: [LossResult]) -> Double {
    zip(graph.losses, judged).reduce(0) { $0 + Double($1.0.weight) * $1.1.value }
  }

  private func judge(_ pass: ForwardPass, _ sample: ReferenceSample) -> [LossResult] {
    zip(graph.losses, losses).map { node, loss in
      loss.evaluate(
        pass[node.prediction], ([node.target] + node.others).map { sample.targets[$0] })
    }
  }

  /// The parameters of a block, one tensor each.
  func tensors(_ block: [Double]) -> [DoubleTensor] {
    precondition(block.count == graph.parameterCount, "internal error: parameters of another graph")
    return graph.parameters.map { parameter in
      DoubleTensor(
        shape: parameter.spec.shape,
        block[parameter.offset..<parameter.offset + parameter.spec.count])
    }
  }

  /// Evaluates all nodes; or those in `changed` alone, the others as `earlier` has them.
  ///
  /// - Parameter noise: moves every value that a node hands on.
  func forward(
    _ parameters: [DoubleTensor], _ sample: ReferenceSample, _ options: PassOptions,
    changed: Set<Node.ID>? = nil, earlier: ForwardPass? = nil, noise: RoundingNoise? = nil
  ) -> ForwardPass {
    var pass = earlier ?? ForwardPass(tensors: graph.tensors.count, nodes: graph.nodes.count)
    if earlier == nil {
      for (id, values) in zip(graph.inputs, sample.inputs) {
        pass[id] = DoubleTensor(shape: shape(of: id, batch: sample.batch), values)
      }
    }
    for (node, layer) in zip(graph.nodes, layers) where changed?.contains(node.id) ?? true {
      let result = layer.forward(call(node, pass, parameters, options))
      pass.note(result, of: node, in: graph)
      if let noise { pass[node.output] = noise.moved(result.output) }
    }
    return pass
  }

  /// Evaluates one node alone, on what a pass has for its inputs.
  func evaluate(
    _ node: Node, _ pass: ForwardPass, _ parameters: [DoubleTensor], _ options: PassOptions
  ) -> LayerResult {
    layers[node.id.index].forward(call(node, pass, parameters, options))
  }

  /// The layer of a node, with its reference.
  func layer(of node: Node) -> any ReferenceLayer { layers[node.id.index] }

  /// Gradients of the total loss, from the last node to the first.
  ///
  /// - Parameter noise: moves every gradient that a node hands back.
  func backward(
    _ pass: ForwardPass, _ parameters: [DoubleTensor], _ sample: ReferenceSample,
    _ options: PassOptions, noise: RoundingNoise? = nil
  ) -> ReversePass {
    backward(pass, judge(pass, sample), parameters, options, noise: noise)
  }

  private func backward(
    _ pass: ForwardPass, _ judged: [LossResult], _ parameters: [DoubleTensor],
    _ options: PassOptions, noise: RoundingNoise? = nil
  ) -> ReversePass {
    var gradients = [DoubleTensor?](repeating: nil, count: graph.tensors.count)
    var block = [Double](repeating: 0, count: graph.trainableCount)
    func add(_ gradient: DoubleTensor, scale: Double = 1, to id: Tensor.ID) {
      let sum = gradients[id.index] ?? DoubleTensor(shape: gradient.shape)
      let count = gradient.count
      addScaled(
        scale, Patch(gradient.address, rows: 1, columns: count),
        to: Patch(sum.address, rows: 1, columns: count))
      gradients[id.index] = sum
    }
    for (node, loss) in zip(graph.losses, judged) {
      add(loss.gradient, scale: Double(node.weight), to: node.prediction)
    }
    for (node, layer) in zip(graph.nodes, layers).reversed() {
      guard let gradient = gradients[node.output.index] else { continue }
      let result = layer.backward(
        call(node, pass, parameters, options), outputGradient: gradient)
      for (id, gradient) in zip(node.inputs, result.inputs) {
        add(noise?.moved(gradient) ?? gradient, to: id)
      }
      for (index, gradient) in zip(node.parameters, result.parameters)
      where graph.parameters[index].kind == .trainable {
        let parameter = graph.parameters[index]
        var values = gradient.values
        if let regularizer = parameter.regularizer {
          let weights = parameters[index].address
          for place in values.indices { values[place] += regularizer.slope(weights[place]) }
        }
        block.replaceSubrange(parameter.offset..<parameter.offset + values.count, with: values)
      }
    }
    return ReversePass(block: block, tensors: gradients)
  }

  private func call(
    _ node: Node, _ pass: ForwardPass, _ parameters: [DoubleTensor], _ options: PassOptions
  ) -> LayerCall {
    let inputs = node.inputs.map { pass[$0] }
    return LayerCall(
      node: node, inputs: inputs, parameters: node.parameters.map { parameters[$0] },
      outputShape: shape(of: node.output, batch: inputs[0].shape[0]), options: options)
  }

  private func shape(of id: Tensor.ID, batch: Int) -> [Int] {
    let whole = graph[id].type.shape
    return graph.isUnbatched ? whole : [batch] + whole.dropFirst()
  }
}

/// What one training pass gives.
public struct ReferenceResult: Sendable {
  /// Of each output of the graph, `[N, ...]` in row-major order.
  public let outputs: [[Double]]
  /// Of each loss: its mean over the batch, before weighting; then the penalty on weights where there is one.
  public let losses: [Double]
  /// The weighted sum of the losses, and the penalty: what training minimises.
  public let total: Double
  /// By the trainable parameters, laid out as the parameter block's first part.
  public let gradients: [Double]
  /// The rest of the parameter block after the pass: frozen parameters, and running statistics brought up to date.
  public let untrained: [Double]
  /// Distance to the nearest kink of a ReLU or a maximum, as a share of the largest value there.
  public let margin: Double
}

/// The gradients of one reverse pass.
struct ReversePass {
  /// By the trainable parameters, laid out as the parameter block's first part.
  let block: [Double]
  /// By each tensor; nil: the loss does not depend on it.
  let tensors: [DoubleTensor?]
}

/// The values of one forward pass.
struct ForwardPass {
  private var tensors: [DoubleTensor?]
  /// New running statistics, by index into the graph's parameter table.
  private(set) var statistics: [Int: DoubleTensor] = [:]
  /// Of each node: the sides that it took.
  private(set) var decisions: [UInt64]
  private var margins: [Double]

  init(tensors: Int, nodes: Int) {
    self.tensors = Array(repeating: nil, count: tensors)
    decisions = Array(repeating: 0, count: nodes)
    margins = Array(repeating: .infinity, count: nodes)
  }

  var margin: Double { margins.min() ?? .infinity }

  subscript(id: Tensor.ID) -> DoubleTensor {
    get {
      guard let tensor = tensors[id.index] else {
        preconditionFailure("internal error: tensor \(id.index) is read before it is written")
      }
      return tensor
    }
    set { tensors[id.index] = newValue }
  }

  mutating func note(_ result: LayerResult, of node: Node, in graph: Graph) {
    self[node.output] = result.output
    decisions[node.id.index] = result.decisions
    margins[node.id.index] = result.margin
    let running = node.parameters.filter { graph.parameters[$0].kind == .statistic }
    for (index, values) in zip(running, result.statistics) { statistics[index] = values }
  }
}
