/// Memory that kernels read and write.
public struct Buffer: Sendable, Hashable, Identifiable {
  public struct ID: Sendable, Hashable, Comparable {
    public let index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
  }

  public enum Kind: Sendable, Hashable {
    /// A part of the arena, given its place by `PlanMemory`.
    case arena(bytes: Int)
    /// The caller's memory, NCHW.
    case input(Int)
    case target(Int)
    case output(Int)
    /// A parameter in the parameter block: its index in the table.
    case parameter(Int)
    /// A parameter's gradient in the gradient block.
    case gradient(Int)
    /// The whole gradient block.
    case gradients
    /// An entry of the packed block.
    case packed(String)
    /// The losses that the caller receives.
    case losses
  }

  public let id: ID
  /// What it holds, for listings: `conv1`, `d_pool1`.
  public let name: String
  public let kind: Kind
  /// Offset into a `packed` entry, in floats.
  public let offset: Int

  public init(id: ID, name: String, kind: Kind, offset: Int = 0) {
    self.id = id
    self.name = name
    self.kind = kind
    self.offset = offset
  }

  /// Bytes in the arena; 0 elsewhere.
  public var arenaBytes: Int {
    if case .arena(let bytes) = kind { bytes } else { 0 }
  }
}

/// An entry of the packed block, derived from the parameters by `prepare`.
public struct PackedEntry: Sendable, Hashable {
  /// Unique name: `conv1.weight.blocked`.
  public let key: String
  public let bytes: Int
  /// The kernel that writes it.
  public let prepare: KernelCall

  public init(key: String, bytes: Int, prepare: KernelCall) {
    self.key = key
    self.bytes = bytes
    self.prepare = prepare
  }
}
