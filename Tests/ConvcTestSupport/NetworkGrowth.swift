import ConvcIR
import ConvcLayers
import ConvcReference

/// Grows a random network from its inputs to its losses.
///
/// A layer is applied only where its value will be read: there is one open value, and a branch is joined where it began.
struct NetworkGrowth {
  /// A value with its type for the batch that will be run.
  struct Open {
    let value: Value
    let type: TensorType

    var maps: MapShape { type.maps }
    var isMaps: Bool { type.shape.count == 4 }
  }

  let builder: ModelBuilder
  let batch: Int
  let maximumBatch: Int
  /// Whether shapes are whole: so it is where a layer's turn comes that needs it.
  let isUnbatched: Bool
  let seed: UInt64
  var random: RandomValues
  /// Uses of the layer that the seed says is to be in the network, if any of them fits.
  private var wanted: [LayerExample]
  /// Multiply-adds that are left to spend.
  private var budget = 1_000_000

  init(seed: UInt64) {
    var random = RandomValues(seed: seed)
    self.seed = seed
    isUnbatched = Self.layer(of: seed).examples.allSatisfy(\.isUnbatched)
    builder = ModelBuilder(name: "random\(seed)", isUnbatched: isUnbatched)
    batch = Int.random(in: 1...20, using: &random)
    maximumBatch = batch + (random.uniform() < 0.3 ? Int.random(in: 1...20, using: &random) : 0)
    self.random = random
    let types = LayerRegistry.layers.map { $0.examples.filter(Self.fitsAnywhere) }
      .filter { !$0.isEmpty }
    wanted = types[Int(seed % UInt64(types.count))]
  }

  mutating func grow() {
    let channels = pick(1, 1, 2, 3, 4, 8, 16, 17)
    let isSequence = wanted.allSatisfy { $0.inputs[0].count == 3 }
    let image =
      chance(0.08)
      ? [pick(1, 2), number(1...3), number(65...80)]
      : [channels, number(3...12), number(3...12)]
    var open = input("image", isSequence ? [channels, number(3...30)] : image)
    if !isSequence, chance(0.15) { open = joinSecondInput(open) }
    var branchPoint: Open?
    for _ in 0..<number(1...4) {
      open = withWanted(extended(open))
      if chance(0.2), open.value.name != "image" { branchPoint = open }
    }
    if let branchPoint, branchPoint.value.name != open.value.name {
      finish(branchPoint, name: "side")
    }
    if let planted = planted() { finish(planted, name: "planted") }
    if chance(0.1) { open = joinFeatures(open) }
    // By the seed, not by chance, so that the networks of other seeds do not depend on it.
    if seed % 16 == 5 { addNests(open) }
    finish(open, name: "main")
    if chance(0.3) {
      builder.regularize(
        Regularizer(l1: pick(0, 1e-3), l2: pick(0, 1e-2), includesBiases: chance(0.3)))
    }
  }

  // MARK: Chance

  mutating func chance(_ probability: Double) -> Bool { random.uniform() < probability }
  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  mutating func pick<T>(_ choices: T...) -> T { choices[number(0...choices.count - 1)] }
  mutating func size(_ range: ClosedRange<Int>) -> Size2D {
    Size2D(height: number(range), width: number(range))
  }
  mutating func padding(_ range: ClosedRange<Int>) -> Padding {
    Padding(
      top: number(range), bottom: number(range), left: number(range), right: number(range))
  }

  // MARK: Applying layers

  func input(_ name: String, _ shape: [Int]) -> Open {
    input(name, TensorType(shape: [batch] + shape))
  }

  func input(_ name: String, _ type: TensorType) -> Open {
    Open(value: builder.input(name, Array(type.shape.dropFirst(isUnbatched ? 0 : 1))), type: type)
  }

  /// The batch of a run, and the largest one; of unbatched networks a call is one run.
  var runs: (batch: Int, maximum: Int) { isUnbatched ? (1, 1) : (batch, maximumBatch) }

  /// Whether a layer accepts the values, and is worth its time.
  func accepts(_ layer: any Layer, _ values: [Open]) -> Bool {
    let types = values.map(\.type)
    guard let type = try? layer.output(for: types) else { return false }
    return type.count <= 30_000 && layer.multiplyAdds(for: types) <= budget
  }

