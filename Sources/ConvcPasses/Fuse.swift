import ConvcIR

/// Groups each anchor layer with the epilogues that can run inside its loops.
///
/// Before: one layer a node. After: `conv1`, `relu1` and `pool1` are one group, and the maps between them are never
/// stored.
///
/// A layer joins when it alone reads the group's last map (a second reader, or the caller, would need the map that fusion
/// removes), when the anchor's kernels have a place for it, when its other operands are computed before that map, and,
/// in training, when the backward pass can do without the removed map: what the members' gradients need
/// (``GradientNeed``) has to survive in the group's output. Pooling moves before members that never decrease; then the same value and the same gradient come out of one
/// comparison a cell. A batch norm with fixed statistics right after a convolution becomes part of its weights and
/// bias in inference. Needs shapes; runs before differentiation, so only forward readers count. Groups stand in the
/// order of their last nodes; every node but a view ends up in exactly one group.
public struct Fuse: Pass {
  public static let name = "fuse"

  public let mode: Mode
  /// False: every layer is a group of its own.
  public let fuses: Bool

  public init(mode: Mode, fuses: Bool = true) {
    self.mode = mode
    self.fuses = fuses
  }

  public func run(_ graph: Graph) -> FusedGraph {
    var fusion = Fusion(graph: graph, mode: mode, fuses: fuses)
    for node in graph.nodes { fusion.place(node) }
    let groups = fusion.drafts.sorted { $0.last.id < $1.last.id }.enumerated().map {
      $1.group(id: $0)
    }
    return FusedGraph(
      graph: graph, mode: mode, groups: groups, views: fusion.views, notes: fusion.notes)
  }
}

/// A group under construction.
private struct Draft {
  var nodes: [Node]
  let anchor: Node?
  let inputs: [Tensor.ID]
  let accepts: EpilogueKinds
  var folded: Node?
  var beforePooling: [Member] = []
  var poolingNode: Node?
  var pooling: Pooling?
  var epilogues: [Member]

  var last: Node { nodes[nodes.count - 1] }
  var name: String { nodes.map(\.name).joined(separator: "_") }

  func group(id: Int) -> Group {
    Group(
      id: id, nodes: nodes.map(\.id), name: name, anchor: anchor?.id, folded: folded?.id,
      inputs: inputs, beforePooling: beforePooling, poolingNode: poolingNode?.id,
      pooling: pooling, epilogues: epilogues, output: last.output)
  }
}

/// The state of one run.
private struct Fusion {
  let graph: Graph
  let mode: Mode
  let fuses: Bool
  var drafts: [Draft] = []
  var views: [Tensor.ID: Tensor.ID] = [:]
  var notes: [FusionNote] = []
  private var grouped: Set<Node.ID> = []
  private let returned: Set<Tensor.ID>

  init(graph: Graph, mode: Mode, fuses: Bool) {
    self.graph = graph
    self.mode = mode
    self.fuses = fuses
    returned = Set(graph.outputs.map(\.tensor))
  }

  mutating func place(_ node: Node) {
    guard !grouped.contains(node.id) else { return }
    guard var draft = draft(of: node) else {
      views[node.output] = node.inputs[0]
      return
    }
    grouped.insert(node.id)
    var refused: (node: Node, reason: String)?
    while let next = graph.readers(of: draft.last.output).first {
      if let reason = refusal(of: next, by: draft) {
        refused = (next, reason)
        break
      }
      join(next, &draft)
      grouped.insert(next.id)
    }
    for node in draft.nodes.dropFirst() { note(node, draft.name, reason(node, in: draft)) }
    if let refused { note(refused.node, nil, refused.reason) }
    drafts.append(draft)
  }

  private mutating func note(_ node: Node, _ joined: String?, _ reason: String) {
    // Anchors and views start something new by nature: only layers that could have joined are worth a line.
    switch node.layer.role(in: mode, frozen: node.isFrozen) {
    case .elementwise, .pooling:
      notes.append(FusionNote(layer: node.name, joined: joined, reason: reason))
    case .anchor, .view: break
    }
  }

  private func reason(_ node: Node, in draft: Draft) -> String {
    if draft.poolingNode?.id == node.id, !draft.epilogues.isEmpty {
      let names = draft.epilogues.map { graph[$0.node].name }
      return "taken before \(names.joined(separator: " and ")), "
        + (names.count == 1 ? "which never decreases" : "which never decrease")
    }
    return draft.folded?.id == node.id
      ? "part of \(draft.nodes[0].name)'s weights and bias"
      : "runs inside \(draft.nodes[0].name)'s loops"
  }

