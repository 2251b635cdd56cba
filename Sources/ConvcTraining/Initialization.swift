import ConvcIR
import ConvcRandom
import Dispatch

/// Fills a parameter block with a network's initial values.
///
/// Every parameter draws from a sequence of its own, which the master seed and the parameter's name
/// select: adding a layer does not change the others. A number depends on its place alone, so all
/// processors draw at once, and a seed gives the same bits on every machine.
/// - Source: ``Philox``.
public struct Initialization: Sendable {
  /// The master seed.
  public let seed: UInt64

  public init(seed: UInt64) {
    self.seed = seed
  }

  /// The whole parameter block of a network, statistics included.
  ///
  /// - Throws: values that the network brings and that cannot be read.
  public func parameters(of graph: Graph) throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: graph.parameterCount) { block, count in
      count = graph.parameterCount
      try fill(UnsafeMutableBufferPointer(rebasing: block[..<count]), of: graph)
    }
  }

  /// Fills the whole parameter block of a network where it stands.
  ///
  /// - Parameter block: ``Graph/parameterCount`` floats, none of which is read.
  /// - Throws: values that the network brings and that cannot be read.
  public func fill(_ block: UnsafeMutableBufferPointer<Float>, of graph: Graph) throws {
    precondition(
      block.count == graph.parameterCount, "internal error: a block for other parameters")
    var pieces: [Piece] = []
    for parameter in graph.parameters {
      let values = UnsafeMutableBufferPointer(
        rebasing: block[parameter.offset..<(parameter.offset + parameter.spec.count)])
      if let given = graph.values[parameter.name] {
        try given.fill(values)
      } else {
        pieces += self.pieces(of: parameter.spec, name: parameter.name, in: values)
      }
    }
    Self.draw(pieces)
  }

  /// Fills the values of one parameter.
  ///
  /// - Parameters:
  ///   - values: as many as the declaration's shape has.
  ///   - name: the parameter's name in the network, `conv1.weight`.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, of spec: ParameterSpec, name: String
  ) {
    Self.draw(pieces(of: spec, name: name, in: values))
  }

  /// The generator of a parameter's numbers.
  func generator(name: String) -> Philox {
    Philox(key: SplitMix64.seed(seed, name: name))
  }

  // MARK: Pieces

  /// Numbers of a piece: a multiple of a block's four.
  static let pieceCount = 1 << 16

  /// A part of one parameter, which one thread fills: no two pieces overlap.
  private struct Piece: @unchecked Sendable {
    let key: UInt64
    let distribution: Distribution
    /// Place of the first value in its parameter.
    let first: Int
    let values: UnsafeMutableBufferPointer<Float>

    func draw() {
      guard let start = values.baseAddress else { return }
      let (first, count) = (UInt64(first), UInt64(values.count))
      switch distribution {
      case .constant(let value): values.initialize(repeating: value)
      case .normal(let scale):
        convc_random_normal(key, scale, first, count, start)
      case .truncatedNormal(let scale):
        convc_random_truncated_normal(key, scale, first, count, start)
      case .uniform(let bound): convc_random_uniform(key, bound, first, count, start)
      }
    }
  }

  private func pieces(
    of spec: ParameterSpec, name: String, in values: UnsafeMutableBufferPointer<Float>
  ) -> [Piece] {
    let key = generator(name: name).key
    let distribution = Distribution(spec)
    return stride(from: 0, to: values.count, by: Self.pieceCount).map { first in
      let end = min(first + Self.pieceCount, values.count)
      return Piece(
        key: key, distribution: distribution, first: first,
        values: UnsafeMutableBufferPointer(rebasing: values[first..<end]))
    }
  }

  private static func draw(_ pieces: [Piece]) {
    DispatchQueue.concurrentPerform(iterations: pieces.count) { pieces[$0].draw() }
  }
}

/// What the values of a parameter are drawn from.
enum Distribution {
  case constant(Float)
  /// Standard normal, times a scale.
  case normal(scale: Float)
  /// Standard normal, cut off at ±2, times a scale.
  case truncatedNormal(scale: Float)
  /// Uniform between −bound and bound.
  case uniform(bound: Float)

  init(_ spec: ParameterSpec) {
    let deviation = spec.initializer.deviation(fanIn: spec.fanIn, fanOut: spec.fanOut)
    let fans = [max(1, spec.fanIn), max(1, spec.fanIn + spec.fanOut)].map(Double.init)
    switch spec.initializer {
    case .constant(let value): self = .constant(value)
    case .normal, .lecunNormal: self = .normal(scale: Float(deviation))
    case .heNormal, .glorotNormal:
      self = .truncatedNormal(scale: Float(deviation / Self.truncatedDeviation))
    case .uniform(let bound): self = .uniform(bound: bound)
    case .heUniform: self = .uniform(bound: Float((6 / fans[0]).squareRoot()))
    case .glorotUniform: self = .uniform(bound: Float((6 / fans[1]).squareRoot()))
    }
  }

  /// Standard deviation of a standard normal variable that is cut off at ±2.
  ///
  /// `√(1 − 4 φ(2) / (2 Φ(2) − 1))`. He and Glorot values are divided by it, so that after the cut their
  /// variance is 2 / fan-in, or 2 / (fan-in + fan-out), exactly; they reach up to 2.27 of those deviations.
  static let truncatedDeviation = 0.879_625_661_034_239_8
}
