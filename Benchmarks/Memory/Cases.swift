import Convc

/// A layer on large maps, and which tensors it has to move.
struct Case {
  /// What backward reads beside the output's gradient.
  enum Needs {
    case nothing, inputs, output, winners
    /// The output's gradient again, in a kernel for parameters.
    case gradient
  }

  /// What a normalisation takes statistics of.
  enum Unit {
    /// So many channels of an image.
    case maps(Int)
    /// A channel of all images.
    case batch
  }

  let name: String
  let layer: any RegisteredLayer
  /// Extents with the batch first.
  let inputs: [[Int]]
  var needs = Needs.nothing
  var unit: Unit?
  /// Whether forward reads no more of its input than it writes.
  var takesPart = false
  /// Inputs without a gradient.
  var constants: Set<Int> = []

  init(
    _ name: String, _ layer: any RegisteredLayer, _ inputs: [Int]..., needs: Needs = .nothing,
    unit: Unit? = nil, takesPart: Bool = false, constants: Set<Int> = []
  ) {
    self.name = name
    self.layer = layer
    self.inputs = inputs.isEmpty ? [Self.maps] : inputs
    self.needs = needs
    self.unit = unit
    self.takesPart = takesPart
    self.constants = constants
  }
}

extension Case {
  /// 64 MiB.
  static let maps = [16, 64, 128, 128]

  /// Layers that are bound by arithmetic, and one that names memory anew in networks without a batch.
  static let others: [any RegisteredLayer.Type] = [
    Conv1D.self, Conv2D.self, ConvTranspose1D.self, ConvTranspose2D.self, Dense.self,
    LocallyConnected1D.self, LocallyConnected2D.self, ReshapeAll.self,
  ]

  /// Layers of one kind, which the last lines of the table are about.
  struct Kind {
    let name: String
    let cases: [Case]
  }

  static let kinds = [
    Kind(name: "Elementwise layers", cases: elementwise + arithmetic),
    Kind(name: "Normalisation layers", cases: norms), Kind(name: "Softmax", cases: classes),
    Kind(name: "Parts of maps", cases: parts), Kind(name: "Pooling", cases: pools),
    Kind(name: "Orders", cases: orders), Kind(name: "Reductions", cases: reductions),
  ]

  static let all = kinds.flatMap(\.cases)

  private static let elementwise = [
    Case("relu", ReLU(), needs: .output), Case("relu6", ReLU6(), needs: .output),
    Case("clip", Clip(minimum: -0.5, maximum: 0.75), needs: .output),
    Case("leakyrelu", LeakyReLU(), needs: .output), Case("elu", ELU(), needs: .output),
    Case("selu", SELU(), needs: .output), Case("gelu", GELU(), needs: .inputs),
    Case("gelu tanh", GELU(.tanh), needs: .inputs), Case("silu", SiLU(), needs: .inputs),
    Case("sigmoid", Sigmoid(), needs: .output), Case("tanh", Tanh(), needs: .output),
    Case("hardsigmoid", HardSigmoid(), needs: .output),
    Case("hardswish", HardSwish(), needs: .inputs),
    Case("softplus", Softplus(), needs: .output), Case("softsign", Softsign(), needs: .output),
    Case("dropout", Dropout(rate: 0.5)), Case("prelu", PReLU(), needs: .inputs),
    Case("positionbias", PositionBias(), needs: .gradient),
    Case("square root", Elementary(.sqrt), needs: .inputs),
    Case("absolute value", Elementary(.abs), needs: .inputs),
  ]

  private static let arithmetic = [
    Case("add", Add(), maps, maps), Case("multiply", Multiply(), maps, maps, needs: .inputs),
    Case("subtract", Arithmetic(.subtract), maps, maps),
    Case("divide", Arithmetic(.divide), maps, maps, needs: .inputs),
    Case("multiply, a gate a map", Multiply(), maps, [16, 64, 1, 1], needs: .inputs),
  ]

  private static let parts = [
    Case("concat", Concat(), [16, 32, 128, 128], [16, 32, 128, 128]),
    Case("concat of rows", Concat(axis: 2), [16, 64, 64, 128], [16, 64, 64, 128]),
    Case("slice of channels", Slice(axis: 1, start: 0, end: 32), takesPart: true),
    Case("slice of rows", Slice(axis: 2, start: 8, end: 104), takesPart: true),
    Case("slice of columns", Slice(axis: 3, start: 8, end: 104), takesPart: true),
    Case("pad", Pad(padding: 1)), Case("pad, reflected", Pad(padding: 1, mode: .reflect)),
    Case("upsample nearest", Upsample(factor: 2), [16, 64, 64, 64]),
    Case("upsample bilinear", Upsample(factor: 2, interpolation: .bilinear), [16, 64, 64, 64]),
  ]

