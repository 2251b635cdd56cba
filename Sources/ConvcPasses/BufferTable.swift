import ConvcIR

/// The memory that a program's kernels work on: each buffer is made where it is first asked for.
///
/// Four kinds of memory: parts of the arena, the caller's tensors and blocks, entries of the packed block, and what
/// forward saves for backward under a name. Groups ask through ``GroupBuffers``, which knows their names.
final class BufferTable {
  let graph: Graph
  let mode: Mode
  private let library: any KernelLibrary
  /// Bytes from which on packed weights of a training step live only where they are read.
  private let smallestSaving: Int
  private let calls: CallList

  private(set) var buffers: [Buffer] = []
  private(set) var packedEntries: [PackedEntry] = []
  private var outside: [Buffer.Kind: Buffer.ID] = [:]
  private var saved: [SavedKey: Buffer.ID] = [:]
  private var sums: [Tensor.ID: ChannelSums] = [:]
  private var parts: [String: [Buffer.ID]] = [:]
  /// Packed entries that stand in the arena, for the pass that runs.
  private var transients: [String: Buffer.ID] = [:]
  /// Parameters that kernels of inference read as they are, in the order of their first use.
  private var copied: [ParameterRange] = []
  private var copies: [Int: Buffer.ID] = [:]

  private struct SavedKey: Hashable {
    let group: String
    let name: String
  }

  init(
    graph: Graph, mode: Mode, library: any KernelLibrary, smallestSaving: Int, calls: CallList
  ) {
    self.graph = graph
    self.mode = mode
    self.library = library
    self.smallestSaving = smallestSaving
    self.calls = calls
  }

  private func add(_ name: String, _ kind: Buffer.Kind, offset: Int = 0) -> Buffer.ID {
    let id = Buffer.ID(buffers.count)
    buffers.append(Buffer(id: id, name: name, kind: kind, offset: offset))
    return id
  }

  // MARK: Arena and the caller's memory

  /// A new part of the arena.
  func arena(_ name: String, bytes: Int) -> Buffer.ID { add(name, .arena(bytes: bytes)) }

  /// The part of the arena that a group's forward and backward kernels share under a name.
  func saved(_ name: String, of group: String, bytes: Int) -> Buffer.ID {
    let key = SavedKey(group: group, name: name)
    if let found = saved[key] { return found }
    let id = arena("\(group)_\(name)", bytes: bytes)
    saved[key] = id
    return id
  }

  /// Memory outside the arena, one buffer for each kind.
  func outside(_ kind: Buffer.Kind, name: String) -> Buffer.ID {
    if let found = outside[kind] { return found }
    let id = add(name, kind)
    outside[kind] = id
    return id
  }

  /// A new buffer for the channel sums of a tensor. Whoever normalises the tensor finds them.
  func makeSums(
    of tensor: Tensor.ID, cells: Int, map: Int, channels: Int, group: String
  ) -> ChannelSums {
    let count = (map + cells - 1) / cells
    let made = ChannelSums(
      buffer: arena("\(group)_sums", bytes: graph[tensor].type.shape[0] * count * 3 * channels * 4),
      cells: cells, partsPerMap: count)
    sums[tensor] = made
    return made
  }

  /// The channel sums that a tensor's producer gave; nil: none.
  func sums(of tensor: Tensor.ID) -> ChannelSums? { sums[tensor] }

  // MARK: Parameters

  func masterParameter(_ index: Int) -> Buffer.ID {
    outside(.parameter(index), name: graph.parameters[index].name)
  }

  /// The whole parameter block, for a kernel that reads many of them.
  lazy var parameterBlock = add("parameters", .parameter(0))

  func gradient(_ index: Int) -> Buffer.ID {
    outside(.gradient(index), name: "d_" + graph.parameters[index].name)
  }

  /// The parameter itself; for inference, its copy in the packed block.
  func parameter(_ index: Int) -> Buffer.ID {
    guard mode == .inference else { return masterParameter(index) }
    if let found = copies[index] { return found }
    let parameter = graph.parameters[index]
    let offset = copied.last.map { $0.destination + $0.count } ?? 0
    copied.append(
      ParameterRange(source: parameter.offset, destination: offset, count: parameter.spec.count))
    let id = add(parameter.name, .packed("parameters"), offset: offset)
    copies[index] = id
    return id
  }

  /// Makes the packed entry that holds the copies of parameters.
  func packCopies() {
    guard let last = copied.last else { return }
    makeEntry("parameters", bytes: (last.destination + last.count) * 4) { destination in
      library.copyParameters(
        ParameterRange.joined(copied), from: add("parameters", .parameter(0)), to: destination)
    }
  }

  // MARK: Packed entries

  func packed(
    _ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall
  ) -> Buffer.ID {
    if let found = transients[key] ?? outside[.packed(key)] { return found }
    guard mode == .training, bytes >= smallestSaving else {
      return makeEntry(key, bytes: bytes, prepare: prepare)
    }
    let id = arena(key, bytes: bytes)
    calls.fill(id, by: prepare(id))
    transients[key] = id
    return id
  }

  func packedParts(
    _ key: String, floats: [Int], prepare: (Buffer.ID) -> KernelCall
  ) -> [Buffer.ID] {
    if let found = parts[key] { return found }
    let entry = makeEntry(key, bytes: floats.reduce(0, +) * 4, prepare: prepare)
    var offset = 0
    let made = floats.map { count in
      defer { offset += count }
      return offset == 0 ? entry : add(key, .packed(key), offset: offset)
    }
    parts[key] = made
    return made
  }

  /// Forgets the packed entries of the arena: who reads one from now on has it written again.
  func forgetTransients() { transients = [:] }

  @discardableResult
  private func makeEntry(
    _ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall
  ) -> Buffer.ID {
    let id = outside(.packed(key), name: key)
    packedEntries.append(PackedEntry(key: key, bytes: bytes, prepare: prepare(id)))
    return id
  }
}

/// The buffers as the kernels of one group, or of one loss, ask for them.
final class GroupBuffers: BufferSource {
  private let table: BufferTable
  private let name: String
  /// What the group writes; nil: this is a loss.
  private let output: Tensor.ID?

  init(_ table: BufferTable, name: String, output: Tensor.ID?) {
    self.table = table
    self.name = name
    self.output = output
  }

  func arena(_ name: String, bytes: Int) -> Buffer.ID { table.arena(name, bytes: bytes) }

  func saved(_ name: String, bytes: Int) -> Buffer.ID {
    table.saved(name, of: self.name, bytes: bytes)
  }

  func parameter(_ index: Int) -> Buffer.ID { table.parameter(index) }
  func masterParameter(_ index: Int) -> Buffer.ID { table.masterParameter(index) }
  func gradient(_ index: Int) -> Buffer.ID { table.gradient(index) }

  func packed(_ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall) -> Buffer.ID {
    table.packed(key, bytes: bytes, prepare: prepare)
  }

  func packedParts(
    _ key: String, floats: [Int], prepare: (Buffer.ID) -> KernelCall
  ) -> [Buffer.ID] {
    table.packedParts(key, floats: floats, prepare: prepare)
  }

  func channelSums(cells: Int, of map: Int, channels: Int) -> ChannelSums {
    guard let output else {
      preconditionFailure("internal error: channel sums of \(name), which writes no tensor")
    }
    return table.makeSums(of: output, cells: cells, map: map, channels: channels, group: name)
  }
}