  /// A group that begins with the node; nil: the node is a view.
  private func draft(of node: Node) -> Draft? {
    switch node.layer.role(in: mode, frozen: node.isFrozen) {
    case .view:
      return nil
    case .anchor(let accepts):
      return Draft(
        nodes: [node], anchor: node, inputs: node.inputs, accepts: accepts, epilogues: [])
    case .pooling:
      return Draft(nodes: [node], anchor: node, inputs: node.inputs, accepts: [], epilogues: [])
    case .elementwise(let epilogue):
      let member = Member(
        node: node.id, epilogue: epilogue, operands: Array(node.inputs.dropFirst()))
      return Draft(
        nodes: [node], anchor: nil, inputs: [node.inputs[0]], accepts: [.vector, .scalar],
        epilogues: [member])
    }
  }

  /// Why a layer cannot join a group; nil: it can.
  private func refusal(of next: Node, by draft: Draft) -> String? {
    guard fuses else { return "fusion is switched off" }
    let map = draft.last.output
    guard !returned.contains(map) else { return "\(draft.last.name) is an output" }
    guard graph.readers(of: map).count == 1 else { return "\(draft.last.name) has other readers" }
    switch next.layer.role(in: mode, frozen: next.isFrozen) {
    case .view, .anchor:
      return "it has loops of its own"
    case .pooling:
      return poolingRefusal(by: draft)
    case .elementwise(let epilogue):
      return refusal(of: next, epilogue, by: draft)
    }
  }

  private func poolingRefusal(by draft: Draft) -> String? {
    guard draft.accepts.contains(.pooling) else {
      return "\(draft.nodes[0].name)'s kernels have no place for pooling"
    }
    guard draft.pooling == nil else { return "the group pools already" }
    if let adding = draft.epilogues.first(where: { !$0.operands.isEmpty }) {
      return "\(graph[adding.node].name)'s other operand differs from cell to cell"
    }
    if mode == .inference { return nil }
    for member in draft.epilogues where !member.epilogue.isMonotone {
      return
        "backward would need the map before pooling: \(graph[member.node].name) differs from cell to cell"
    }
    return nil
  }

  private func refusal(of next: Node, _ epilogue: Epilogue, by draft: Draft) -> String? {
    let place: EpilogueKinds = epilogue.hasVectorForm ? .vector : .scalar
    guard draft.accepts.contains(place) else {
      return "\(draft.nodes[0].name)'s kernels have no place for it"
    }
    let map = draft.last.output
    let others = next.inputs.filter { $0 != map }
    guard others.count == next.inputs.count - 1 else { return "it reads \(draft.last.name) twice" }
    for operand in others {
      guard let producer = graph[operand].producer else { continue }
      guard producer < draft.last.id else { return "\(graph[operand].name) is computed later" }
    }
    return mode == .training ? gradientRefusal(of: epilogue, by: draft) : nil
  }

  /// Why backward could not do without the maps that fusion removes; nil: it can.
  private func gradientRefusal(of epilogue: Epilogue, by draft: Draft) -> String? {
    if epilogue.gradientNeed == .input,
      draft.nodes.count > 1 || !draft.accepts.contains(.readingInput)
    {
      return "its gradient needs \(draft.last.name), which would not be stored"
    }
    if let hidden = draft.epilogues.first(where: {
      $0.epilogue.gradientNeed.trace > epilogue.keeps
    }) {
      return "what \(graph[hidden.node].name)'s gradient needs would not show in its output"
    }
    return nil
  }

  private func join(_ next: Node, _ draft: inout Draft) {
    let map = draft.last.output
    draft.nodes.append(next)
    switch next.layer.role(in: mode, frozen: next.isFrozen) {
    case .elementwise(let epilogue)
    where epilogue.isAffine && draft.accepts.contains(.affine) && draft.nodes.count == 2:
      draft.folded = next
    case .elementwise(let epilogue):
      draft.epilogues.append(
        Member(node: next.id, epilogue: epilogue, operands: next.inputs.filter { $0 != map }))
    case .pooling(let pooling):
      draft.pooling = pooling
      draft.poolingNode = next
      let moves = draft.epilogues.allSatisfy(\.epilogue.isMonotone)
      if !moves {
        draft.beforePooling = draft.epilogues
        draft.epilogues = []
      }
    case .anchor, .view:
      preconditionFailure("internal error: \(next.name) cannot join a group")
    }
  }
}
