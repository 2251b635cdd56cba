/// A group as its anchor sees it when it lists the ways to compute it.
public struct GroupContext: Sendable {
  public let group: Group
  public let graph: Graph
  public let mode: Mode
  public let target: Target
  /// What the backward pass wants of the group; nil: nothing.
  public let backward: BackwardGroup?
  /// Whether the forward kernels save what backward kernels read. In a train build inference saves it too, and so shares
  /// its kernels with the training step.
  public let savesForBackward: Bool

  public init(
    group: Group, graph: Graph, mode: Mode, target: Target, backward: BackwardGroup?,
    savesForBackward: Bool
  ) {
    self.group = group
    self.graph = graph
    self.mode = mode
    self.target = target
    self.backward = backward
    self.savesForBackward = savesForBackward
  }

  public var anchor: Node? { group.anchor.map { graph[$0] } }
  /// The layer whose multiply-add is part of the anchor's weights and bias.
  public var folded: Node? { group.folded.map { graph[$0] } }
  public var inputTypes: [TensorType] { group.inputs.map { graph[$0].type } }
  public var outputType: TensorType { graph[group.output].type }
  /// The anchor's own output, before pooling.
  public var anchorType: TensorType {
    anchor.map { graph[$0.output].type } ?? inputTypes[0]
  }
  public var isTraining: Bool { mode == .training }
  /// Passes over the data: one forward, and one for each gradient that is wanted.
  public var passes: Double {
    guard let backward else { return 1 }
    return 1 + Double(backward.inputs.filter { $0 }.count) + (backward.parameters ? 1 : 0)
  }
}

/// A way to compute a group: layouts, cost, and the kernels.
public struct Candidate: Sendable {
  /// Family of kernels: `generic`, `lanes`, `blocked`.
  public let family: String
  /// Layout of each input of the group; operands of members take the output's layout.
  public let inputs: [Layout]
  /// Zero cells that the kernels read around each input.
  public let halos: [Halo]
  public let output: Layout
  /// Estimated time of all passes on one thread.
  public let microseconds: Double
  /// Whether the forward kernel can sum each channel of what it writes.
  public let givesSums: Bool
  /// Whether the backward kernels can compute the output's gradient from another one that is stored.
  public let readsDeferred: Bool
  /// The first input's gradient, to be computed by who needs it; nil: a kernel has to store it.
  public let deferred: (@Sendable (BackwardContext) -> DeferredGradient)?
  /// Whether the forward kernels read the channel sums of the input where they are given.
  public let readsSums: Bool
  /// Whether a reader can compute the output for itself, a few rows at a time, so that nobody stores it.
  public let givesRows: Bool
  /// The forward kernels that compute the first input for themselves, where the group that would write it gives rows; nil:
  /// there are none.
  public let forwardOver: (@Sendable (ForwardContext, _ producer: ForwardContext) -> [KernelCall])?
  public let forward: @Sendable (ForwardContext) -> [KernelCall]
  public let backward: @Sendable (BackwardContext) -> [KernelCall]
  /// Writes the output once more from what the backward pass has anyway, so that it need not be kept. Then the backward
  /// kernels of the group itself never read the output. nil: the output is kept for who reads it.
  public let again: (@Sendable (ForwardContext) -> [KernelCall])?

  public init(
    family: String, inputs: [Layout], halos: [Halo], output: Layout, microseconds: Double,
    givesSums: Bool = false, readsSums: Bool = false, readsDeferred: Bool = false,
    deferred: (@Sendable (BackwardContext) -> DeferredGradient)? = nil, givesRows: Bool = false,
    forwardOver: (@Sendable (ForwardContext, ForwardContext) -> [KernelCall])? = nil,
    forward: @escaping @Sendable (ForwardContext) -> [KernelCall],
    backward: @escaping @Sendable (BackwardContext) -> [KernelCall],
    again: (@Sendable (ForwardContext) -> [KernelCall])? = nil
  ) {
    self.family = family
    self.inputs = inputs
    self.halos = halos
    self.output = output
    self.microseconds = microseconds
    self.givesSums = givesSums
    self.readsSums = readsSums
    self.readsDeferred = readsDeferred
    self.deferred = deferred
    self.givesRows = givesRows
    self.forwardOver = forwardOver
    self.forward = forward
    self.backward = backward
    self.again = again
  }
}

