/// Which way of computing a group was chosen, and what the others would have cost.
public struct Selection: Sendable, Hashable {
  public let group: String
  public let family: String
  public let inputs: [Layout]
  public let output: Layout
  public let microseconds: Double
  /// The other candidates: family and estimated microseconds.
  public let others: [String]

  public init(
    group: String, family: String, inputs: [Layout], output: Layout, microseconds: Double,
    others: [String]
  ) {
    self.group = group
    self.family = family
    self.inputs = inputs
    self.output = output
    self.microseconds = microseconds
    self.others = others
  }
}

/// Kernels in order, with the buffers they work on.
public struct KernelGraph: Sendable {
  public let graph: Graph
  public let mode: Mode
  public let target: Target
  public let selections: [Selection]
  public let buffers: [Buffer]
  public let calls: [KernelCall]
  public let packed: [PackedEntry]

  public init(
    graph: Graph, mode: Mode, target: Target, selections: [Selection], buffers: [Buffer],
    calls: [KernelCall], packed: [PackedEntry]
  ) {
    self.graph = graph
    self.mode = mode
    self.target = target
    self.selections = selections
    self.buffers = buffers
    self.calls = calls
    self.packed = packed
  }

  public subscript(id: Buffer.ID) -> Buffer { buffers[id.index] }
}
