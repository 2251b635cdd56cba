/// A generated function: one kernel, used by every call whose text would be the same.
public struct CFunction: Sendable {
  public let name: String
  public let call: KernelCall

  public init(name: String, call: KernelCall) {
    self.name = name
    self.call = call
  }
}

/// A program's calls as functions, in the order of its schedule.
public struct CProgram: Sendable {
  public let schedule: Schedule
  /// For each call of the plan the name of its function.
  public let functions: [String]

  public init(schedule: Schedule, functions: [String]) {
    self.schedule = schedule
    self.functions = functions
  }
}

/// An entry of the packed block with its place and its function.
public struct PackedSlot: Sendable {
  public let entry: PackedEntry
  /// Bytes from the start of the packed block.
  public let offset: Int
  public let function: String

  public init(entry: PackedEntry, offset: Int, function: String) {
    self.entry = entry
    self.offset = offset
    self.function = function
  }
}

/// Everything a C file says, before it is text.
public struct CModule: Sendable {
  /// Prefix of all symbols.
  public let name: String
  public let graph: Graph
  public let target: Target
  public let functions: [CFunction]
  public let packed: [PackedSlot]
  public let packedBytes: Int
  public let inference: CProgram
  /// nil in a build that only infers.
  public let training: CProgram?
  /// Identifies network, shapes and target.
  public let modelHash: String

  public init(
    name: String, graph: Graph, target: Target, functions: [CFunction], packed: [PackedSlot],
    packedBytes: Int, inference: CProgram, training: CProgram?, modelHash: String
  ) {
    self.name = name
    self.graph = graph
    self.target = target
    self.functions = functions
    self.packed = packed
    self.packedBytes = packedBytes
    self.inference = inference
    self.training = training
    self.modelHash = modelHash
  }
}
