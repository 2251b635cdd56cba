import ConvcIR

/// What single precision does to the values of a pass, as random noise: it shows how much of rounding errors a network makes.
///
/// Every value that a layer hands on, and every gradient that it hands back, moves by up to its last bit. Where large terms
/// cancel, as in the gradient of a bias that a normalisation takes away again, the result moves by the last bit of the
/// terms, not by its own.
final class RoundingNoise {
  private var random: RandomValues

  init(_ random: RandomValues) { self.random = random }

  /// A copy in which each number has moved.
  func moved(_ tensor: DoubleTensor) -> DoubleTensor {
    let copy = tensor.reshaped(tensor.shape)
    var i = 0
    while i < copy.count {
      copy.address[i] *= 1 + (2 * random.uniform() - 1) * Double(Float.ulpOfOne) / 2
      i &+= 1
    }
    return copy
  }
}

extension ReferenceNetwork {
  /// Of each trainable parameter, laid out as the parameter block's first part, and of each output of inference: how far
  /// rounding errors in single precision may be expected to move them.
  ///
  /// - Parameter parameters: the parameter block.
  package func rounding(
    parameters: [Double], _ sample: ReferenceSample, options: PassOptions, seed: UInt64 = 0
  ) -> (outputs: [[Double]], gradients: [Double]) {
    let exact = tensors(parameters)
    let noise = RoundingNoise(RandomValues(seed: seed))
    let moved = exact.map(noise.moved)
    func outputs(_ parameters: [DoubleTensor], _ noise: RoundingNoise?) -> [[Double]] {
      let pass = forward(parameters, sample, PassOptions(mode: .inference), noise: noise)
      return graph.outputs.map { pass[$0.tensor].values }
    }
    func gradients(_ parameters: [DoubleTensor], _ noise: RoundingNoise?) -> [Double] {
      guard !graph.losses.isEmpty else { return [] }
      let pass = forward(parameters, sample, options, noise: noise)
      return backward(pass, parameters, sample, options, noise: noise).block
    }
    return (
      zip(outputs(exact, nil), outputs(moved, noise)).map(Self.distances),
      Self.distances(gradients(exact, nil), gradients(moved, noise))
    )
  }

  private static func distances(_ a: [Double], _ b: [Double]) -> [Double] {
    zip(a, b).map { ($0 - $1).magnitude }
  }
}