/// Where the kernels of a group get their buffers from.
public protocol BufferSource: AnyObject {
  /// A new part of the arena.
  func arena(_ name: String, bytes: Int) -> Buffer.ID
  /// The part of the arena under a name that forward and backward share; made at the first call.
  func saved(_ name: String, bytes: Int) -> Buffer.ID
  /// A parameter as it stands in the parameter block. For inference, its copy in the packed block.
  func parameter(_ index: Int) -> Buffer.ID
  /// A parameter in the parameter block itself.
  func masterParameter(_ index: Int) -> Buffer.ID
  /// A parameter's gradient.
  func gradient(_ index: Int) -> Buffer.ID
  /// Weights in another order, as one whole; `prepare` makes the kernel that writes them. Large ones of a training step
  /// stand in the arena, written right before they are read, all others in the packed block: so there are no parts of
  /// them to be had.
  func packed(_ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall) -> Buffer.ID
  /// The parts of an entry that always stands in the packed block, each with its number of floats; `prepare` makes the
  /// kernel that writes them all. For small tables, of which kernels read one part or another.
  func packedParts(_ key: String, floats: [Int], prepare: (Buffer.ID) -> KernelCall) -> [Buffer.ID]
  /// A buffer for the channel sums of the group's output. Whoever normalises the output finds it.
  ///
  /// - Parameters:
  ///   - cells: cells of a map that a part takes; the last part of a map takes the rest.
  ///   - channels: channels, with those that fill the last vector.
  func channelSums(cells: Int, of map: Int, channels: Int) -> ChannelSums
}

/// Sums of each channel in parts, whose number and order do not depend on threads: `[parts, 3, channels]`, a value of the
/// part, then sum and sum of squares of the part's values less that one. So nothing cancels where all values are close.
public struct ChannelSums: Sendable, Hashable {
  public let buffer: Buffer.ID
  /// Cells that a part takes; the last of a map takes the rest.
  public let cells: Int
  public let partsPerMap: Int

  public init(buffer: Buffer.ID, cells: Int, partsPerMap: Int) {
    self.buffer = buffer
    self.cells = cells
    self.partsPerMap = partsPerMap
  }
}

/// What the forward kernels of a group are made from.
public struct ForwardContext {
  public let context: GroupContext
  public let inputs: [Placement]
  /// Operands of the group's members, in order.
  public let operands: [Placement]
  public let output: Placement
  public let buffers: any BufferSource
  /// Whether the output's channels are to be summed.
  public let givesSums: Bool
  /// Channel sums of the input; nil: its producer gave none.
  public let inputSums: ChannelSums?

  public init(
    context: GroupContext, inputs: [Placement], operands: [Placement], output: Placement,
    buffers: any BufferSource, givesSums: Bool = false, inputSums: ChannelSums? = nil
  ) {
    self.context = context
    self.inputs = inputs
    self.operands = operands
    self.output = output
    self.buffers = buffers
    self.givesSums = givesSums
    self.inputSums = inputSums
  }
}

/// A gradient to write: the first writer stores, later ones add.
public struct GradientPlacement: Sendable, Hashable {
  public let placement: Placement
  public let accumulates: Bool

  public init(placement: Placement, accumulates: Bool) {
    self.placement = placement
    self.accumulates = accumulates
  }
}

/// What the backward kernels of a group are made from.
public struct BackwardContext {
  public let forward: ForwardContext
  public let wanted: BackwardGroup
  /// Gradient of the group's output, or what it is computed from.
  public let outputGradient: Placement
  /// From a value of `outputGradient` to the gradient; nil: it is the gradient.
  public let deferred: ((Dialect, _ names: (c: String, h: String, w: String)) -> Pieces)?
  /// Whether the first input's gradient is computed by who needs it: no kernel stores it.
  public let defersInput: Bool
  /// Gradients of the inputs; nil: not wanted.
  public let inputGradients: [GradientPlacement?]
  /// Gradients of the members' operands; nil: not wanted.
  public let operandGradients: [GradientPlacement?]

