import ConvcIR

/// Turns groups with their chosen candidates into calls on buffers.
final class KernelLowering: BufferSource {
  private let training: TrainingGraph
  private let contexts: [GroupContext]
  private let chosen: [Candidate]
  private let target: Target
  private let library: any KernelLibrary
  /// Bytes from which on memory is saved at the cost of a pass over it.
  private let smallestSaving: Int

  private(set) var buffers: [Buffer] = []
  private(set) var calls: [KernelCall] = []
  private(set) var packedEntries: [PackedEntry] = []
  /// Parameters that kernels of inference read as they are, in the order of their first use.
  private var copied: [ParameterRange] = []

  private var fixed: [Buffer.Kind: Buffer.ID] = [:]
  /// Keys of packed entries that stand in the arena.
  private var transients: Set<String> = []
  private var savedBuffers: [String: Buffer.ID] = [:]
  private var instances: [InstanceKey: Placement] = [:]
  private var primaries: [Tensor.ID: Placement] = [:]
  private var gradients: [GradientKey: GradientState] = [:]
  private var needs: [Tensor.ID: [Layout: Halo]] = [:]
  private var dense: Set<InstanceKey> = []
  private var sums: [Tensor.ID: ChannelSums] = [:]
  /// Gradients that nobody stores.
  private var deferred: [Tensor.ID: DeferredGradient] = [:]
  /// Outputs that backward writes again where it needs them: they are not kept.
  private var unkept: [Tensor.ID: Group] = [:]
  private var group = ""
  private var groupOutput: Tensor.ID?

  /// A tensor's memory in one layout; `isDense`: without halo, as views need it.
  private struct InstanceKey: Hashable {
    let tensor: Tensor.ID
    let layout: Layout
    let isDense: Bool
  }

  private struct GradientKey: Hashable {
    let tensor: Tensor.ID
    let layout: Layout
  }

