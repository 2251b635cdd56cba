import ConvcIR
import ConvcReference

/// A layer that normalises groups of an image's channels: what its input and output are, and how its gradient is taken.
///
/// `y = (x − mean) / √(variance + ε) · weight + bias`, with mean and biased variance of the group's channels at all places of
/// one image. Other images and the mode (training or inference) change nothing.
package protocol GroupNormalization: RegisteredLayer {
  /// What is added to variances.
  var epsilon: Float { get }
  /// Whether channels have a learned scale and shift.
  var hasParameters: Bool { get }
  /// Whether the deviation is divided by; else the mean alone is taken away.
  var normalizesVariance: Bool { get }

  /// Groups of neighbouring channels with statistics of their own; a divisor of the channels.
  func groupCount(of channels: Int) -> Int

  /// - Throws: what the layer does not take beside what no layer of the family takes.
  func check(_ input: TensorType) throws(LayerError)
}

extension GroupNormalization {
  package var normalizesVariance: Bool { true }
  package func check(_ input: TensorType) throws(LayerError) {}

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (2...4).contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape, wayOut: "[N, C], [N, C, L] and [N, C, H, W] work")
    }
    guard epsilon > 0, epsilon.isFinite else {
      throw .setting("epsilon \(epsilon) has to be above 0 and finite")
    }
    try check(input)
    guard input.maps.c / groupCount(of: input.maps.c) * input.maps.pixels > 1 else {
      throw .setting(
        "the groups of \(input) have one value each, which normalised is 0; "
          + "give them more channels or places")
    }
    return input
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    guard hasParameters else { return [] }
    let shape = [inputs[0].maps.c]
    return [
      ParameterSpec("weight", shape: shape, initializer: .constant(1)),
      ParameterSpec("bias", shape: shape, initializer: .constant(0)),
    ]
  }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    let groups = groupCount(of: group.inputTypes[0].maps.c)
    return anyLayoutCandidates(
      for: group, needsFullBlocks: true,
      forward: { [GroupNormKernels(self, groups: groups, context: $0).forward()] },
      backward: { GroupNormKernels(self, groups: groups, context: $0.forward).backward($0) })
  }
}

extension SettingSpec {
  static let normEpsilon = SettingSpec(
    "epsilon", .number, default: .number(1e-5), "what is added to variances")

  static func scaleAndShift(default standard: Bool) -> SettingSpec {
    SettingSpec(
      "hasParameters", .boolean, default: .boolean(standard),
      "whether channels have a learned scale and shift")
  }
}

// MARK: Reference

extension GroupNormalization {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    forEachGroup(of: call) { group in
      for i in group.places {
        let c = i / call.input.maps.pixels % call.input.maps.c
        y.address[i] = group.normalized(call.input.address[i]) * weight(c, call)
        if hasParameters { y.address[i] += call.parameters[1].address[c] }
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let (x, maps) = (call.input, call.input.maps)
    let inputGradient = DoubleTensor(shape: x.shape)
    let parameters = call.parameters.map { DoubleTensor(shape: $0.shape) }
    forEachGroup(of: call) { group in
      var (sum, product) = (0.0, 0.0)
      for i in group.places {
        let c = i / maps.pixels % maps.c
        let (gradient, value) = (outputGradient.address[i], group.normalized(x.address[i]))
        sum += gradient * weight(c, call)
        product += gradient * weight(c, call) * value
        guard hasParameters else { continue }
        parameters[0].address[c] += gradient * value
        parameters[1].address[c] += gradient
      }
      let count = Double(group.places.count)
      for i in group.places {
        let gradient = outputGradient.address[i] * weight(i / maps.pixels % maps.c, call)
        let moved = normalizesVariance ? group.normalized(x.address[i]) * product / count : 0
        inputGradient.address[i] = group.inverseDeviation * (gradient - sum / count - moved)
      }
    }
    return LayerGradients(inputs: [inputGradient], parameters: parameters)
  }

  private func weight(_ channel: Int, _ call: LayerCall) -> Double {
    hasParameters ? call.parameters[0].address[channel] : 1
  }

  private func forEachGroup(of call: LayerCall, _ body: (ReferenceGroup) -> Void) {
    let (x, maps) = (call.input, call.input.maps)
    let size = maps.c / groupCount(of: maps.c) * maps.pixels
    for first in stride(from: 0, to: x.count, by: size) {
      let places = first..<(first + size)
      let mean = places.reduce(0.0) { $0 + x.address[$1] } / Double(size)
      let variance =
        places.reduce(0.0) { $0 + (x.address[$1] - mean) * (x.address[$1] - mean) }
        / Double(size)
      let inverse = normalizesVariance ? 1 / (variance + Double(epsilon)).squareRoot() : 1
      body(ReferenceGroup(places: places, mean: mean, inverseDeviation: inverse))
    }
  }
}

/// Places of one group, which stand behind one another, and their statistics.
private struct ReferenceGroup {
  let places: Range<Int>
  let mean: Double
  let inverseDeviation: Double

  func normalized(_ x: Double) -> Double { (x - mean) * inverseDeviation }
}
