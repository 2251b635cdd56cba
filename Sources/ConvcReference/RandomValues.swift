import ConvcIR
import Foundation

/// Numbers that a seed decides: the same on every machine.
///
/// - Source: ``SplitMix64``.
public struct RandomValues: RandomNumberGenerator, Sendable {
  private var generator: SplitMix64

  public init(seed: UInt64) {
    generator = SplitMix64(seed: seed &* 0xD134_2543_DE82_EF95 &+ 0x2545_F491_4F6C_DD1D)
  }

  public mutating func next() -> UInt64 { generator.next() }

  /// A number from 0 up to, but not, 1.
  public mutating func uniform() -> Double { generator.uniform() }

  /// Uniform numbers.
  public mutating func uniform(_ count: Int, in range: ClosedRange<Float>) -> [Float] {
    (0..<count).map { _ in
      range.lowerBound + (range.upperBound - range.lowerBound) * Float(uniform())
    }
  }

  /// Normal numbers.
  public mutating func normal(_ count: Int, mean: Float = 0, deviation: Float = 1) -> [Float] {
    (0..<count).map { _ in
      let radius = (-2 * log(1 - uniform())).squareRoot()
      return mean + deviation * Float(radius * cos(2 * .pi * uniform()))
    }
  }

  /// Numbers around zero in random order, no two of them, nor one and zero, closer than about half the gap.
  ///
  /// Steps far smaller than the gap meet no kink of a layer that reads them.
  public mutating func distinct(_ count: Int, gap: Float) -> [Float] {
    (0..<count).map { gap * (Float($0 - count / 2) + 0.5) }.shuffled(using: &self)
  }

  /// Class labels.
  public mutating func labels(_ count: Int, classes: Int) -> [Int32] {
    (0..<count).map { _ in Int32(Int.random(in: 0..<classes, using: &self)) }
  }

  /// Places of up to `limit` different elements among `count`, in order: all where there are no more.
  public mutating func sample(_ limit: Int, of count: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    var chosen: Set<Int> = []
    while chosen.count < limit { chosen.insert(Int.random(in: 0..<count, using: &self)) }
    return chosen.sorted()
  }

  /// A parameter block on which no gradient is zero by symmetry.
  ///
  /// Weights follow He et al.; what usually starts at 0 or 1 is spread around it, scales with either sign, running
  /// variances above zero.
  public mutating func parameters(of graph: Graph) -> [Float] {
    graph.parameters.flatMap { parameter -> [Float] in
      let spec = parameter.spec
      switch spec.initializer {
      case .uniform, .normal, .lecunNormal, .glorotNormal, .glorotUniform, .heNormal, .heUniform:
        return normal(spec.count, deviation: (2 / Float(spec.fanIn)).squareRoot())
      case .constant(let value) where value > 0:
        let sizes = uniform(spec.count, in: value / 2...value * 3 / 2)
        return sizes.map { spec.isStatistic || uniform() < 0.8 ? $0 : -$0 }
      case .constant(let value):
        return normal(spec.count, mean: value, deviation: 0.2)
      }
    }
  }

  /// A batch for a graph: normal inputs, and targets as the losses want them.
  public mutating func sample(for graph: Graph, batch: Int) -> ReferenceSample {
    func count(_ type: TensorType) -> Int { type.count / graph.batch * batch }
    let inputs = graph.inputs.map { normal(count(graph[$0].type)) }
    let targets = graph.targets.map { target -> ReferenceSample.Target in
      targetValues(
        target,
        type: target.type.with(
          shape: [target.type.shape[0] / graph.batch * batch] + target.type.shape.dropFirst()))
    }
    return ReferenceSample(batch: batch, inputs: inputs, targets: targets)
  }

  /// Labels or values of a target. Every eighth label is the one that is left out, every eighth value is missing.
  mutating func targetValues(_ target: TargetTensor, type: TensorType) -> ReferenceSample.Target {
    let count = type.count
    if let range = target.labels {
      let labels = labels(count, classes: range.classes)
      guard let ignored = range.ignored else { return .labels(labels) }
      return .labels(labels.map { uniform() < 0.125 ? ignored : $0 })
    }
    switch target.values {
    case .any: return .values(normal(count))
    case .anyOrMissing:
      return .values(normal(count).map { uniform() < 0.125 ? .nan : $0 })
    case .shares: return .values(uniform(count, in: 0...1).map { $0 < 0.1 ? 0 : $0 })
    case .counts: return .values(uniform(count, in: 0...4).map { $0.rounded(.down) })
    case .weights: return .values(uniform(count, in: 0...2).map { $0 < 0.2 ? 0 : $0 })
    case .distribution: return .values(distributions(type.maps))
    }
  }

  /// Shares whose sum over the channels is 1, some of them 0.
  private mutating func distributions(_ maps: MapShape) -> [Float] {
    var values = uniform(maps.n * maps.c * maps.pixels, in: 0...1).map { $0 < 0.2 ? 0 : $0 }
    for place in 0..<maps.n * maps.pixels {
      let first = place / maps.pixels * maps.c * maps.pixels + place % maps.pixels
      let places = stride(from: first, to: first + maps.c * maps.pixels, by: maps.pixels)
      let sum = places.reduce(Float(0)) { $0 + values[$1] }
      if sum == 0 { values[first] = 1 } else { for place in places { values[place] /= sum } }
    }
    return values
  }
}