  /// The layer on the values; the first of them unchanged where the layer does not accept them.
  mutating func apply(_ layer: any Layer, _ values: Open..., frozen: Bool = false) -> Open {
    guard accepts(layer, values) else { return values[0] }
    return join(layer, values, frozen: frozen)
  }

  /// The layer on the values, which fit: a branch that would not be joined would be without a reader.
  mutating func join(_ layer: any Layer, _ values: [Open], frozen: Bool = false) -> Open {
    guard let type = try? layer.output(for: values.map(\.type)) else {
      preconditionFailure("internal error: \(layer.summary) does not join \(values.map(\.type))")
    }
    budget -= layer.multiplyAdds(for: values.map(\.type))
    let value = builder.apply(layer, to: values.map(\.value), frozen: frozen)
    return Open(value: value, type: type)
  }

  // MARK: Growing

  /// The open value with one more layer, a few usual ones, or a branch.
  private mutating func extended(_ open: Open) -> Open {
    if open.type.shape.count == 3, chance(0.8) { return following(sequence(open)) }
    switch number(0...26) {
    case 0...5: return block(open)
    case 6...8: return residual(open)
    case 9: return concatenated(open)
    case 10: return apply(maxPool(), open)
    case 11: return apply(averagePool(), open)
    case 12: return normalised(open)
    case 13: return apply(Dropout(rate: pick(0.1, 0.5, 0.75)), open)
    case 14: return apply(activation(), open)
    case 15: return following(transposed(open))
    case 16, 17: return following(depthwise(open))
    case 18...25: return drawn(open)
    default: return apply(ReLU(), normalised(apply(MaxPool2D(kernelSize: 2), open)))
    }
  }

  /// A convolution with what usually follows it.
  private mutating func block(_ open: Open) -> Open {
    following(convolution(open))
  }

  /// Batch norm, ReLU, pooling and dropout, each or not.
  mutating func following(_ open: Open) -> Open {
    var open = open
    if chance(0.4) { open = normalised(open) }
    if chance(0.6) { open = apply(activation(), open) }
    if chance(0.3) { open = apply(MaxPool2D(kernelSize: pick(2, 2, 3)), open) }
    if chance(0.1) { open = apply(Dropout(rate: 0.25), open) }
    return open
  }

  /// ReLU, a curve, or a range that some values leave at either end.
  mutating func activation() -> any Layer {
    guard chance(0.7) else { return ReLU() }
    guard chance(0.25) else { return elementwise() }
    guard chance(0.7) else { return ReLU6() }
    return pick(Clip(minimum: -0.5, maximum: 0.75), Clip(minimum: 0.25), Clip(maximum: 1.5))
  }

  /// An elementwise layer of the registry.
  private mutating func elementwise() -> any Layer {
    let layers = Self.examples.map(\.layer).filter {
      if case .elementwise(let epilogue) = $0.role(in: .training, frozen: false) {
        !epilogue.isRandom && epilogue.channelValues.isEmpty
      } else {
        false
      }
    }
    return layers[number(0...layers.count - 1)]
  }

  /// All uses of layers with one input that the registry shows.
  private static let examples = LayerRegistry.layers.flatMap { $0.examples }.filter(fitsAnywhere)

  /// Whether a layer can follow any other: it reads one value, whatever its numbers are, and keeps the batch.
  private static func fitsAnywhere(_ example: LayerExample) -> Bool {
    example.inputs.count == 1 && !example.needsPositive && !example.isUnbatched
  }

  /// Layers of the registry as one of their examples has them.
  private mutating func drawn(_ open: Open) -> Open {
    var open = open
    for _ in 0..<number(1...3) {
      let examples = Self.examples.filter { accepts($0.layer, [open]) }
      guard !examples.isEmpty else { return open }
      let layer = examples[number(0...examples.count - 1)].layer
      open = apply(layer, open, frozen: hasParameters(layer, [open]) && chance(0.1))
    }
    return open
  }

  /// The layer that the network is to have, where it fits for the first time.
  fileprivate mutating func withWanted(_ open: Open) -> Open {
    guard let example = wanted.first(where: { accepts($0.layer, [open]) }) else { return open }
    wanted = []
    return apply(example.layer, open)
  }

  /// A layer of the registry that is shown on sequences.
  private mutating func sequence(_ open: Open) -> Open {
    let examples = Self.examples.filter {
      $0.inputs[0].count == 3 && accepts($0.layer, [open])
    }
    guard !examples.isEmpty else { return open }
    return apply(examples[number(0...examples.count - 1)].layer, open)
  }

