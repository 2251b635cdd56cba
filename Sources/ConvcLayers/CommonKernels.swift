import ConvcIR

/// Kernels that belong to no layer: elementwise groups, reorders, halos, copies.
public struct CommonKernels: KernelLibrary {
  public init() {}

  // MARK: Elementwise groups

  public func elementwise(_ group: GroupContext) -> [Candidate] {
    // Who computes the gradient may work in whole vectors.
    var deferred: (@Sendable (BackwardContext) -> DeferredGradient)?
    if group.group.members.allSatisfy(\.epilogue.hasVectorForm) {
      deferred = { $0.passed(through: $0.context.group.members) }
    }
    return anyLayoutCandidates(
      for: group, readsDeferred: true, deferred: deferred,
      forward: { [elementwiseForward($0)] }, backward: elementwiseBackward)
  }

  public func operandGradient(_ context: BackwardContext, operand: Int) -> DeferredGradient {
    let members = context.context.group.members
    var first = 0
    let member = members.firstIndex { member in
      first += member.operands.count
      return operand < first
    }
    return context.passed(through: Array(members[((member ?? 0) + 1)...]))
  }

  private func elementwiseForward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let dialect = elementwiseDialect(context.output, group.members)
    let patch = RandomPatch(context.output, context.context.target)
    let pieces = PieceMaker(forward: context, dialect: dialect, patch: patch)
      .epilogues(group.members)
    return elementwiseCall(
      name: "\(group.name)_forward", title: summary(group.members, context.context.graph),
      layers: layerNames(group, context.context.graph), from: context.inputs[0],
      to: context.output, names: ("x", "y"), accumulates: false, pieces: pieces,
      dialect: dialect, target: context.context.target)
  }

  private func elementwiseBackward(_ context: BackwardContext) -> [KernelCall] {
    var calls: [KernelCall] = []
    if let gradient = context.inputGradients[0] {
      calls.append(
        passGradient(context, to: gradient, through: context.context.group.members, part: ""))
    }
    return calls + operandGradients(context)
  }

  func layerNames(_ group: Group, _ graph: Graph) -> [String] {
    group.nodes.map { graph[$0].name }
  }
}

/// What members do, in words.
func summary(_ members: [Member], _ graph: Graph) -> String {
  members.map { graph[$0.node].layer.summary }.joined(separator: "; ")
}

/// Gradients of the members' operands: the output's gradient through the reverse of the members that follow.
func operandGradients(_ context: BackwardContext) -> [KernelCall] {
  let members = context.context.group.members
  var calls: [KernelCall] = []
  var operand = 0
  for (index, member) in members.enumerated() {
    for _ in member.operands {
      if let gradient = context.operandGradients[operand] {
        let name = context.context.graph[member.node].name
        calls.append(
          passGradient(
            context, to: gradient, through: Array(members[(index + 1)...]),
            part: "_\(name)_operand"))
      }
      operand += 1
    }
  }
  return calls
}

/// Writes the output's gradient, taken back through members, to another gradient of the same layout.
private func passGradient(
  _ context: BackwardContext, to gradient: GradientPlacement, through members: [Member],
  part: String
) -> KernelCall {
  let group = context.context.group
  let graph = context.context.graph
  let dialect = elementwiseDialect(gradient.placement, members)
  let patch = RandomPatch(gradient.placement, context.context.target)
  let pieces = context.prologue(members, dialect, names: ("C", "H", "W"), patch: patch)
  return elementwiseCall(
    name: "\(group.name)\(part)_backward",
    title: "gradient through "
      + (members.isEmpty ? "Add" : summary(members, graph)),
    layers: group.nodes.map { graph[$0].name }, from: context.outputGradient,
    to: gradient.placement, names: ("d_y", "d_x"), accumulates: gradient.accumulates,
    pieces: pieces, dialect: dialect, target: context.context.target, asksAhead: false)
}

/// Writes the output's gradient to an input's, for anchors through which it passes unchanged.
func passOutputGradient(_ context: BackwardContext, to gradient: GradientPlacement) -> KernelCall {
  elementwiseCall(
    name: "\(context.context.group.name)_backward", title: "gradient of the input: the output's",
    layers: layerNames(context.context), from: context.outputGradient, to: gradient.placement,
    names: ("d_y", "d_x"), accumulates: gradient.accumulates, pieces: Pieces(),
    dialect: elementwiseDialect(gradient.placement, []))
}

