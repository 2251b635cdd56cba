import ConvcIR
import ConvcLayers

/// Outputs judged by the losses of the registry, each in one of its examples' forms.
extension NetworkGrowth {
  /// The loss of the registry whose turn it is to judge a network's last output; nil: none's.
  static func loss(of seed: UInt64) -> (any RegisteredLoss.Type)? {
    let losses = LayerRegistry.losses
    return seed % 2 == 0 ? losses[Int(seed / 2 % UInt64(losses.count))] : nil
  }

  /// Takes a value to an output with a loss of the registry, and perhaps a second one.
  mutating func judge(
    _ open: Open, by type: any RegisteredLoss.Type, name: String, weight: Float
  ) {
    let examples = type.examples
    let first = number(0...examples.count - 1)
    for place in examples.indices {
      let example = examples[(first + place) % examples.count]
      // Where there are no pixels, the next example may judge features.
      guard let before = layers(before: example.loss),
        let scored = example.prediction.count > 2
          ? pixels(open, classes: classes(example)) : features(open, classes: classes(example))
      else { continue }
      return judge(scored, by: example, before: before, name: name, weight: weight)
    }
    judge(open, name: name, weight: weight, by: SoftmaxCrossEntropy())
  }

  /// Brings scores to what the example's loss wants, and perhaps adds a second loss.
  private mutating func judge(
    _ scored: Open, by example: LossExample, before: [any Layer], name: String, weight: Float
  ) {
    let ready = before.reduce(scored) { join($1, [$0]) }
    output(name, ready)
    builder.loss(
      example.loss, on: name, target: "\(name)_target", weight: weight, name: "loss_\(name)")
    guard chance(0.25) else { return }
    builder.loss(
      MeanSquaredError(), on: name, target: "\(name)_values", weight: 0.5,
      name: "loss_\(name)_values")
  }

  /// The usual loss on scores of images.
  private mutating func judge(
    _ open: Open, name: String, weight: Float, by loss: SoftmaxCrossEntropy
  ) {
    let scored = features(open, classes: 3)
    output(name, scored)
    builder.loss(loss, on: name, target: "\(name)_target", weight: weight, name: "loss_\(name)")
  }

  /// As many classes as the example has, or any number that the loss accepts.
  private mutating func classes(_ example: LossExample) -> Int {
    let drawn = pick(2, 3, 5, 16, 17)
    var shape = example.prediction
    shape[1] = drawn
    let fits = (try? example.loss.targets(for: TensorType(shape: shape))) != nil
    return fits && chance(0.6) ? drawn : example.prediction[1]
  }

  private mutating func features(_ open: Open, classes: Int) -> Open {
    var open = open
    if open.isMaps, chance(0.4) { open = apply(GlobalAveragePool(), open) }
    if open.type.shape.count != 2 { open = join(Flatten(), [open]) }
    return scores(open, classes: classes)
  }

  /// A score for each pixel; nil: there are no pixels, or too many.
  private mutating func pixels(_ open: Open, classes: Int) -> Open? {
    let layer = Conv2D(outputChannels: classes, kernelSize: 1)
    guard open.type.shape.count == 4, accepts(layer, [open]) else { return nil }
    return apply(layer, open)
  }

  /// What takes scores to what the loss wants: layers of the registry that give such values; nil: there is none.
  private func layers(before loss: any Loss) -> [any Layer]? {
    // Without a bound the exponential of a score leaves the range of numbers.
    if let loss = loss as? Poisson, loss.isLogarithmic { return [Tanh()] }
    let kinds = loss.expectedOutput.kinds
    guard !kinds.contains(.any) else { return [] }
    for name in ["Softplus", "Sigmoid", "Softmax", "LogSoftmax"] {
      guard let type = LayerRegistry.layer(named: name),
        let layer = try? type.init(settings: Settings([:], specs: type.settings)),
        kinds.contains(layer.outputKind)
      else { continue }
      // Float has no digits left for what a probability very near to 1 lacks, which the loss takes the logarithm of.
      return name == "Sigmoid" ? [Tanh(), layer] : [layer]
    }
    return nil
  }
}