  public init(
    forward: ForwardContext, wanted: BackwardGroup, outputGradient: Placement,
    deferred: ((Dialect, _ names: (c: String, h: String, w: String)) -> Pieces)? = nil,
    defersInput: Bool = false, inputGradients: [GradientPlacement?],
    operandGradients: [GradientPlacement?]
  ) {
    self.forward = forward
    self.wanted = wanted
    self.outputGradient = outputGradient
    self.deferred = deferred
    self.defersInput = defersInput
    self.inputGradients = inputGradients
    self.operandGradients = operandGradients
  }

  public var context: GroupContext { forward.context }
  public var buffers: any BufferSource { forward.buffers }
}

/// What a loss's kernels are made from.
public struct LossContext {
  public let name: String
  public let prediction: Placement
  public let target: Buffer.ID
  /// What else the loss reads, in the order of ``Loss/targets(for:)``.
  public let others: [Buffer.ID]
  /// Gradient of the prediction; nil where nothing before it can be trained.
  public let gradient: GradientPlacement?
  public let weight: Float
  /// Index in the losses that the caller receives.
  public let index: Int
  public let losses: Buffer.ID
  public let buffers: any BufferSource
  public let machine: Target

  public init(
    name: String, prediction: Placement, target: Buffer.ID, others: [Buffer.ID] = [],
    gradient: GradientPlacement?, weight: Float, index: Int, losses: Buffer.ID,
    buffers: any BufferSource, machine: Target
  ) {
    self.name = name
    self.prediction = prediction
    self.target = target
    self.others = others
    self.gradient = gradient
    self.weight = weight
    self.index = index
    self.losses = losses
    self.buffers = buffers
    self.machine = machine
  }
}

/// Kernels that belong to no layer: elementwise groups, reorders, halos, copies.
public protocol KernelLibrary: Sendable {
  /// Ways to compute a group without an anchor.
  func elementwise(_ group: GroupContext) -> [Candidate]
  /// The gradient of the other tensor that a member reads, to be computed by who needs it.
  func operandGradient(_ context: BackwardContext, operand: Int) -> DeferredGradient
  /// Copies a tensor into another layout or halo; `accumulates`: adds to what is there.
  func reorder(
    _ source: Placement, to destination: Placement, name: String, layers: [String],
    accumulates: Bool
  ) -> KernelCall
  /// Writes the zeros around a tensor's maps.
  func clearHalo(of placement: Placement, name: String, layers: [String]) -> KernelCall
  /// Copies the parameter block into the packed block.
  func copyParameters(
    _ ranges: [ParameterRange], from master: Buffer.ID, to packed: Buffer.ID
  ) -> KernelCall
  /// Adds the gradient of the penalty on weights to the gradient block, and writes the penalty among the losses.
  func regularization(_ context: RegularizationContext) -> [KernelCall]
}

/// What the kernels of the penalty on weights are made from.
public struct RegularizationContext {
  /// The parameters that are penalised, in the order of the parameter block.
  public let parameters: [Parameter]
  /// The whole parameter block, and the whole gradient block.
  public let block: Buffer.ID
  public let gradients: Buffer.ID
  public let losses: Buffer.ID
  /// Index in the losses that the caller receives.
  public let index: Int
  public let buffers: any BufferSource

  public init(
    parameters: [Parameter], block: Buffer.ID, gradients: Buffer.ID, losses: Buffer.ID, index: Int,
    buffers: any BufferSource
  ) {
    self.parameters = parameters
    self.block = block
    self.gradients = gradients
    self.losses = losses
    self.index = index
    self.buffers = buffers
  }
}

/// Neighbouring floats of the parameter block, and where their copy stands.
public struct ParameterRange: Sendable, Hashable {
  /// Floats from the start of the parameter block.
  public let source: Int
  /// Floats from the start of the copies.
  public let destination: Int
  public let count: Int

  public init(source: Int, destination: Int, count: Int) {
    self.source = source
    self.destination = destination
    self.count = count
  }

  /// The ranges with neighbours as one, where both sides are neighbours.
  public static func joined(_ ranges: [ParameterRange]) -> [ParameterRange] {
    ranges.reduce(into: []) { joined, next in
      if let last = joined.last, last.source + last.count == next.source,
        last.destination + last.count == next.destination
      {
        joined[joined.count - 1] = ParameterRange(
          source: last.source, destination: last.destination, count: last.count + next.count)
      } else {
        joined.append(next)
      }
    }
  }
}
