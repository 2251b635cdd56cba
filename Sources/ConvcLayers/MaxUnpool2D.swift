import ConvcIR
import ConvcReference

/// Puts values back to where the maxima of a pooling layer were, and zeros elsewhere.
///
/// - Inputs: the values `[N, C, OH, OW]`; then the map `[N, C, H, W]` that the pool read, in which the winners are found
///   again: no index is stored.
/// - Output: `[N, C, H, W]`.
/// - Formula: `y[winner of window i] += x[i]`, with the windows and the tie rule of ``MaxPool2D``.
/// - Gradient: of the values, `d_x[i] = d_y[winner of window i]`; of the map none, for the winners are switches.
/// - Edges: where windows overlap and share a winner, their values add up. The first cell in row-major order wins a tie,
///   padding never wins, NaN wins.
/// - Fusion: none.
/// - Errors: other than two inputs of rank 4; values that are not of the pool's output shape; a window that no pool has.
/// - Source: Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks (switches); SegNet,
///   Badrinarayanan et al. 2017. PyTorch `MaxUnpool2d`, which takes the indices instead. ONNX `MaxUnpool`, opset 11, likewise.
public struct MaxUnpool2D: Layer {
  public static let kind = "unpool"

  /// Of the pool whose winners are meant; nil: the layer that was named is no such pool.
  public let window: Window2D?

  /// - Parameter stride: nil: the kernel size.
  public init(
    kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, rounding: Rounding = .floor
  ) {
    window = Window2D(
      kernelSize: kernelSize, stride: stride ?? kernelSize, padding: padding, rounding: rounding)
  }

  /// The reverse of a pooling layer; what is no ``MaxPool2D`` is refused when shapes are inferred.
  public init(of pool: (any Layer)?) { window = (pool as? MaxPool2D)?.window }

  public var summary: String { "MaxUnpool2D" + (window.map { " \($0.poolingText)" } ?? "") }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard let window else {
      throw .setting(
        "unpool(like:) needs the result of maxPool, whose input shows where the maxima were; give that value"
      )
    }
    guard inputs.count == 2 else {
      throw .inputCount(
        expected: "two inputs, the values and the map that the pool read", got: inputs.count)
    }
    _ = try [inputs[0]].singleMaps()
    let pooled = try window.pooledType(of: [inputs[1]])
    guard inputs[0].shape == pooled.shape else {
      throw .shapesDiffer(
        pooled.shape, inputs[0].shape,
        wayOut: "values need a place in each window of the pool's output")
    }
    return inputs[1]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }
}

extension MaxUnpool2D {
  /// Whether windows without vectors stand side by side, so that a row of them is taken at once.
  private func areTiles(_ x: Placement, _ y: Placement) -> Bool {
    guard let window, !y.isVector, x.maps.w <= 2048 else { return false }
    let size = window.kernelSize
    return window.stride == size && window.padding.top == 0 && window.padding.left == 0
      && x.maps.h * size.height <= y.maps.h && x.maps.w * size.width <= y.maps.w
      && size.height * size.width <= 16
  }

  private func call(
    _ context: ForwardContext, _ direction: String, title: String, flags: [String: Bool] = [:],
    texts: [String: String], arguments: [Argument]
  ) -> [KernelCall] {
    guard let window else { return [] }
    let (x, y) = (context.inputs[0], context.output)
    return [
      KernelCall(
        template: "maxunpool2d_\(direction)", name: "\(context.context.group.name)_\(direction)",
        title: title, notes: ["Winners are found as the pooling layer finds them."],
        layers: layerNames(context.context), constants: window.poolingConstants(y, x),
        flags: flags.merging(["vector": y.isVector]) { $1 },
        texts: texts.merging(["outer": y.outerScalar.rawValue]) { $1 },
        scalars: [y.outerScalar], arguments: arguments,
        work: streamingWork(y, y, x, flopsPerValue: 2))
    ]
  }

  private func map(_ context: ForwardContext) -> Argument {
    context.inputs[1].argument("map", .read, .vector, meaning: "what the pool read")
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    return call(
      context, "forward", title: groupSummary(context.context),
      flags: ["tiles": areTiles(x, y)], texts: ["zero": y.cellValue(0)],
      arguments: [
        x.argument("x", .read, .vector, names: ("C", "OH", "OW"), meaning: x.lanesText),
        map(context), y.argument("y", .write, .vector),
      ])
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    let dY = context.outputGradient
    var calls: [KernelCall] = []
    if let gradient = context.inputGradients[0] {
      calls += call(
        context.forward, "backward", title: "gradient of the values",
        texts: ["store": gradient.accumulates ? "+=" : "="],
        arguments: [
          dY.argument("d_y", .read, .vector, meaning: dY.lanesText), map(context.forward),
          gradient.placement.argument(
            "d_x", gradient.accumulates ? .update : .write, .vector, names: ("C", "OH", "OW")),
        ])
    }
    // Who adds to what others wrote has nothing to add.
    if let gradient = context.inputGradients[1], !gradient.accumulates {
      let dMap = gradient.placement
      calls.append(
        cellsCall(
          context.context, name: "backward_map", title: "gradient of the switches: none",
          over: dMap, dMap.cell("d_map"), from: dMap.cellValue(0),
          arguments: [dMap.cellArgument("d_map", .write, like: dMap)]))
    }
    return calls
  }
}

extension Value {
  /// Puts this value's cells back to where the maxima were that `pooled`, the result of ``MaxPool2D``, took.
  public func unpool(
    like pooled: Value, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    let layer = MaxUnpool2D(of: pooled.node?.layer)
    let map = pooled.inputs.first ?? pooled
    return apply(layer, with: [map], name: name, file: file, line: line)
  }
}

extension MaxUnpool2D: RegisteredLayer {
  public static let settings = MaxPool2D.settings

  public init(settings: Settings) throws(SettingError) {
    self.init(of: try MaxPool2D(settings: settings))
  }

  public var settingValues: [String: SettingValue] { window?.poolingSettings ?? [:] }

  public static let examples = [
    LayerExample(MaxUnpool2D(kernelSize: 2), inputs: [2, 3, 2, 3], [2, 3, 4, 6])
  ]
}

extension MaxUnpool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    window?.forEachWinner(of: call.inputs[1], outputs: call.input.maps) { value, winner, distance in
      y.address[winner] += call.input.address[value]
      decisions.note(winner, distance: distance)
    }
    return LayerResult(
      output: y, decisions: decisions.hash, margin: decisions.margin(in: call.inputs[1]))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    window?.forEachWinner(of: call.inputs[1], outputs: call.input.maps) { value, winner, _ in
      gradient.address[value] = outputGradient.address[winner]
    }
    return LayerGradients(inputs: [gradient, DoubleTensor(shape: call.inputs[1].shape)])
  }
}