  /// Batch norm where a channel has enough values for a variance.
  mutating func normalised(_ open: Open) -> Open {
    guard batch * open.maps.pixels >= 8 else { return open }
    // With a small epsilon a channel of padding alone, which hardly varies, blows up what rounding left of its gradient.
    return apply(
      BatchNorm2D(momentum: pick(0.1, 0.3), epsilon: 1e-2), open, frozen: chance(0.2))
  }

  mutating func convolution(_ open: Open) -> Open {
    for _ in 0..<6 {
      let layer = chance(0.5) ? usualConvolution() : oddConvolution(open.maps.c)
      if accepts(layer, [open]) { return apply(layer, open, frozen: chance(0.12)) }
    }
    return apply(Conv2D(outputChannels: 2, kernelSize: 1), open)
  }

  private mutating func usualConvolution() -> Conv2D {
    let kernel = pick(1, 3, 3, 5)
    return Conv2D(
      outputChannels: pick(1, 3, 8, 16, 16, 20, 32, 35), kernelSize: Size2D(kernel),
      stride: pick(1, 1, 1, 2), padding: Padding(chance(0.7) ? kernel / 2 : 0),
      bias: ConvolutionBias(chance(0.6)))
  }

  private mutating func oddConvolution(_ channels: Int) -> Conv2D {
    let groups = (1...channels).filter { channels % $0 == 0 }.randomElement(using: &random) ?? 1
    return Conv2D(
      outputChannels: groups * number(1...max(1, 20 / groups)), kernelSize: size(1...4),
      stride: size(1...3), padding: padding(0...3), dilation: size(1...pick(1, 1, 3)),
      groups: groups, bias: ConvolutionBias(chance(0.6)))
  }

  /// A convolution of every channel by itself, on what a 1x1 convolution makes of the value; of some seeds on whole vectors
  /// of channels, which the depthwise kernel can expand itself.
  private mutating func depthwise(_ open: Open) -> Open {
    let from = seed % 2 == 1 ? apply(Conv2D(outputChannels: 16, kernelSize: 1), open) : open
    let wide = following(
      apply(
        Conv2D(outputChannels: pick(16, 24, 32), kernelSize: 1, bias: ConvolutionBias(chance(0.5))),
        from))
    let usual = chance(0.5)
    return apply(
      Conv2D(
        outputChannels: wide.maps.c, kernelSize: usual ? 3 : size(1...6),
        stride: usual ? Size2D(pick(1, 2)) : size(1...3), padding: usual ? 1 : padding(0...3),
        dilation: usual ? 1 : size(1...2), groups: wide.maps.c, bias: ConvolutionBias(chance(0.5))),
      wide,
      frozen: chance(0.12))
  }

  /// A transposed convolution, half of them with windows side by side, and half of those on whole vectors of channels.
  private mutating func transposed(_ open: Open) -> Open {
    let kernel = size(1...3)
    guard chance(0.5) else {
      let from =
        chance(0.5)
        ? following(apply(Conv2D(outputChannels: pick(16, 32), kernelSize: 1), open)) : open
      return apply(
        ConvTranspose2D(
          outputChannels: pick(3, 16, 16, 32), kernelSize: kernel, stride: kernel,
          bias: chance(0.6)), from, frozen: chance(0.12))
    }
    let groups = (1...open.maps.c).filter { open.maps.c % $0 == 0 }.randomElement(using: &random)
    let stride = size(1...3)
    return apply(
      ConvTranspose2D(
        outputChannels: (groups ?? 1) * number(1...max(1, 12 / (groups ?? 1))), kernelSize: kernel,
        stride: stride, padding: padding(0...2),
        outputPadding: Size2D(
          height: number(0...stride.height - 1), width: number(0...stride.width - 1)),
        dilation: size(1...pick(1, 1, 2)), groups: groups ?? 1, bias: chance(0.6)), open)
  }

  private mutating func maxPool() -> MaxPool2D {
    let kernel = size(1...4)
    guard chance(0.7) else { return MaxPool2D(kernelSize: kernel) }
    return MaxPool2D(
      kernelSize: kernel, stride: size(1...3), padding: poolPadding(kernel),
      rounding: pick(.floor, .ceil))
  }

