/// Collects the layers of a network that is written as a graph.
public final class ModelBuilder {
  public private(set) var model: Model
  private var numbers: [String: Int] = [:]

  /// - Parameter isUnbatched: shapes are whole, axis 0 with them; else those of one image.
  public init(name: String, isUnbatched: Bool = false) {
    model = Model(name: name, inputs: [], nodes: [], outputs: [], isUnbatched: isUnbatched)
  }

  /// An input of the network.
  ///
  /// - Parameter shape: extents of one image, `[C, H, W]`, or `[F]` for features; of an unbatched network all extents.
  public func input(
    _ name: String, _ shape: [Int], label: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    var input = Model.Input(
      name: name, shape: shape, location: SourceLocation(file: file, line: line))
    input.label = label
    return self.input(input)
  }

  /// An input with all that can be said of one.
  public func input(_ input: Model.Input) -> Value {
    model.inputs.append(input)
    return Value(name: input.name, builder: self)
  }

  /// Applies a layer to values.
  ///
  /// - Parameters:
  ///   - name: a C identifier; nil: the layer is numbered by its kind, `conv1`.
  ///   - frozen: training leaves the layer's parameters alone.
  ///   - regularizer: penalty on the layer's weights; nil: the model's.
  public func apply(
    _ layer: any Layer, to values: [Value], name: String? = nil, frozen: Bool = false,
    regularizer: Regularizer? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    append(
      LayerEntry(
        layer: layer, name: name, isFrozen: frozen, regularizer: regularizer,
        location: SourceLocation(file: file, line: line)), to: values)
  }

  /// Penalises the weights of all layers that have no regularizer of their own.
  public func regularize(_ regularizer: Regularizer) { model.regularizer = regularizer }

  /// Names a value as a result of the network.
  ///
  /// - Parameters:
  ///   - label: what the caller of a program calls it; nil: the name.
  ///   - callerShape: the whole shape that he sees; nil: the tensor's.
  public func output(
    _ name: String, _ value: Value, label: String? = nil, callerShape: [Int]? = nil
  ) {
    var output = Model.Output(name: name, label: label, node: value.name)
    output.callerShape = callerShape
    model.outputs.append(output)
  }

  /// Judges an output by a loss.
  ///
  /// - Parameters:
  ///   - output: name of the output.
  ///   - target: name of the target that the caller passes.
  ///   - weight: factor in the sum that training minimises.
  public func loss(
    _ loss: any Loss, on output: String, target: String, weight: Float = 1, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) {
    model.losses.append(
      Model.LossTerm(
        name: name ?? "loss_\(output)", loss: loss, output: output, target: target, weight: weight,
        location: SourceLocation(file: file, line: line)))
  }

  func append(_ entry: LayerEntry, to values: [Value]) -> Value {
    let name = entry.name ?? number(type(of: entry.layer).kind)
    model.nodes.append(
      Model.Node(
        name: name, layer: entry.layer, inputs: values.map(\.name), isFrozen: entry.isFrozen,
        regularizer: entry.regularizer, location: entry.location))
    return Value(name: name, builder: self)
  }

  private func number(_ kind: String) -> String {
    let taken = Set(model.nodes.map(\.name))
    var next = numbers[kind, default: 0]
    repeat { next += 1 } while taken.contains("\(kind)\(next)")
    numbers[kind] = next
    return "\(kind)\(next)"
  }
}

/// What a layer of a graph under construction returns.
public struct Value {
  public let name: String
  let builder: ModelBuilder

  /// The layer that made the value, with the names of what it reads; nil: an input of the network.
  public var node: Model.Node? { builder.model.nodes.last { $0.name == name } }

  /// What the layer that made the value reads.
  public var inputs: [Value] {
    (node?.inputs ?? []).map { Value(name: $0, builder: builder) }
  }

  /// Applies a layer to this value.
  public func apply(
    _ layer: any Layer, name: String? = nil, frozen: Bool = false,
    regularizer: Regularizer? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    builder.apply(
      layer, to: [self], name: name, frozen: frozen, regularizer: regularizer, file: file,
      line: line)
  }

  /// Applies a layer to this value and others.
  public func apply(
    _ layer: any Layer, with others: [Value], name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    builder.apply(layer, to: [self] + others, name: name, file: file, line: line)
  }
}