  private static let pools = [
    Case("maxpool 2x2", MaxPool2D(kernelSize: 2), needs: .winners),
    Case("maxpool 3x3, stride 2", MaxPool2D(kernelSize: 3, stride: 2), needs: .winners),
    Case("maxpool1d 2", MaxPool1D(kernelSize: 2), [16, 64, 16384], needs: .winners),
    Case("averagepool 2x2", AveragePool2D(kernelSize: 2)),
    Case("averagepool1d 2", AveragePool1D(kernelSize: 2), [16, 64, 16384]),
    Case("sumpool 2x2", SumPool2D(kernelSize: 2)),
    Case("globalaveragepool", GlobalAveragePool()), Case("globalmaxpool", GlobalMaxPool()),
    Case(
      "unpool 2x2", MaxUnpool2D(kernelSize: 2), [16, 64, 64, 64], maps, needs: .inputs,
      constants: [1]),
  ]

  private static let norms = [
    Case("batchnorm", BatchNorm2D(), needs: .inputs, unit: .batch),
    Case("instancenorm", InstanceNorm(), needs: .inputs, unit: .maps(1)),
    Case("groupnorm, 8 groups", GroupNorm(groups: 8), needs: .inputs, unit: .maps(8)),
    Case("layernorm", LayerNorm(), needs: .inputs, unit: .maps(64)),
    Case("mvn", MeanVarianceNorm(), needs: .inputs, unit: .maps(1)),
    Case(
      "mvn across channels", MeanVarianceNorm(acrossChannels: true), needs: .inputs,
      unit: .maps(64)),
    Case("lrn, 5 channels", LocalResponseNorm(), needs: .inputs),
    Case(
      "lrn, all channels", LocalResponseNorm(across: .channels(nil), beta: 0.5), needs: .inputs),
    Case("lrn, 3x3", LocalResponseNorm(across: .space(3)), needs: .inputs),
  ]

  private static let classes = [
    Case("softmax", Softmax(), needs: .output),
    Case("softmax of columns", Softmax(axis: -1), needs: .output),
    Case("log-softmax", LogSoftmax(), needs: .output),
    Case("log-softmax of columns", LogSoftmax(axis: -1), needs: .output),
  ]

  private static let orders = [
    Case("transpose, channels last", Transpose([2, 3, 1])),
    Case("transpose of maps", Transpose([1, 3, 2])),
    Case("depth to space", DepthToSpace(blockSize: 2)),
    Case("space to depth", SpaceToDepth(blockSize: 2)),
    Case("reshape", Reshape([128, 64, 128])), Case("flatten", Flatten()),
  ]

  private static let reductions = [
    Case("mean of channels", ReduceMean(axes: [1])),
    Case("mean of maps", ReduceMean(axes: [2, 3])), Case("sum of rows", ReduceSum(axes: [2])),
  ]

  /// Registered layers that no case times and that are not known to be bound by arithmetic.
  static var missing: [String] {
    let known = Set(
      (all.map { type(of: $0.layer) as any RegisteredLayer.Type } + others).map {
        $0.registeredName
      })
    return LayerRegistry.layers.map { $0.registeredName }.filter { !known.contains($0) }
  }
}

// MARK: Bytes

extension Case {
  var outputType: TensorType {
    get throws { try layer.output(for: inputs.map { TensorType(shape: $0) }) }
  }

  /// Bytes that forward reads and writes.
  func forwardBytes(_ layout: Layout, _ target: Target) throws -> Int {
    let output = try outputType.bytes
    if takesPart { return 2 * output }
    return inputBytes * (readsTwice(layout, target, tensors: 2) ? 2 : 1) + output
      + (try winnerBytes)
  }

  /// Bytes that backward reads and writes: gradients, and what they are computed from.
  func backwardBytes(_ layout: Layout, _ target: Target) throws -> Int {
    let own = inputs.indices.filter { !constants.contains($0) }
    let gradients = own.reduce(0) { $0 + TensorType(shape: inputs[$1]).bytes }
    // A concatenation's inputs have a part of it each; else each one's gradient is read off the whole.
    let output = try outputType.bytes * (layer is Concat ? 1 : own.count)
    let needed =
      switch needs {
      case .nothing: 0
      case .inputs: inputBytes - (constants.isEmpty ? 0 : gradients)
      case .output, .gradient: output
      case .winners: try winnerBytes
      }
    return (output + needed) * (readsTwice(layout, target, tensors: 3) ? 2 : 1) + gradients
  }

  private var inputBytes: Int { inputs.reduce(0) { $0 + TensorType(shape: $1).bytes } }

  /// A byte for each maximum.
  private var winnerBytes: Int {
    get throws { needs == .winners ? try outputType.count : 0 }
  }

  /// Whether a normalisation finds nothing in the second-level cache that it has read before: what its unit reads and writes
  /// fills that cache. It is the machine's, whatever the C is written for.
  private func readsTwice(_ layout: Layout, _ target: Target, tensors: Int) -> Bool {
    guard let unit else { return false }
    guard case .maps(let maps) = unit else { return true }
    let lanes = target.lanes
    let channels =
      switch layout {
      case .nchw: maps
      case .lanes: maps * lanes
      case .blocked: max(maps, lanes)
      }
    return tensors * channels * inputs[0][2...].reduce(4, *) >= Target.native.level2
  }
}