/// Whole vectors where the layout has them and all members have that form.
func elementwiseDialect(_ placement: Placement, _ members: [Member]) -> Dialect {
  placement.isVector && members.allSatisfy(\.epilogue.hasVectorForm) ? .vector : .scalar
}

/// A loop over all values of one layout with pieces, of the same dialect, in its body.
///
/// - Parameters:
///   - target: whose caches decide what pieces with functions of their own ask for ahead, and what random bits are drawn for
///     at once; nil: nothing is, and no piece draws.
///   - asksAhead: whether they do. Gradients, which go through three tensors, are slower for it.
func elementwiseCall(
  name: String, title: String, layers: [String], from source: Placement, to result: Placement,
  names: (String, String), accumulates: Bool, pieces: Pieces, dialect: Dialect,
  target: Target? = nil, asksAhead: Bool = true, sourceChannel: Int = 0, resultChannel: Int = 0,
  channels: Placement? = nil
) -> KernelCall {
  let extent = channels ?? result
  let input = source.argument(
    names.0, .read, dialect, names: source.channelNames(like: extent),
    meaning: source.lanesText
  ).advanced(by: source.channelOrigin(sourceChannel, dialect))
  let output = result.argument(
    names.1, accumulates ? .update : .write, dialect,
    names: result.channelNames(like: extent)
  ).advanced(by: result.channelOrigin(resultChannel, dialect))
  let hasLanes = extent.isVector && dialect == .scalar
  let texts = [
    "outer": extent.outerScalar.rawValue, "from": names.0, "to": names.1,
    "at": extent.at(dialect), "store": accumulates ? "+=" : "=",
  ]
  let scalars = [extent.outerScalar] + pieces.scalars.filter { $0 != extent.outerScalar }
  guard let target, !pieces.draws.isEmpty else {
    // What is cheap keeps up with memory; asking would only fill the queues.
    let ahead = ReadAhead(extent, pieces.support.isEmpty || !asksAhead ? nil : target)
    return KernelCall(
      template: "elementwise", name: name, title: title, layers: layers,
      constants: [ConstantRow(extent.extents())] + ahead.constants,
      flags: ahead.flags.merging([
        "maps": extent.isMaps, "vector": hasLanes,
        "interleaved": ahead.isNeeded && !extent.isVector && extent.maps.w >= 64,
      ]) { $1 },
      texts: texts.merging(ahead.texts(names)) { $1 }
        .merging(["type": dialect == .vector ? "lanes" : "float"]) { $1 },
      fragments: ["work": pieces.fragments], support: pieces.support, scalars: scalars,
      arguments: [input, output] + pieces.arguments, work: streamingWork(extent, extent))
  }
  let patch = RandomPatch(extent, target)
  let streams =
    !accumulates && !extent.isVector && extent.maps.w % 16 == 0 && result.passesCaches(target)
  return KernelCall(
    template: "elementwise_random", name: name, title: title, layers: layers,
    constants: [ConstantRow(extent.extents())] + patch.constants,
    flags: patch.flags.merging([
      "maps": extent.isMaps, "vector": hasLanes, "streams": streams,
    ]) { $1 },
    texts: texts.merging(patch.texts(names)) { $1 },
    fragments: ["work": pieces.fragments, "draws": pieces.draws],
    support: pieces.support + (streams ? ["support_stream_line"] : []),
    scalars: scalars, arguments: [input, output] + pieces.arguments,
    work: streamingWork(extent, extent))
}

extension Placement {
  /// Names of the dimensions of a tensor that a kernel sees a part of: other extents stand as numbers.
  fileprivate func channelNames(like extent: Placement) -> (c: String, h: String, w: String) {
    (blocks == extent.blocks ? "C" : "\(blocks)", "H", "W")
  }

  /// Elements from the first channel to another one: the first of a block where channels stand in blocks.
  fileprivate func channelOrigin(_ channel: Int, _ dialect: Dialect) -> Int {
    let maps = layout == .blocked ? channel / lanes : channel
    return maps * rows * columns * (isVector && dialect == .scalar ? lanes : 1)
  }
}

extension Argument {
  /// The same buffer, seen from a later element on.
  fileprivate func advanced(by elements: Int) -> Argument {
    Argument(
      name, element: element, access: access, buffer: buffer, origin: origin + elements,
      dimensions: dimensions, text: text)
  }
}
