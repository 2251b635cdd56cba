import ConvcIR

/// Walks the groups and turns each, with the candidate that was chosen for it, into calls on buffers.
///
/// ``BufferTable`` knows the memory, ``Instances`` where tensors lie, ``GradientTable`` where their gradients do; here is
/// the order: forward groups, outputs, losses, backward groups, the penalty on weights.
struct KernelLowering {
  private let training: TrainingGraph
  private let contexts: [GroupContext]
  private let chosen: [Candidate]
  private let target: Target
  private let library: any KernelLibrary
  /// Bytes from which on memory is saved at the cost of a pass over it.
  private let smallestSaving: Int
  private let calls: CallList
  private let table: BufferTable
  private let instances: Instances
  private let gradients: GradientTable
  /// Outputs that backward writes again where it needs them: they are not kept.
  private var unkept: Set<Tensor.ID> = []

  init(
    training: TrainingGraph, contexts: [GroupContext], chosen: [Candidate], target: Target,
    library: any KernelLibrary, smallestSaving: Int
  ) {
    self.training = training
    self.contexts = contexts
    self.chosen = chosen
    self.target = target
    self.library = library
    self.smallestSaving = smallestSaving
    calls = CallList(isUnbatched: training.graph.isUnbatched)
    table = BufferTable(
      graph: training.graph, mode: training.mode, library: library,
      smallestSaving: smallestSaving, calls: calls)
    instances = Instances(
      fused: training.fused, lanes: target.lanes, library: library, table: table, calls: calls)
    gradients = GradientTable(
      training: training, chosen: chosen, lanes: target.lanes, library: library,
      instances: instances, table: table, calls: calls)
  }

  private var fused: FusedGraph { training.fused }
  private var graph: Graph { training.graph }

  /// The kernels of the whole program.
  mutating func run() -> (buffers: [Buffer], calls: [KernelCall], packed: [PackedEntry]) {
    collectNeeds()
    for group in fused.groups { lowerForward(group) }
    for (index, output) in graph.outputs.enumerated() where graph.outputTypes[index].count > 0 {
      instances.copy(output.tensor, toOutput: index, name: output.name)
    }
    table.packCopies()
    if training.mode == .training {
      for (index, loss) in graph.losses.enumerated() { lower(loss, index) }
      forgetOutputs()
      for step in training.backward { lowerBackward(step) }
      if graph.isRegularized { lowerPenalty() }
    }
    return (table.buffers, calls.calls, table.packedEntries)
  }

  /// Collects which layouts and halos the readers of each tensor want.
  private func collectNeeds() {
    for group in fused.groups {
      let candidate = chosen[group.id]
      for (index, input) in group.inputs.enumerated() {
        instances.need(input, candidate.inputs[index], candidate.halos[index])
      }
      for operand in operands(of: group) { instances.need(operand, candidate.output, .none) }
    }
  }

  private func operands(of group: Group) -> [Tensor.ID] { group.members.flatMap(\.operands) }

  // MARK: Forward

  private func lowerForward(_ group: Group) {
    if readerOfRows(of: group) != nil { return }
    if let producer = producerOfRows(for: group) { return lowerForward(group, over: producer) }
    let candidate = chosen[group.id]
    let inputs = zip(group.inputs, candidate.inputs).map { instances.source($0, $1) }
    let operands = operands(of: group).map { instances.source($0, candidate.output) }
    let output = instances.makePrimary(group.output, candidate.output)
    calls.append(
      candidate.forward(forwardContext(group, inputs, operands, output)), on: output.type)
  }

  /// A group whose kernels compute what another one would have written, from what that one reads.
  private func lowerForward(_ group: Group, over producer: Group) {
    let inputs = zip(producer.inputs, chosen[producer.id].inputs).map { instances.source($0, $1) }
    let operands = operands(of: group).map { instances.source($0, chosen[group.id].output) }
    let output = instances.makePrimary(group.output, chosen[group.id].output)
    // Of the rows that are never stored only the shape is read.
    let rows = Placement(
      buffer: output.buffer, type: graph[producer.output].type, layout: chosen[producer.id].output,
      lanes: target.lanes)
    let calls = chosen[group.id].forwardOver?(
      forwardContext(group, [rows], operands, output), forwardContext(producer, inputs, [], rows))
    self.calls.append(calls ?? [], on: output.type)
  }

  /// The group that alone reads another's output and can compute it for itself; nil: the output is stored.
  private func readerOfRows(of group: Group) -> Group? {
    let context = contexts[group.id]
    guard training.mode == .inference, !context.savesForBackward, chosen[group.id].givesRows,
      !graph.outputs.contains(where: { fused.storage(of: $0.tensor) == group.output }),
      !fused.views.values.contains(group.output)
    else { return nil }
    let readers = fused.readers(of: group.output)
    guard readers.count == 1, readers[0].reads == [group.output],
      chosen[readers[0].id].forwardOver != nil
    else { return nil }
    return readers[0]
  }

  private func producerOfRows(for group: Group) -> Group? {
    guard group.inputs.count == 1, let producer = fused.producer(of: group.inputs[0]) else {
      return nil
    }
    return readerOfRows(of: producer)?.id == group.id ? producer : nil
  }

