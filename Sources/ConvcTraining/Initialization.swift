import ConvcIR

/// Fills a parameter block with a network's initial values.
///
/// Every parameter draws from a stream of its own, which the master seed and the parameter's name
/// select: adding a layer does not change the others. Only `+ − × ÷ √` of IEEE 754 in double
/// precision are used, rounded once to float, so a seed gives the same bits on every machine.
public struct Initialization: Sendable {
  /// The master seed.
  public let seed: UInt64

  public init(seed: UInt64) {
    self.seed = seed
  }

  /// The whole parameter block of a network, statistics included.
  public func parameters(of graph: Graph) -> [Float] {
    [Float](unsafeUninitializedCapacity: graph.parameterCount) { block, count in
      block.initialize(repeating: 0)
      for parameter in graph.parameters {
        let range = parameter.offset..<(parameter.offset + parameter.spec.count)
        fill(
          UnsafeMutableBufferPointer(rebasing: block[range]), of: parameter.spec,
          name: parameter.name)
      }
      count = graph.parameterCount
    }
  }

  /// Fills the values of one parameter.
  ///
  /// - Parameters:
  ///   - values: as many as the declaration's shape has.
  ///   - name: the parameter's name in the network, `conv1.weight`.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, of spec: ParameterSpec, name: String
  ) {
    var stream = ParameterStream(seed: seed, name: name)
    switch spec.initializer {
    case .constant(let value):
      values.update(repeating: value)
    case .heNormal:
      let deviation = (2 / Double(max(1, spec.fanIn))).squareRoot()
      let scale = deviation / Self.truncatedDeviation
      for index in values.indices { values[index] = Float(scale * stream.truncatedNormal()) }
    case .glorotUniform:
      let bound = (6 / Double(max(1, spec.fanIn + spec.fanOut))).squareRoot()
      for index in values.indices {
        values[index] = Float(bound * (2 * stream.generator.uniform() - 1))
      }
    }
  }

  /// Standard deviation of a standard normal variable that is cut off at ±2.
  ///
  /// `√(1 − 4 φ(2) / (2 Φ(2) − 1))`. He values are divided by it, so that after the cut their
  /// variance is 2 / fan-in exactly; they reach up to 2.27 of those deviations.
  static let truncatedDeviation = 0.879_625_661_034_239_8
}

/// Random numbers of one parameter.
///
/// - Source: ``SplitMix64``; the name enters the seed through FNV-1a.
struct ParameterStream {
  /// Uniform numbers, and orders.
  var generator: SplitMix64

  init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    // Two rounds keep streams apart whose seeds and names differ in few bits.
    var master = SplitMix64(seed: seed)
    generator = SplitMix64(seed: SplitMix64.mixed(master.next() ^ hash))
  }

  /// A standard normal number in −2...2, by rejection: about 1.7 tries each.
  mutating func truncatedNormal() -> Double {
    while true {
      let x = 4 * generator.uniform() - 2
      if generator.uniform() < Self.exponential(x * x / 2) { return x }
    }
  }

  /// `exp(−y)` for y in 0...2 within 1e-15, without the library's, whose last bits vary.
  private static func exponential(_ y: Double) -> Double {
    let z = -y / 8
    var sum = 1.0
    for k in stride(from: 12, to: 0, by: -1) { sum = 1 + sum * z / Double(k) }
    let square = sum * sum
    let fourth = square * square
    return fourth * fourth
  }
}
