import ConvcIR

extension ReferenceNetwork {
  /// The same batch with the labels that the network finds least likely.
  ///
  /// Where a network is sure of a label that is right, the slope of its loss is what rounding leaves of a probability less 1:
  /// gradients would be compared with noise.
  public func withUnlikelyLabels(
    _ sample: ReferenceSample, parameters: [Float], options: PassOptions = PassOptions()
  ) -> ReferenceSample {
    let pass = forward(tensors(parameters.map(Double.init)), sample, options)
    var targets = sample.targets
    for loss in graph.losses {
      guard let range = graph.targets[loss.target].labels,
        case .labels(let labels) = targets[loss.target]
      else { continue }
      let scores = pass[loss.prediction]
      let maps = scores.maps
      guard labels.count == maps.n * maps.pixels else { continue }
      targets[loss.target] = .labels(
        labels.enumerated().map { place, label in
          if label == range.ignored { return label }
          let first = place / maps.pixels * maps.c * maps.pixels + place % maps.pixels
          if case .above(let bound) = range.decision, maps.c == 1 {
            return scores.address[first] > Double(bound) ? 0 : 1
          }
          guard maps.c == range.classes else { return label }
          let least = (0..<maps.c).min {
            scores.address[first + $0 * maps.pixels] < scores.address[first + $1 * maps.pixels]
          }
          return Int32(least ?? 0)
        })
    }
    return ReferenceSample(batch: sample.batch, inputs: sample.inputs, targets: targets)
  }
}