  private mutating func averagePool() -> AveragePool2D {
    let kernel = size(1...4)
    guard chance(0.7) else { return AveragePool2D(kernelSize: kernel) }
    return AveragePool2D(
      kernelSize: kernel, stride: size(1...3), padding: poolPadding(kernel),
      rounding: pick(.floor, .ceil), countsPadding: chance(0.5))
  }

  private mutating func poolPadding(_ kernel: Size2D) -> Padding {
    Padding(
      top: number(0...kernel.height - 1), bottom: number(0...kernel.height - 1),
      left: number(0...kernel.width - 1), right: number(0...kernel.width - 1))
  }
}

// MARK: Heads

extension NetworkGrowth {
  mutating func dense(_ open: Open) -> Open {
    for _ in 0..<4 {
      let layer = Dense(outputs: pick(1, 5, 16, 17, 40), bias: chance(0.8))
      if accepts(layer, [open]) { return apply(layer, open, frozen: chance(0.1)) }
    }
    return apply(Dense(outputs: 1), open)
  }

  /// Takes a value to an output with a loss, or two.
  fileprivate mutating func finish(_ open: Open, name: String) {
    var open = open
    let weight = pick(1, 1, 0.25, 2.5) as Float
    if name == "main", let loss = Self.loss(of: seed) {
      return judge(open, by: loss, name: name, weight: weight)
    }
    if open.isMaps, chance(0.2), name != "main" || !builder.model.losses.isEmpty {
      output(name, open)
      builder.loss(MeanSquaredError(), on: name, target: "\(name)_values", weight: weight)
      return
    }
    if open.isMaps, chance(0.15), finishPixels(open, name: name, weight: weight) { return }
    if open.isMaps, chance(0.4) { open = apply(GlobalAveragePool(), open) }
    if open.type.shape.count != 2 { open = join(Flatten(), [open]) }
    if name == "main" { open = withWanted(open) }
    if chance(0.4) {
      open = dense(open)
      if chance(0.7) { open = apply(ReLU(), open) }
      if chance(0.2) { open = apply(Dropout(rate: 0.5), open) }
      if chance(0.1) { output("\(name)_features", open) }
    }
    open = scores(open)
    output(name, open)
    if chance(0.2) {
      builder.loss(MeanSquaredError(), on: name, target: "\(name)_values", weight: weight)
      guard chance(0.3) else { return }
    }
    builder.loss(
      SoftmaxCrossEntropy(), on: name, target: "\(name)_labels", weight: weight,
      name: "loss_\(name)_labels")
  }

  /// Takes maps to scores of each pixel, unless those are too many.
  private mutating func finishPixels(_ open: Open, name: String, weight: Float) -> Bool {
    let layer = Conv2D(outputChannels: pick(2, 2, 3, 16, 32), kernelSize: 1)
    guard accepts(layer, [open]) else { return false }
    output(name, apply(layer, open))
    builder.loss(
      SoftmaxCrossEntropy(), on: name, target: "\(name)_labels", weight: weight,
      name: "loss_\(name)_labels")
    return true
  }

  /// Further outputs that loop nests compute: the largest value along the channels, and whole numbers that stand for places.
  private mutating func addNests(_ open: Open) {
    let shape = open.type.shape
    let places = shape.indices.dropFirst(2).map { Cell.variable($0 - 1) }
    let largest = LoopNest(
      "largest of all channels", shape: [shape[0]] + shape.dropFirst(2), inputs: [shape],
      reduction: .maximum, reduced: [shape[1]],
      value: .operand(0, [.variable(0), .variable(shape.count - 1)] + places), isPerImage: true)
    let all = shape.indices.map { Cell.variable($0) }
    let numbers = LoopNest(
      "number of each finite value", shape: shape, element: .int64, inputs: [shape],
      value: .select(
        .operand(0, all) < .real(1e30),
        .variable(1) * .whole(3) + .variable(shape.count - 1) + .whole(1),
        .whole(-1)), isPerImage: true)
    output("largest", apply(largest, open))
    output("numbers", apply(numbers, open))
  }

  /// A trainable dense layer with at least two outputs: something to train is in every network.
  mutating func scores(_ open: Open, classes: Int? = nil) -> Open {
    let classes = classes ?? pick(2, 3, 10, 17)
    budget = max(budget, open.type.count * classes)
    return apply(Dense(outputs: classes), open)
  }

  func output(_ name: String, _ open: Open) { builder.output(name, open.value) }
}
