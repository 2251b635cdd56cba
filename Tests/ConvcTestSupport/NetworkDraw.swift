import ConvcIR
import ConvcLayers

/// A random network without values to run it on: quick to draw.
public struct NetworkDraw: Sendable {
  public let model: Model
  /// The largest batch that it is built for.
  public let maximumBatch: Int

  public init(seed: UInt64) {
    var growth = NetworkGrowth(seed: seed)
    growth.grow()
    model = growth.builder.model
    maximumBatch = growth.runs.maximum
  }

  /// The seeds, in order, whose networks have a layer or loss of the registry because it is its turn.
  ///
  /// - Parameter name: nil: any.
  public static func seeds(planting name: String?, in seeds: Range<UInt64>) -> [UInt64] {
    guard let name else { return Array(seeds) }
    return seeds.filter { seed in
      "\(NetworkGrowth.layer(of: seed))" == name
        || NetworkGrowth.loss(of: seed).map { "\($0)" } == name
    }
  }
}
