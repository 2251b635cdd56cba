/// What is wrong with a network, and where.
public struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
  /// The layer's name, or the model's where no layer is at fault.
  public let layer: String
  /// The line of the user's program that made the layer.
  public let location: SourceLocation?
  /// What is wrong, what was expected, and the way out; one line.
  public let message: String

  public init(layer: String, location: SourceLocation?, message: String) {
    self.layer = layer
    self.location = location
    self.message = message
  }

  public var description: String {
    let place = location.map { " (\($0))" } ?? ""
    return "\(layer)\(place): \(message)"
  }
}

/// Why a network could not be compiled: everything that was found, in the order of the layers.
public struct CompileError: Error, Sendable, Hashable, CustomStringConvertible {
  public let diagnostics: [Diagnostic]

  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  public init(layer: String, location: SourceLocation? = nil, _ message: String) {
    self.init([Diagnostic(layer: layer, location: location, message: message)])
  }

  /// One line: the first finding, and how many more there are.
  public var description: String {
    guard let first = diagnostics.first else { return "the network cannot be compiled" }
    let more = diagnostics.count - 1
    return more == 0 ? "\(first)" : "\(first) (and \(more) more)"
  }
}

/// Why a layer does not accept its inputs.
public enum LayerError: Error, Sendable, Hashable, CustomStringConvertible {
  case inputCount(expected: String, got: Int)
  case rank(expected: Int, got: [Int], wayOut: String)
  case channels(expected: Int, got: Int, wayOut: String)
  case shapesDiffer([Int], [Int], wayOut: String)
  case setting(String)
  case window(String)
  case overflow(String)

  public var description: String {
    switch self {
    case .inputCount(let expected, let got):
      return "expects \(expected), got \(got)"
    case .rank(let expected, let got, let wayOut):
      return "expects an input of rank \(expected), got \(Self.text(got)); \(wayOut)"
    case .channels(let expected, let got, let wayOut):
      return "expects \(expected) input channels, got \(got); \(wayOut)"
    case .shapesDiffer(let first, let second, let wayOut):
      return "expects equal shapes, got \(Self.text(first)) and \(Self.text(second)); \(wayOut)"
    case .setting(let text), .window(let text), .overflow(let text):
      return text
    }
  }

  static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "x")
  }
}
