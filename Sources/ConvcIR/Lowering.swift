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
  /// Reads the channel sums of its input where they are given: index of the anchor's parameter that centres them.
  public let sumsCentre: Int?
  public let forward: @Sendable (ForwardContext) -> [KernelCall]
  public let backward: @Sendable (BackwardContext) -> [KernelCall]

  public init(
    family: String, inputs: [Layout], halos: [Halo], output: Layout, microseconds: Double,
    givesSums: Bool = false, sumsCentre: Int? = nil,
    forward: @escaping @Sendable (ForwardContext) -> [KernelCall],
    backward: @escaping @Sendable (BackwardContext) -> [KernelCall]
  ) {
    self.family = family
    self.inputs = inputs
    self.halos = halos
    self.output = output
    self.microseconds = microseconds
    self.givesSums = givesSums
    self.sumsCentre = sumsCentre
    self.forward = forward
    self.backward = backward
  }
}

/// Where lowering gets its buffers from.
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
  /// An entry of the packed block; `prepare` makes the kernel that writes it.
  func packed(_ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall) -> Buffer.ID
  /// A buffer for the channel sums of the group's output, `[batch · parts, 2, channels]`: sum and sum of squares of
  /// the values less their centre. Whoever normalises the output finds it.
  func channelSums(partsPerImage: Int, channels: Int) -> ChannelSums
  /// An entry of the packed block from a later float on.
  func packedPart(of entry: Buffer.ID, offset: Int) -> Buffer.ID
}

/// Sums of each channel in parts, whose number and order do not depend on threads.
public struct ChannelSums: Sendable, Hashable {
  public let buffer: Buffer.ID
  public let partsPerImage: Int

  public init(buffer: Buffer.ID, partsPerImage: Int) {
    self.buffer = buffer
    self.partsPerImage = partsPerImage
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
  /// Values around which the output's channels are to be summed; nil: nobody wants the sums.
  public let sumsCentre: Buffer.ID?
  /// Channel sums of the input; nil: its producer gave none.
  public let inputSums: ChannelSums?

  public init(
    context: GroupContext, inputs: [Placement], operands: [Placement], output: Placement,
    buffers: any BufferSource, sumsCentre: Buffer.ID? = nil, inputSums: ChannelSums? = nil
  ) {
    self.context = context
    self.inputs = inputs
    self.operands = operands
    self.output = output
    self.buffers = buffers
    self.sumsCentre = sumsCentre
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
  /// Gradient of the group's output.
  public let outputGradient: Placement
  /// Gradients of the inputs; nil: not wanted.
  public let inputGradients: [GradientPlacement?]
  /// Gradients of the members' operands; nil: not wanted.
  public let operandGradients: [GradientPlacement?]

  public init(
    forward: ForwardContext, wanted: BackwardGroup, outputGradient: Placement,
    inputGradients: [GradientPlacement?], operandGradients: [GradientPlacement?]
  ) {
    self.forward = forward
    self.wanted = wanted
    self.outputGradient = outputGradient
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
  /// Gradient of the prediction; nil where nothing before it can be trained.
  public let gradient: GradientPlacement?
  public let weight: Float
  /// Index in the losses that the caller receives.
  public let index: Int
  public let losses: Buffer.ID
  public let buffers: any BufferSource
  public let machine: Target

  public init(
    name: String, prediction: Placement, target: Buffer.ID, gradient: GradientPlacement?,
    weight: Float, index: Int, losses: Buffer.ID, buffers: any BufferSource, machine: Target
  ) {
    self.name = name
    self.prediction = prediction
    self.target = target
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
  /// Copies a tensor into another layout or halo; `accumulates`: adds to what is there.
  func reorder(
    _ source: Placement, to destination: Placement, name: String, layers: [String],
    accumulates: Bool
  ) -> KernelCall
  /// Writes the zeros around a tensor's maps.
  func clearHalo(of placement: Placement, name: String, layers: [String]) -> KernelCall
  /// Copies a part of the parameter block into the packed block.
  func copyParameters(from master: Buffer.ID, start: Int, count: Int, to packed: Buffer.ID)
    -> KernelCall
}
