/// How a template sees an element: one float, or a vector of lanes.
public enum Dialect: Sendable, Hashable {
  /// Floats, with the lane as a last index where the layout has one.
  case scalar
  /// Vectors of lanes.
  case vector
}

/// Pieces of a kernel that come from other layers: text, and the arguments it reads.
public struct Pieces: Sendable, Hashable {
  public var fragments: [Fragment]
  public var arguments: [Argument]
  public var scalars: [Scalar]
  public var support: [String]
  /// What draws the random bits that the fragments read, for a patch of values at a time.
  public var draws: [Fragment] = []

  public init(
    fragments: [Fragment] = [], arguments: [Argument] = [], scalars: [Scalar] = [],
    support: [String] = []
  ) {
    self.fragments = fragments
    self.arguments = arguments
    self.scalars = scalars
    self.support = support
  }

  /// Adds what comes after.
  public mutating func append(_ other: Pieces) {
    fragments += other.fragments
    arguments += other.arguments.filter { argument in
      !arguments.contains { $0.name == argument.name }
    }
    scalars += other.scalars.filter { !scalars.contains($0) }
    draws += other.draws
    addSupport(other.support)
  }

  /// Adds functions that the fragments call, those that are not there yet.
  public mutating func addSupport(_ templates: [String]) {
    for template in templates where !support.contains(template) { support.append(template) }
  }
}

/// A gradient that no kernel stores: who needs it computes it from one that is stored.
public struct DeferredGradient {
  /// What is read.
  public let source: Placement
  /// From a value that was read to the gradient, for a kernel that calls maps, rows and columns by these names.
  public let pieces: (Dialect, _ names: (c: String, h: String, w: String)) -> Pieces

  public init(
    source: Placement,
    pieces: @escaping (Dialect, _ names: (c: String, h: String, w: String)) -> Pieces
  ) {
    self.source = source
    self.pieces = pieces
  }
}
