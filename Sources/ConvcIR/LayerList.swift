/// A layer in a list, with what its author said of it.
public struct LayerEntry: Sendable {
  public let layer: any Layer
  /// The name its author gave; nil: it is numbered by its kind.
  public let name: String?
  public let isFrozen: Bool
  /// The penalty on the layer's weights; nil: the model's.
  public let regularizer: Regularizer?
  public let location: SourceLocation?

  public init(
    layer: any Layer, name: String?, isFrozen: Bool, regularizer: Regularizer? = nil,
    location: SourceLocation?
  ) {
    self.layer = layer
    self.name = name
    self.isFrozen = isFrozen
    self.regularizer = regularizer
    self.location = location
  }

  /// The same layer under a name: a C identifier.
  public func named(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> LayerEntry {
    LayerEntry(
      layer: layer, name: name, isFrozen: isFrozen, regularizer: regularizer,
      location: SourceLocation(file: file, line: line))
  }

  /// The same layer with parameters that training leaves alone.
  public func frozen(file: String = #fileID, line: Int = #line) -> LayerEntry {
    LayerEntry(
      layer: layer, name: name, isFrozen: true, regularizer: regularizer,
      location: SourceLocation(file: file, line: line))
  }
}

extension Layer {
  /// The layer under a name: a C identifier.
  public func named(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> LayerEntry {
    LayerEntry(
      layer: self, name: name, isFrozen: false, location: SourceLocation(file: file, line: line))
  }

  /// The layer with parameters that training leaves alone.
  public func frozen(file: String = #fileID, line: Int = #line) -> LayerEntry {
    LayerEntry(
      layer: self, name: nil, isFrozen: true, location: SourceLocation(file: file, line: line))
  }
}

/// Collects the layers of a list.
@resultBuilder
public enum LayerListBuilder {
  public static func buildExpression(
    _ layer: any Layer, file: String = #fileID, line: Int = #line
  ) -> [LayerEntry] {
    [
      LayerEntry(
        layer: layer, name: nil, isFrozen: false,
        location: SourceLocation(file: file, line: line))
    ]
  }
  public static func buildExpression(_ entry: LayerEntry) -> [LayerEntry] { [entry] }
  public static func buildExpression(_ entries: [LayerEntry]) -> [LayerEntry] { entries }
  public static func buildBlock(_ parts: [LayerEntry]...) -> [LayerEntry] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [LayerEntry]?) -> [LayerEntry] { part ?? [] }
  public static func buildEither(first part: [LayerEntry]) -> [LayerEntry] { part }
  public static func buildEither(second part: [LayerEntry]) -> [LayerEntry] { part }
  public static func buildArray(_ parts: [[LayerEntry]]) -> [LayerEntry] { parts.flatMap { $0 } }
}

extension Model {
  /// A network as a list of layers, each reading the one before.
  ///
  /// - Parameters:
  ///   - name: name of the model, from which C symbols get their prefix.
  ///   - input: extents of one image, `[C, H, W]`, or `[F]` for features.
  ///   - loss: loss on the last layer's output; nil: the network only infers.
  ///   - regularizer: penalty on the weights of all layers that have none of their own; nil: none.
  public init(
    _ name: String, input: [Int], loss: (any Loss)? = nil, regularizer: Regularizer? = nil,
    file: String = #fileID, line: Int = #line, @LayerListBuilder layers: () -> [LayerEntry]
  ) {
    self.init(name, file: file, line: line) { graph in
      if let regularizer { graph.regularize(regularizer) }
      var value = graph.input("image", input, file: file, line: line)
      for entry in layers() { value = graph.append(entry, to: [value]) }
      graph.output("output", value)
      if let loss {
        graph.loss(loss, on: "output", target: "target", file: file, line: line)
      }
    }
  }

  /// A network as a graph: layers applied to values, with branches.
  public init(
    _ name: String, file: String = #fileID, line: Int = #line,
    graph build: (ModelBuilder) -> Void
  ) {
    let builder = ModelBuilder(name: name)
    build(builder)
    self = builder.model
  }
}
