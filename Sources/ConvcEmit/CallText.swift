import ConvcIR

/// What generated code reaches memory and settings through.
enum Root: String, CaseIterable, Hashable {
  case parameters, packed, inputs, targets, outputs, gradients, losses, arena
  case batch, groups, accumulate, seed, step
}

/// The places of a module's parameters and packed entries.
struct BlockOffsets {
  let parameters: OffsetTable
  let packed: OffsetTable
  private let packedIndices: [String: Int]
  private let parameterIndices: [String: Int]
  private let graph: Graph

  init(_ module: CModule) {
    parameters = OffsetTable(
      comment: "Floats from the start of the parameter block and of the gradient block.",
      prefix: "OFFSET_", entries: module.graph.parameters.map { ($0.name, $0.offset) })
    packed = OffsetTable(
      comment: "Bytes from the start of the packed block.", prefix: "PACKED_",
      entries: module.packed.map { ($0.entry.key, $0.offset) })
    var indices: [String: Int] = [:]
    for (index, slot) in module.packed.enumerated() { indices[slot.entry.key] = index }
    packedIndices = indices
    var parameterIndices: [String: Int] = [:]
    for (index, parameter) in module.graph.parameters.enumerated() {
      parameterIndices[parameter.name] = index
    }
    self.parameterIndices = parameterIndices
    graph = module.graph
  }

  /// The named offset of a buffer in a packed copy of the parameters; nil: it is something else.
  func copiedParameter(_ buffer: Buffer) -> String? {
    guard let index = parameterIndices[buffer.name],
      graph.parameters[index].offset == buffer.offset
    else { return nil }
    return parameters[index]
  }

  func packed(_ key: String) -> String {
    guard let index = packedIndices[key] else {
      preconditionFailure("internal error: there is no packed entry \(key)")
    }
    return packed[index]
  }
}

/// Writes calls of kernels: their scalars and buffers as C expressions.
struct CallText {
  private let kernels: KernelGraph
  private let blocks: BlockOffsets
  private let arena: OffsetTable?
  private let slots: [Buffer.ID: Int]

  /// - Parameter plan: nil for the kernels of `prepare`, which have no arena.
  init(kernels: KernelGraph, plan: MemoryPlan?, arena: OffsetTable?, blocks: BlockOffsets) {
    self.kernels = kernels
    self.blocks = blocks
    self.arena = arena
    var slots: [Buffer.ID: Int] = [:]
    for (index, slot) in (plan?.slots ?? []).enumerated() { slots[slot.buffer] = index }
    self.slots = slots
  }

  /// The call as lines, and what it needs at hand.
  func lines(
    _ call: KernelCall, function: String, indentation: String
  ) -> (lines: [String], roots: Set<Root>) {
    var roots: Set<Root> = []
    var items: [String] = []
    for scalar in call.scalars {
      items.append(scalar.rawValue)
      roots.insert(Self.root(of: scalar))
    }
    for argument in call.arguments {
      let (text, root) = expression(argument, in: call)
      items.append(text)
      roots.insert(root)
    }
    return (CText.list("\(indentation)\(function)(", items, ");"), roots)
  }

  /// Outputs that a call writes or reads, as indices.
  func outputs(of call: KernelCall) -> [Int] {
    var indices: [Int] = []
    for argument in call.arguments {
      guard case .output(let index) = kernels[argument.buffer].kind else { continue }
      if !indices.contains(index) { indices.append(index) }
    }
    return indices
  }

  /// Whether a call reads an entry of the packed block.
  func readsPacked(_ call: KernelCall) -> Bool {
    call.arguments.contains { argument in
      guard case .packed = kernels[argument.buffer].kind else { return false }
      return argument.access.reads
    }
  }

  private static func root(of scalar: Scalar) -> Root {
    switch scalar {
    case .batch: .batch
    case .groups: .groups
    case .accumulate: .accumulate
    case .seed: .seed
    case .step: .step
    }
  }

  private func expression(_ argument: Argument, in call: KernelCall) -> (String, Root) {
    let buffer = kernels[argument.buffer]
    let pointer = Pointer(argument)
    switch buffer.kind {
    case .arena:
      guard let arena, let slot = slots[buffer.id] else {
        preconditionFailure(
          "internal error: \(call.name): \(buffer.name) has no place in the arena")
      }
      return (pointer.cast("arena + \(arena[slot])"), .arena)
    case .input(let index): return (pointer.element("inputs[\(index)]"), .inputs)
    case .target(let index): return (pointer.element("targets[\(index)]"), .targets)
    case .output(let index): return (pointer.element("outputs[\(index)]"), .outputs)
    case .losses: return (pointer.floats("losses"), .losses)
    case .parameter(let index):
      return (pointer.floats("parameters + \(blocks.parameters[index])"), .parameters)
    case .gradient(let index):
      return (pointer.floats("gradients + \(blocks.parameters[index])"), .gradients)
    case .packed(let key):
      let place = "packed + \(blocks.packed(key))"
      let offset = blocks.copiedParameter(buffer) ?? "\(buffer.offset)"
      guard offset != "0" else { return (pointer.cast(place), .packed) }
      // The offset counts floats, whatever the element is.
      let floats = "(\(pointer.qualifier)float *)(\(place)) + \(offset)"
      return (argument.element == "float" ? pointer.moved(floats) : pointer.cast(floats), .packed)
    }
  }
}

/// An argument's pointer type, and the step to the first element that the kernel sees.
private struct Pointer {
  let argument: Argument

  init(_ argument: Argument) { self.argument = argument }

  var qualifier: String { argument.access == .read ? "const " : "" }

  /// A place in memory of our own, whose elements may be vectors.
  func cast(_ place: String) -> String {
    moved("(\(qualifier)\(argument.element) *)(\(place))")
  }

  /// A caller's tensor: a `void` pointer, with no alignment for vectors.
  func element(_ tensor: String) -> String {
    checkScalar(tensor)
    return argument.origin == 0 ? tensor : moved("(\(qualifier)\(argument.element) *)\(tensor)")
  }

  /// A block of floats of the caller's.
  func floats(_ place: String) -> String {
    guard argument.element == "float" else {
      preconditionFailure("internal error: \(argument.name): \(place) holds floats")
    }
    return moved(place)
  }

  func moved(_ text: String) -> String {
    if argument.origin == 0 { return text }
    return argument.origin < 0 ? "\(text) - \(-argument.origin)" : "\(text) + \(argument.origin)"
  }

  private func checkScalar(_ tensor: String) {
    if ["lanes", "masks", "bytes"].contains(argument.element) {
      preconditionFailure("internal error: \(argument.name): \(tensor) is not aligned for vectors")
    }
  }
}
