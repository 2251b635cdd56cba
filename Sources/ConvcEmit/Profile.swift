import ConvcIR

/// A piece of work that a profiled build puts a clock around.
public struct ProfileSlot: Sendable, Hashable {
  /// Who is busy with it.
  public enum Kind: Sendable, Hashable {
    /// All threads share it.
    case shared
    /// One thread does it, while the others go on.
    case single
    /// Threads wait for each other.
    case barrier
  }

  /// The function that it is a part of.
  public enum Entry: String, Sendable, Hashable {
    case forward, gradients, update, prepare
  }

  public let entry: Entry
  public let kind: Kind
  /// The kernel's name, made of the layers' names and the direction; for a barrier why threads wait.
  public let name: String
  /// Layers whose work it is; empty for a barrier.
  public let layers: [String]
  /// Floating-point operations at the largest batch.
  public let flops: Double
  /// Bytes of all buffers that it works on, each counted once if read and once if written.
  public let bytes: Double
}

/// Where a profiled build takes the time.
///
/// It is the same program with a clock read after each call of a kernel and after each barrier. What
/// `NAME_profile` returns holds seconds: for each of ``threads`` threads ``stride`` numbers, one for
/// each slot; they grow with every call until the caller clears them.
public struct Profile: Sendable {
  /// Threads beyond this many are not clocked.
  public static let threads = 256

  public let slots: [ProfileSlot]
  private let places: [Place: Int]

  /// Numbers of one thread, in whole cache lines.
  public var stride: Int { (slots.count + 7) / 8 * 8 }

  /// A place in the generated C where the clock is read.
  enum Place: Hashable {
    case call(ProfileSlot.Entry, Int)
    case barrier(ProfileSlot.Entry, Int)
    case update
  }

  public init(_ module: CModule) {
    var builder = Builder(module: module)
    builder.add(module.inference, entry: .forward)
    if let training = module.training {
      builder.add(training, entry: .gradients)
      builder.addUpdate()
    }
    builder.addPrepare()
    (slots, places) = (builder.slots, builder.places)
  }

  func slot(_ place: Place) -> Int {
    guard let slot = places[place] else {
      preconditionFailure("internal error: \(place) has no clock")
    }
    return slot
  }
}

extension Profile {
  /// Names that profiled C uses beside those of plain C.
  static let words = ["profile_clock", "profile_now", "profile_add", "profile_seconds"]
  static let start = "double profile_clock = profile_now();"
  static let restart = "profile_clock = profile_now();"

  /// Adds the time since the last reading to a slot.
  func mark(_ place: Place) -> String {
    "profile_clock = profile_add(\(slot(place)), profile_clock);"
  }
}

/// Numbers the slots in the order in which they run.
private struct Builder {
  let module: CModule
  private(set) var slots: [ProfileSlot] = []
  private(set) var places: [Profile.Place: Int] = [:]

  init(module: CModule) {
    self.module = module
  }

  private mutating func add(
    _ place: Profile.Place, _ entry: ProfileSlot.Entry, _ kind: ProfileSlot.Kind, _ name: String,
    layers: [String] = [], flops: Double = 0, bytes: Double = 0
  ) {
    places[place] = slots.count
    slots.append(
      ProfileSlot(
        entry: entry, kind: kind, name: name, layers: layers, flops: flops, bytes: bytes))
  }

  private mutating func add(
    _ call: KernelCall, _ index: Int, _ entry: ProfileSlot.Entry, _ kind: ProfileSlot.Kind,
    in kernels: KernelGraph
  ) {
    // A call works on one slice of the batch.
    let slices = Double(module.graph.batch) / Double(kernels.graph.batch)
    add(
      .call(entry, index), entry, kind, call.name, layers: call.layers,
      flops: call.work.flops * slices, bytes: traffic(of: call, in: kernels) * slices)
  }

  /// Bytes that a call reads and writes where nothing stays in a cache between calls.
  private func traffic(of call: KernelCall, in kernels: KernelGraph) -> Double {
    var counted: Set<[Int]> = []
    var bytes = 0.0
    for argument in call.arguments {
      // Only the border is written, which the kernel itself knows best.
      if argument.access == .halo { return call.work.bytes }
      // The same for a part of the parameter block.
      if kernels.place(of: kernels[argument.buffer]) == .parameters { return call.work.bytes }
      let size = Double(size(of: kernels[argument.buffer], in: kernels.graph))
      let index = argument.buffer.index
      if argument.access.reads, counted.insert([index, 0]).inserted { bytes += size }
      if argument.access.writes, counted.insert([index, 1]).inserted { bytes += size }
    }
    return bytes
  }

  /// Bytes of a whole buffer.
  private func size(of buffer: Buffer, in graph: Graph) -> Int {
    switch buffer.kind {
    case .arena(let bytes): return bytes
    case .input(let index): return graph[graph.inputs[index]].type.bytes
    case .target(let index): return graph.targets[index].type.bytes
    case .output(let index): return graph[graph.outputs[index].tensor].type.bytes
    case .parameter(let index): return 4 * graph.parameters[index].spec.count
    case .gradient(let index): return 4 * graph.parameters[index].spec.count
    case .packed(let key):
      // A parameter's copy, or an entry of its own.
      let copied = graph.parameters.first { $0.name == buffer.name }
      if let copied { return 4 * copied.spec.count }
      return module.packed.first { $0.entry.key == key }?.entry.bytes ?? 0
    case .gradients: return 4 * graph.trainableCount
    case .losses: return 4 * graph.lossEntries
    }
  }

  mutating func add(_ program: CProgram, entry: ProfileSlot.Entry) {
    let kernels = program.schedule.plan.kernels
    for (index, step) in program.schedule.steps.enumerated() {
      switch step {
      case .shared(let call):
        add(kernels.calls[call], call, entry, .shared, in: kernels)
      case .single(let small):
        for call in small { add(kernels.calls[call], call, entry, .single, in: kernels) }
      case .barrier(let reason): add(.barrier(entry, index), entry, .barrier, reason)
      }
    }
  }

  /// The update reads gradient, velocity and parameter, and writes the last two.
  mutating func addUpdate() {
    let count = Double(module.graph.trainableCount)
    add(.barrier(.update, 0), .update, .barrier, "all gradients are there")
    add(.update, .update, .shared, "update", flops: 6 * count, bytes: 20 * count)
    add(.barrier(.update, 1), .update, .barrier, "all parameters are there")
  }

  mutating func addPrepare() {
    for (index, slot) in module.packed.enumerated() {
      let call = slot.entry.prepare
      add(.barrier(.prepare, index), .prepare, .barrier, "the packed block is read")
      add(
        call, index, .prepare, call.isParallel ? .shared : .single,
        in: module.kernels(of: slot.entry))
    }
  }
}
