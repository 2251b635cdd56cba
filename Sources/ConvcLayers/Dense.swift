import ConvcIR
import ConvcReference

/// Multiplies features by a learned matrix and adds a bias.
///
/// - Input: `[N, F]`; maps are flattened in NCHW order by ``Flatten``.
/// - Output: `[N, K]`.
/// - Parameters: `weight [K, F]`, and `bias [K]` unless switched off.
/// - Formula: `y[n, k] = bias[k] + Σ weight[k, f] · x[n, f]`.
/// - Gradient: of the input, the output's times the weights; of weight and bias, sums over the images.
/// - Edges: `dropConnect` sets each weight to zero with that probability while training and scales the others by
///   1/(1 − p); one mask for all images of a step, drawn from Philox by seed, layer, step and index of the weight, again
///   in backward. Inference uses all weights.
/// - Fusion: takes ReLU and addition into its loops.
/// - Errors: input not of rank 2; a dropConnect outside `0..<1`.
/// - Source: ONNX `Gemm` with `transB`, opset 13; PyTorch `Linear`. DropConnect: Wan et al. 2013.
public struct Dense: Layer {
  public static let kind = "dense"

  public let outputs: Int
  public let hasBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer
  /// Probability with which training sets a weight to zero.
  public let dropConnect: Double

  public init(
    outputs: Int, bias: Bool = true, initializer: Initializer = .heNormal,
    biasInitializer: Initializer = .zero, dropConnect: Double = 0
  ) {
    self.outputs = outputs
    hasBias = bias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
    self.dropConnect = dropConnect
  }

  public var summary: String {
    "Dense" + (hasBias ? "" : ", no bias")
      + (dropConnect == 0 ? "" : ", dropConnect \(dropConnect)")
  }

  public var traits: LayerTraits { hasBias ? [.linear, .bias] : .linear }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard input.shape.count == 2 else {
      throw .rank(expected: 2, got: input.shape, wayOut: "put Flatten() before it")
    }
    guard outputs > 0 else { throw .setting("outputs \(outputs) has to be at least 1") }
    try DropConnect(rate: dropConnect).check()
    return input.with(shape: [input.shape[0], outputs])
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    let features = inputs[0].shape[1]
    let weight = ParameterSpec(
      "weight", shape: [outputs, features], initializer: initializer, decays: true,
      fanIn: features, fanOut: outputs)
    let bias = ParameterSpec(
      "bias", shape: [outputs], initializer: biasInitializer, fanIn: features, fanOut: outputs)
    return hasBias ? [weight, bias] : [weight]
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int { inputs[0].count * outputs }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: .vector) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    var all = [genericCandidate(for: group)]
    if group.target.hasVectors {
      all += [lanesCandidate(for: group)] + [rowsCandidate(for: group)].compactMap { $0 }
    }
    return DropConnect(rate: dropConnect).apply(
      to: all, of: group, direct: ["generic", "lanes", "blocked"])
  }
}

extension Dense: HeadLayer {
  public var outputCount: Int { outputs }

  public func withOutputs(_ count: Int) -> any Layer {
    Dense(
      outputs: count, initializer: initializer, biasInitializer: biasInitializer,
      dropConnect: dropConnect)
  }
}

extension Value {
  /// Applies ``Dense``.
  public func dense(
    _ outputs: Int, initializer: Initializer = .heNormal, biasInitializer: Initializer = .zero,
    dropConnect: Double = 0, name: String? = nil, frozen: Bool = false,
    regularizer: Regularizer? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Dense(
        outputs: outputs, initializer: initializer, biasInitializer: biasInitializer,
        dropConnect: dropConnect),
      name: name, frozen: frozen, regularizer: regularizer, file: file, line: line)
  }
}

extension Dense: RegisteredLayer {
  public static let settings = [
    SettingSpec("outputs", .integer, default: nil, "features of the output"), .bias,
    .initializer, .biasInitializer, .dropConnect,
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      outputs: try settings.integer("outputs"), bias: try settings.boolean("bias"),
      initializer: try settings.initializer("initializer"),
      biasInitializer: try settings.initializer("biasInitializer"),
      dropConnect: try settings.number("dropConnect"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "outputs": .integer(outputs), "bias": .boolean(hasBias),
      "initializer": .word(initializer.text), "biasInitializer": .word(biasInitializer.text),
      "dropConnect": .number(dropConnect),
    ]
  }

  public static let examples = [
    LayerExample(Dense(outputs: 4), inputs: [2, 5]),
    LayerExample(Dense(outputs: 17, bias: false), inputs: [3, 20]),
    LayerExample(Dense(outputs: 6, dropConnect: 0.5), inputs: [3, 20]),
  ]
}

extension Dense: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let (batch, features) = (x.shape[0], x.shape[1])
    let weight = DropConnect(rate: dropConnect).masked(call.parameters[0], call)
    let y = DoubleTensor(shape: call.outputShape)
    for n in 0..<batch {
      for k in 0..<outputs {
        let product = dot(row(x, n, features), row(weight, k, features))
        y.address[n * outputs + k] = product + (hasBias ? call.parameters[1].address[k] : 0)
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let (batch, features) = (x.shape[0], x.shape[1])
    let connections = DropConnect(rate: dropConnect)
    let weight = connections.masked(call.parameters[0], call)
    let inputGradient = DoubleTensor(shape: x.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    let biasGradient = DoubleTensor(shape: [outputs])
    for n in 0..<batch {
      for k in 0..<outputs {
        let gradient = outputGradient.address[n * outputs + k]
        addScaled(gradient, row(weight, k, features), to: row(inputGradient, n, features))
        addScaled(gradient, row(x, n, features), to: row(weightGradient, k, features))
        biasGradient.address[k] += gradient
      }
    }
    let kept = connections.masked(weightGradient, call)
    return LayerGradients(
      inputs: [inputGradient], parameters: hasBias ? [kept, biasGradient] : [kept])
  }

  private func row(_ matrix: DoubleTensor, _ index: Int, _ length: Int) -> Patch {
    Patch(matrix.address + index * length, rows: 1, columns: length)
  }
}
