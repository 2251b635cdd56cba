/// A named whole-number constant of a kernel.
public struct Constant: Sendable, Hashable {
  public let name: String
  public let value: Int

  public init(_ name: String, _ value: Int) {
    self.name = name
    self.value = value
  }
}

/// Constants that stand in one `enum`, with what they mean.
public struct ConstantRow: Sendable, Hashable {
  public let constants: [Constant]
  public let comment: String

  public init(_ constants: [Constant], comment: String = "") {
    self.constants = constants
    self.comment = comment
  }
}

/// A piece of a kernel that comes from a template of its own: another layer's epilogue, or its reverse.
public struct Fragment: Sendable, Hashable {
  public let template: String
  /// Values for the template's names.
  public let values: [String: String]
  /// The layer it belongs to, as a comment names it; empty: none other than the kernel's.
  public let layer: String

  public init(template: String, values: [String: String], layer: String) {
    self.template = template
    self.values = values
    self.layer = layer
  }
}

/// Numbers that a kernel looks up: `static const` in C.
public struct KernelTable: Sendable, Hashable {
  public let name: String
  /// Element type in C: `int`, `float`.
  public let element: String
  /// The numbers in C.
  public let values: [String]

  public init(_ name: String, element: String, values: [String]) {
    self.name = name
    self.element = element
    self.values = values
  }
}

/// How a kernel uses a buffer.
public enum Access: String, Sendable, Hashable {
  case read, write, update
  /// Writes the zeros around the maps, where no other kernel writes.
  case halo

  public var reads: Bool { self == .read || self == .update }
  public var writes: Bool { self != .read }
}

/// A buffer handed to a kernel.
public struct Argument: Sendable, Hashable {
  /// The parameter's name in C.
  public let name: String
  /// Element type in C: `float`, `lanes`, `uint8_t`.
  public let element: String
  public let access: Access
  public let buffer: Buffer.ID
  /// Elements from the buffer's start to the first one the kernel sees.
  public let origin: Int
  /// Inner extents, as constants' names or numbers; empty: a plain pointer.
  public let dimensions: [String]
  /// Shape and meaning, for the function's comment.
  public let text: String

  public init(
    _ name: String, element: String, access: Access, buffer: Buffer.ID, origin: Int = 0,
    dimensions: [String] = [], text: String
  ) {
    self.name = name
    self.element = element
    self.access = access
    self.buffer = buffer
    self.origin = origin
    self.dimensions = dimensions
    self.text = text
  }
}

/// A run-time value handed to a kernel.
public enum Scalar: String, Sendable, Hashable {
  /// Images in the batch.
  case batch
  /// Vectors of images: the batch over the lanes, rounded up.
  case groups
  /// Whether parameter gradients add to what is there.
  case accumulate
  /// Key and counter of random numbers.
  case seed, step

  public var cType: String {
    switch self {
    case .batch, .groups, .accumulate: "int"
    case .seed, .step: "uint64_t"
    }
  }
}

/// What a kernel costs at the largest batch.
public struct Work: Sendable, Hashable {
  /// Floating-point operations.
  public let flops: Double
  /// Bytes read and written.
  public let bytes: Double
  /// Share of the target's peak that the kernel can be expected to reach.
  public let efficiency: Double

  public init(flops: Double, bytes: Double, efficiency: Double) {
    self.flops = flops
    self.bytes = bytes
    self.efficiency = efficiency
  }

  /// Estimated time on one thread.
  public func microseconds(on target: Target) -> Double {
    flops / (target.peak * efficiency * 1e3) + bytes / 20e3
  }
}

/// A call of a generated function: a template, what fills it, and the buffers it works on.
public struct KernelCall: Sendable, Hashable {
  public let template: String
  /// Function name, made of the layers' names and the direction.
  public let name: String
  /// First line of the function's comment: what it computes.
  public let title: String
  /// Further sentences of the comment.
  public let notes: [String]
  /// Layers whose work this is.
  public let layers: [String]
  public let constants: [ConstantRow]
  /// Switches of the template's sections.
  public let flags: [String: Bool]
  /// Short texts for the template's names.
  public let texts: [String: String]
  /// Pieces from other layers, by the partial's name in the template.
  public let fragments: [String: [Fragment]]
  public let tables: [KernelTable]
  /// Templates of helper functions that stand once in the file, before the kernels.
  public let support: [String]
  public let scalars: [Scalar]
  public let arguments: [Argument]
  /// Whether the template shares its work among threads.
  public private(set) var isParallel: Bool
  public let work: Work
  /// What it gets for the batch: the extent of axis 0 of an unbatched network's tensors; nil: the batch of the call.
  public private(set) var images: Int?

  public init(
    template: String, name: String, title: String, notes: [String] = [], layers: [String],
    constants: [ConstantRow], flags: [String: Bool] = [:], texts: [String: String] = [:],
    fragments: [String: [Fragment]] = [:], tables: [KernelTable] = [], support: [String] = [],
    scalars: [Scalar], arguments: [Argument], isParallel: Bool = true, work: Work
  ) {
    self.template = template
    self.name = name
    self.title = title
    self.notes = notes
    self.layers = layers
    self.constants = constants
    self.flags = flags
    self.texts = texts
    self.fragments = fragments
    self.tables = tables
    self.support = support
    self.scalars = scalars
    self.arguments = arguments
    self.isParallel = isParallel
    self.work = work
  }

  /// The same call on one thread, for work too small to share.
  public func serial() -> KernelCall {
    var call = self
    call.isParallel = false
    return call
  }

  /// The same call for tensors with another extent of axis 0 than the batch.
  public func onImages(_ images: Int) -> KernelCall {
    var call = self
    call.images = images
    return call
  }
}