  private struct GradientState {
    let placement: Placement
    var isWritten: Bool
  }

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
  }

  private var fused: FusedGraph { training.fused }
  private var graph: Graph { training.graph }

  func run() {
    collectNeeds()
    for group in fused.groups { lowerForward(group) }
    for (index, output) in graph.outputs.enumerated() { copyOutput(output, index) }
    packCopies()
    guard training.mode == .training else { return }
    for (index, loss) in graph.losses.enumerated() { lower(loss, index) }
    forgetOutputs()
    for step in training.backward { lowerBackward(step) }
  }

  /// Forgets outputs that backward can write again, and weights in the forward pass's order.
  private func forgetOutputs() {
    for group in fused.groups where chosen[group.id].again != nil {
      guard let primary = primaries[group.output], primary.bytes >= smallestSaving else {
        continue
      }
      unkept[group.output] = group
      instances[
        InstanceKey(
          tensor: group.output, layout: primary.layout, isDense: primary.halo.isNone)] = nil
    }
    for key in transients { fixed[.packed(key)] = nil }
  }

  /// Writes an output again; nil: it was kept.
  private func writeAgain(_ tensor: Tensor.ID) {
    guard let group = unkept.removeValue(forKey: tensor), let old = primaries[tensor] else {
      return
    }
    let current = self.group
    self.group = group.name
    let inputs = zip(group.inputs, chosen[group.id].inputs).map { source($0, $1) }
    let output = makeInstance(
      tensor, old.layout, old.halo, name: "\(graph[tensor].name)_again")
    primaries[tensor] = output
    calls += chosen[group.id].again?(forwardContext(group, inputs, [], output)) ?? []
    self.group = current
  }

  // MARK: Forward

  /// Collects which layouts and halos the readers of each tensor want.
  private func collectNeeds() {
    for group in fused.groups {
      let candidate = chosen[group.id]
      for (index, input) in group.inputs.enumerated() {
        need(input, candidate.inputs[index], candidate.halos[index])
      }
      for operand in group.members.flatMap(\.operands) { need(operand, candidate.output, .none) }
    }
  }

  private func need(_ tensor: Tensor.ID, _ layout: Layout, _ halo: Halo) {
    let storage = fused.storage(of: tensor)
    if !fused.isReshaped(tensor) {
      needs[storage, default: [:]][layout] =
        needs[storage]?[layout].map { $0.union(halo) } ?? halo
    } else {
      precondition(halo.isNone, "internal error: a view of another shape cannot have a halo")
      dense.insert(InstanceKey(tensor: storage, layout: layout, isDense: true))
    }
  }

  private func lowerForward(_ group: Group) {
    let candidate = chosen[group.id]
    self.group = group.name
    groupOutput = group.output
    let inputs = zip(group.inputs, candidate.inputs).map { source($0, $1) }
    let operands = group.members.flatMap(\.operands).map { source($0, candidate.output) }
    let output = makePrimary(group.output, candidate.output)
    calls += candidate.forward(forwardContext(group, inputs, operands, output))
  }

  private func forwardContext(
    _ group: Group, _ inputs: [Placement], _ operands: [Placement], _ output: Placement
  ) -> ForwardContext {
    ForwardContext(
      context: contexts[group.id], inputs: inputs, operands: operands, output: output,
      buffers: self, givesSums: chosen[group.id].givesSums && hasReaderOfSums(group.output),
      inputSums: chosen[group.id].readsSums ? sums[group.inputs[0]] : nil)
  }

  private func hasReaderOfSums(_ tensor: Tensor.ID) -> Bool {
    fused.groups.contains { $0.inputs.first == tensor && chosen[$0.id].readsSums }
  }

  func channelSums(cells: Int, of map: Int, channels: Int) -> ChannelSums {
    guard let groupOutput else {
      preconditionFailure("internal error: channel sums outside a group's forward pass")
    }
    let parts = (map + cells - 1) / cells
    let made = ChannelSums(
      buffer: arena("\(group)_sums", bytes: graph.batch * parts * 3 * channels * 4),
      cells: cells, partsPerMap: parts)
    sums[groupOutput] = made
    return made
  }

  /// The buffer that a group writes: with the halo its readers want, unless a view needs it without.
  private func makePrimary(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    let denseKey = InstanceKey(tensor: tensor, layout: layout, isDense: true)
    let halo = dense.contains(denseKey) ? Halo.none : needs[tensor]?[layout] ?? .none
    let placement = makeInstance(tensor, layout, halo, name: graph[tensor].name)
    primaries[tensor] = placement
    return placement
  }

  private func makeInstance(
    _ tensor: Tensor.ID, _ layout: Layout, _ halo: Halo, name: String
  ) -> Placement {
    let type = graph[tensor].type
    let sized = Placement(
      buffer: Buffer.ID(0), type: type, layout: layout, halo: halo, lanes: target.lanes)
    let placement = Placement(
      buffer: arena(name, bytes: sized.bytes), type: type, layout: layout, halo: halo,
      lanes: target.lanes)
    instances[InstanceKey(tensor: tensor, layout: layout, isDense: halo.isNone)] = placement
    if !halo.isNone {
      calls.append(
        library.clearHalo(
          of: placement, name: "\(name)_clear_halo", layers: [graph[tensor].name]))
    }
    return placement
  }

  /// A tensor as a reader wants it, reordered where no buffer holds it so.
  private func source(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    let storage = fused.storage(of: tensor)
    let halo = fused.isReshaped(tensor) ? Halo.none : needs[storage]?[layout] ?? .none
    writeAgain(storage)
    let key = InstanceKey(tensor: storage, layout: layout, isDense: halo.isNone)
    if let found = instances[key] { return found.viewed(as: graph[tensor].type) }
    let primary = primaries[storage] ?? inputPlacement(storage)
    if primary.layout == layout, primary.halo == halo {
      return primary.viewed(as: graph[tensor].type)
    }
    let suffix = layout != primary.layout ? layout.rawValue : halo.isNone ? "dense" : "padded"
    let made = makeInstance(storage, layout, halo, name: "\(graph[storage].name)_\(suffix)")
    calls.append(
      library.reorder(
        primary, to: made, name: "\(graph[storage].name)_to_\(layout.rawValue)",
        layers: [graph[storage].name], accumulates: false))
    return made.viewed(as: graph[tensor].type)
  }

  private func inputPlacement(_ tensor: Tensor.ID) -> Placement {
    guard let index = graph.inputs.firstIndex(of: tensor) else {
      preconditionFailure("internal error: \(graph[tensor].name) is read before it is written")
    }
    return Placement(
      buffer: outside(.input(index), name: graph[tensor].name), type: graph[tensor].type,
      layout: .nchw, lanes: target.lanes)
  }

  private func copyOutput(_ output: (name: String, tensor: Tensor.ID), _ index: Int) {
    let storage = fused.storage(of: output.tensor)
    let primary = primaries[storage] ?? inputPlacement(storage)
    let destination = Placement(
      buffer: outside(.output(index), name: output.name), type: graph[storage].type, layout: .nchw,
      lanes: target.lanes)
    calls.append(
      library.reorder(
        primary, to: destination, name: "\(graph[storage].name)_to_output",
        layers: [graph[storage].name], accumulates: false))
  }

  // MARK: Losses and backward

  private func lower(_ loss: LossNode, _ index: Int) {
    group = loss.name
    let storage = fused.storage(of: loss.prediction)
    let layout = (primaries[storage] ?? inputPlacement(storage)).layout
    // Losses read features, whose blocks of channels would not be whole, or maps with one channel a class.
    let readable: Layout = layout == .blocked ? .nchw : layout
    if storage != loss.prediction || readable != layout { need(loss.prediction, readable, .none) }
    let prediction = source(loss.prediction, readable)
    let wanted = training.contributions[storage] != nil
    calls += loss.loss.calls(
      for: LossContext(
        name: loss.name, prediction: prediction,
        target: outside(.target(loss.target), name: graph.targets[loss.target].name),
        gradient: wanted ? gradientTarget(loss.prediction, readable) : nil, weight: loss.weight,
        index: index, losses: outside(.losses, name: "losses"), buffers: self, machine: target))
  }

  private func lowerBackward(_ step: BackwardGroup) {
    let group = fused.groups[step.group]
    let candidate = chosen[group.id]
    self.group = group.name
    let after = deferred[group.output]
    let outputGradient =
      after?.source ?? collectGradient(of: group.output, candidate.output, group)
    let inputs = zip(group.inputs, candidate.inputs).map { source($0, $1) }
    let operandTensors = group.members.flatMap(\.operands)
    let operands = operandTensors.map { source($0, candidate.output) }
    // Who can be written again is not read by its own kernels.
    let output =
      unkept[group.output].flatMap { _ in primaries[group.output] }
      ?? source(group.output, candidate.output)
    let defersInput =
      candidate.deferred != nil && step.inputs[0]
      && isDeferrable(group.inputs[0], candidate.inputs[0])
    let inputGradients = zip(group.inputs.indices, step.inputs).map { index, wanted in
      wanted && !(index == 0 && defersInput)
        ? gradientTarget(group.inputs[index], candidate.inputs[index]) : nil
    }
    let deferredOperands = operandTensors.map { isDeferrable($0, candidate.output) }
    let operandGradients = operandTensors.indices.map { index in
      step.operands[index] && !deferredOperands[index]
        ? gradientTarget(operandTensors[index], candidate.output) : nil
    }
    let context = BackwardContext(
      forward: forwardContext(group, inputs, operands, output), wanted: step,
      outputGradient: outputGradient, deferred: after?.pieces, defersInput: defersInput,
      inputGradients: inputGradients, operandGradients: operandGradients)
    calls += candidate.backward(context)
    if defersInput { deferred[group.inputs[0]] = candidate.deferred?(context) }
    for (index, tensor) in operandTensors.enumerated()
    where step.operands[index] && deferredOperands[index] {
      deferred[tensor] = library.operandGradient(context, operand: index)
    }
  }

  /// Whether a gradient that one group passes on need not be stored: its only reader can compute it.
  private func isDeferrable(_ tensor: Tensor.ID, _ layout: Layout) -> Bool {
    guard fused.storage(of: tensor) == tensor, training.contributions[tensor]?.count == 1,
      let producer = fused.groups.first(where: { $0.output == tensor }),
      training.backward.contains(where: { $0.group == producer.id })
    else { return false }
    let candidate = chosen[producer.id]
    return candidate.readsDeferred && candidate.output == layout
  }

  /// The place to which a reader's gradient goes. Asking counts as writing: the next asker adds.
  private func gradientTarget(_ tensor: Tensor.ID, _ layout: Layout) -> GradientPlacement {
    let storage = fused.storage(of: tensor)
    let state = gradientState(storage, layout)
    gradients[GradientKey(tensor: storage, layout: layout)]?.isWritten = true
    return GradientPlacement(
      placement: state.placement.viewed(as: graph[tensor].type), accumulates: state.isWritten)
  }

  private func gradientState(_ storage: Tensor.ID, _ layout: Layout) -> GradientState {
    let key = GradientKey(tensor: storage, layout: layout)
    if let found = gradients[key] { return found }
    let type = graph[storage].type
    let sized = Placement(buffer: Buffer.ID(0), type: type, layout: layout, lanes: target.lanes)
    let state = GradientState(
      placement: Placement(
        buffer: arena(gradientName(storage, layout), bytes: sized.bytes), type: type,
        layout: layout, lanes: target.lanes), isWritten: false)
    gradients[key] = state
    return state
  }

  private func gradientName(_ storage: Tensor.ID, _ layout: Layout) -> String {
    let name = "d_\(graph[storage].name)"
    return primaries[storage].map { $0.layout == layout } ?? true
      ? name : "\(name)_\(layout.rawValue)"
  }

  /// The whole gradient of a group's output in the group's layout: what readers in other layouts wrote is added to it.
  private func collectGradient(of tensor: Tensor.ID, _ layout: Layout, _ group: Group)
    -> Placement
  {
    var whole = gradientState(tensor, layout)
    for other in Layout.allCases where other != layout {
      guard let part = gradients[GradientKey(tensor: tensor, layout: other)], part.isWritten else {
        continue
      }
      let name = graph[tensor].name
      calls.append(
        library.reorder(
          part.placement, to: whole.placement, name: "\(name)_gradient_to_\(layout.rawValue)",
          layers: [name], accumulates: whole.isWritten))
      whole.isWritten = true
    }
    guard whole.isWritten else {
      preconditionFailure("internal error: nothing writes the gradient of \(group.name)")
    }
    gradients[GradientKey(tensor: tensor, layout: layout)] = whole
    return whole.placement
  }

  // MARK: Buffers

  private func add(_ name: String, _ kind: Buffer.Kind, offset: Int = 0) -> Buffer.ID {
    let id = Buffer.ID(buffers.count)
    buffers.append(Buffer(id: id, name: name, kind: kind, offset: offset))
    return id
  }

  private func outside(_ kind: Buffer.Kind, name: String) -> Buffer.ID {
    if let found = fixed[kind] { return found }
    let id = add(name, kind)
    fixed[kind] = id
    return id
  }

  func arena(_ name: String, bytes: Int) -> Buffer.ID { add(name, .arena(bytes: bytes)) }

  func saved(_ name: String, bytes: Int) -> Buffer.ID {
    let key = "\(group)_\(name)"
    if let found = savedBuffers[key] { return found }
    let id = arena(key, bytes: bytes)
    savedBuffers[key] = id
    return id
  }

  func masterParameter(_ index: Int) -> Buffer.ID {
    outside(.parameter(index), name: graph.parameters[index].name)
  }

  func parameter(_ index: Int) -> Buffer.ID {
    guard training.mode == .inference else { return masterParameter(index) }
    let key = "\(index) in packed parameters"
    if let found = savedBuffers[key] { return found }
    let parameter = graph.parameters[index]
    let offset = copied.last.map { $0.destination + $0.count } ?? 0
    copied.append(
      ParameterRange(source: parameter.offset, destination: offset, count: parameter.spec.count))
    let id = add(parameter.name, .packed("parameters"), offset: offset)
    savedBuffers[key] = id
    return id
  }

  /// The packed entry that holds copies of parameters.
  private func packCopies() {
    guard let last = copied.last else { return }
    _ = packed("parameters", bytes: (last.destination + last.count) * 4) { destination in
      library.copyParameters(
        ParameterRange.joined(copied), from: add("parameters", .parameter(0)), to: destination)
    }
  }

  func gradient(_ index: Int) -> Buffer.ID {
    outside(.gradient(index), name: "d_" + graph.parameters[index].name)
  }

  func packed(_ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall) -> Buffer.ID {
    if let found = fixed[.packed(key)] { return found }
    if training.mode == .training, bytes >= smallestSaving {
      let id = arena(key, bytes: bytes)
      calls.append(prepare(id))
      fixed[.packed(key)] = id
      transients.insert(key)
      return id
    }
    let id = outside(.packed(key), name: key)
    packedEntries.append(PackedEntry(key: key, bytes: bytes, prepare: prepare(id)))
    return id
  }

  func packedPart(of entry: Buffer.ID, offset: Int) -> Buffer.ID {
    precondition(
      buffers[entry.index].arenaBytes == 0, "internal error: a part of an entry in the arena")
    let key = "\(entry.index) from \(offset)"
    if let found = savedBuffers[key] { return found }
    let id = add(buffers[entry.index].name, buffers[entry.index].kind, offset: offset)
    savedBuffers[key] = id
    return id
  }
}

extension Placement {
  /// The same memory read as another shape.
  fileprivate func viewed(as type: TensorType) -> Placement {
    type == self.type
      ? self : Placement(buffer: buffer, type: type, layout: layout, halo: halo, lanes: lanes)
  }
}
