/// An elementwise layer inside a group, and the other tensors it reads.
public struct Member: Sendable {
  public let node: Node.ID
  public let epilogue: Epilogue
  public let operands: [Tensor.ID]

  public init(node: Node.ID, epilogue: Epilogue, operands: [Tensor.ID]) {
    self.node = node
    self.epilogue = epilogue
    self.operands = operands
  }
}

/// Layers that become one kernel in each direction: at most one anchor, then elementwise work and pooling.
///
/// Order in the kernel: anchor, `beforePooling` on every cell, the pooling, `epilogues` on what remains.
public struct Group: Sendable, Identifiable {
  public let id: Int
  /// All layers, as the network has them.
  public let nodes: [Node.ID]
  /// `conv1_relu1_pool1`.
  public let name: String
  public let anchor: Node.ID?
  /// A layer whose multiply-add is part of the anchor's weights and bias: `prepare` puts it there.
  public let folded: Node.ID?
  /// What the anchor reads; without an anchor, the map that the epilogues work on.
  public let inputs: [Tensor.ID]
  public let beforePooling: [Member]
  public let poolingNode: Node.ID?
  public let pooling: Pooling?
  public let epilogues: [Member]
  public let output: Tensor.ID

  public init(
    id: Int, nodes: [Node.ID], name: String, anchor: Node.ID?, folded: Node.ID? = nil,
    inputs: [Tensor.ID], beforePooling: [Member], poolingNode: Node.ID?, pooling: Pooling?,
    epilogues: [Member], output: Tensor.ID
  ) {
    self.id = id
    self.nodes = nodes
    self.name = name
    self.anchor = anchor
    self.folded = folded
    self.inputs = inputs
    self.beforePooling = beforePooling
    self.poolingNode = poolingNode
    self.pooling = pooling
    self.epilogues = epilogues
    self.output = output
  }

  /// Members before and after the pooling, in the kernel's order.
  public var members: [Member] { beforePooling + epilogues }
  /// Every tensor the group reads.
  public var reads: [Tensor.ID] { inputs + members.flatMap(\.operands) }
}

/// Why a layer joined its producer, or did not.
public struct FusionNote: Sendable, Hashable {
  public let layer: String
  /// Name of the group it joined; nil: it did not.
  public let joined: String?
  public let reason: String

  public init(layer: String, joined: String?, reason: String) {
    self.layer = layer
    self.joined = joined
    self.reason = reason
  }
}

/// The graph with its layers in groups.
public struct FusedGraph: Sendable {
  public let graph: Graph
  public let mode: Mode
  /// In the order of their last nodes.
  public let groups: [Group]
  /// For each view the tensor whose memory it is.
  public let views: [Tensor.ID: Tensor.ID]
  public let notes: [FusionNote]
  private let producers: [Tensor.ID: Group.ID]
  private let readers: [Tensor.ID: [Group.ID]]

  public init(
    graph: Graph, mode: Mode, groups: [Group], views: [Tensor.ID: Tensor.ID], notes: [FusionNote]
  ) {
    self.graph = graph
    self.mode = mode
    self.groups = groups
    self.views = views
    self.notes = notes
    var producers: [Tensor.ID: Group.ID] = [:]
    var readers: [Tensor.ID: [Group.ID]] = [:]
    for group in groups {
      producers[group.output] = group.id
      for tensor in Set(group.reads) { readers[tensor, default: []].append(group.id) }
    }
    self.producers = producers
    self.readers = readers
  }

  /// The group that writes a tensor; nil: an input of the network, a view, or a map that fusion removed.
  public func producer(of tensor: Tensor.ID) -> Group? { producers[tensor].map { groups[$0] } }

  /// The groups that read a tensor under this name, in order: readers of its views are not among them.
  public func readers(of tensor: Tensor.ID) -> [Group] {
    (readers[tensor] ?? []).map { groups[$0] }
  }

  /// Whether the tensor is a view of another shape: its memory can have no halo and no blocks of channels.
  public func isReshaped(_ tensor: Tensor.ID) -> Bool {
    graph[tensor].type != graph[storage(of: tensor)].type
  }

  /// Whether the tensor is a view with another extent of axis 0: its memory stands in rows, without lanes.
  public func changesImages(_ tensor: Tensor.ID) -> Bool {
    graph[tensor].type.shape[0] != graph[storage(of: tensor)].type.shape[0]
  }

  /// The tensor that holds the memory of this one.
  public func storage(of tensor: Tensor.ID) -> Tensor.ID {
    var root = tensor
    while let next = views[root] { root = next }
    return root
  }
}
