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

  /// A batch for a graph: normal inputs and target values, random labels.
  public mutating func sample(for graph: Graph, batch: Int) -> ReferenceSample {
    func count(_ type: TensorType) -> Int { type.count / graph.batch * batch }
    let inputs = graph.inputs.map { normal(count(graph[$0].type)) }
    let targets = graph.targets.map { target -> ReferenceSample.Target in
      if let classes = target.classes {
        return .labels(labels(count(target.type), classes: classes))
      }
      return .values(normal(count(target.type)))
    }
    return ReferenceSample(batch: batch, inputs: inputs, targets: targets)
  }
}