  private func forwardContext(
    _ group: Group, _ inputs: [Placement], _ operands: [Placement], _ output: Placement
  ) -> ForwardContext {
    let candidate = chosen[group.id]
    return ForwardContext(
      context: contexts[group.id], inputs: inputs, operands: operands, output: output,
      buffers: GroupBuffers(table, name: group.name, output: group.output),
      givesSums: candidate.givesSums && hasReaderOfSums(group.output),
      inputSums: candidate.readsSums ? table.sums(of: group.inputs[0]) : nil)
  }

  private func hasReaderOfSums(_ tensor: Tensor.ID) -> Bool {
    fused.readers(of: tensor).contains { $0.inputs.first == tensor && chosen[$0.id].readsSums }
  }

  // MARK: Outputs written again

  /// Forgets outputs that backward can write again, and weights in the forward pass's order.
  private mutating func forgetOutputs() {
    for group in fused.groups
    where chosen[group.id].again != nil
      && instances.primary(of: group.output).bytes >= smallestSaving
    {
      unkept.insert(group.output)
      instances.forgetPrimary(of: group.output)
    }
    table.forgetTransients()
  }

  /// A tensor as a backward kernel wants it, written again where it was not kept.
  private mutating func read(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    let storage = fused.storage(of: tensor)
    if let group = fused.producer(of: storage), unkept.remove(storage) != nil {
      writeAgain(group)
    }
    return instances.source(tensor, layout)
  }

  private mutating func writeAgain(_ group: Group) {
    let candidate = chosen[group.id]
    let inputs = zip(group.inputs, candidate.inputs).map { read($0, $1) }
    let output = instances.makePrimaryAgain(group.output)
    calls.append(
      candidate.again?(forwardContext(group, inputs, [], output)) ?? [], on: output.type)
  }

  // MARK: Losses

  private func lower(_ loss: LossNode, _ index: Int) {
    let storage = fused.storage(of: loss.prediction)
    let layout = instances.primary(of: storage).layout
    // Losses read features, whose blocks of channels would not be whole, or maps with one channel a class.
    let readable: Layout =
      layout == .blocked || fused.changesImages(loss.prediction) ? .nchw : layout
    if storage != loss.prediction || readable != layout {
      instances.need(loss.prediction, readable, .none)
    }
    let prediction = instances.source(loss.prediction, readable)
    let targets = ([loss.target] + loss.others).map {
      table.outside(.target($0), name: graph.targets[$0].name)
    }
    let context = LossContext(
      name: loss.name, prediction: prediction,
      target: targets[0], others: Array(targets.dropFirst()),
      gradient: gradients.isWanted(loss.prediction)
        ? gradients.target(loss.prediction, readable) : nil, weight: loss.weight, index: index,
      losses: table.outside(.losses, name: "losses"),
      buffers: GroupBuffers(table, name: loss.name, output: nil), machine: target)
    calls.append(loss.loss.calls(for: context), on: prediction.type)
  }

  /// The penalty on weights comes last: it adds to gradients that are complete.
  private func lowerPenalty() {
    calls.append(
      library.regularization(
        RegularizationContext(
          parameters: graph.penalized, block: table.parameterBlock,
          gradients: table.outside(.gradients, name: "gradients"),
          losses: table.outside(.losses, name: "losses"), index: graph.losses.count,
          buffers: GroupBuffers(table, name: Regularization.name, output: nil))),
      on: TensorType(shape: [1]))
  }

  // MARK: Backward

  private mutating func lowerBackward(_ step: BackwardGroup) {
    let group = fused.groups[step.group]
    let candidate = chosen[group.id]
    let after = gradients.deferredGradient(of: group.output)
    let outputGradient =
      after?.source ?? gradients.collected(group.output, candidate.output)
    let inputs = zip(group.inputs, candidate.inputs).map { read($0, $1) }
    let operandTensors = operands(of: group)
    let operands = operandTensors.map { read($0, candidate.output) }
    // Who can be written again is not read by its own kernels.
    let output =
      unkept.contains(group.output)
      ? instances.primary(of: group.output) : read(group.output, candidate.output)
    let defersInput =
      candidate.deferred != nil && step.inputs[0]
      && gradients.isDeferrable(group.inputs[0], candidate.inputs[0])
    let inputGradients = zip(group.inputs.indices, step.inputs).map { index, wanted in
      wanted && !(index == 0 && defersInput)
        ? gradients.target(group.inputs[index], candidate.inputs[index]) : nil
    }
    let deferredOperands = operandTensors.map { gradients.isDeferrable($0, candidate.output) }
    let operandGradients = operandTensors.indices.map { index in
      step.operands[index] && !deferredOperands[index]
        ? gradients.target(operandTensors[index], candidate.output) : nil
    }
    let context = BackwardContext(
      forward: forwardContext(group, inputs, operands, output), wanted: step,
      outputGradient: outputGradient, deferred: after?.pieces, defersInput: defersInput,
      inputGradients: inputGradients, operandGradients: operandGradients)
    calls.append(candidate.backward(context), on: output.type)
    if defersInput { gradients.set(candidate.deferred?(context), of: group.inputs[0]) }
    for (index, tensor) in operandTensors.enumerated()
    where step.operands[index] && deferredOperands[index] {
      gradients.set(library.operandGradient(context, operand: index), of: tensor)
    }
  }
}
