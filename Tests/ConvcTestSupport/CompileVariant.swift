import Convc

/// A way to compile a network: target, families of kernels, with fusion or without.
public struct CompileVariant: Sendable {
  public let name: String
  /// nil: one of the narrow ones, by the network's place.
  let target: Target?
  var families: Set<String>?
  var fuses = true
  /// Whether even small outputs and weights are not kept, and little fits the cache.
  var isCramped = false
  /// Whether training is built as well.
  var trains = true

  /// Targets with shorter vectors than this machine's, each with tiles of its own.
  static let narrow = Target.all.filter {
    $0.hasVectors && $0.lanes <= Target.native.lanes && $0 != .native
  }

  /// Every way to compile inference and training that there is on this machine.
  public static let all: [CompileVariant] = {
    let generic = [
      CompileVariant(name: "unfused", target: .generic, fuses: false),
      CompileVariant(name: "fused", target: .generic),
    ]
    guard Target.native.hasVectors else { return generic }
    return generic + [
      CompileVariant(name: "lanes", target: .native, families: ["lanes"]),
      CompileVariant(name: "blocked", target: .native, families: ["blocked"], isCramped: true),
      CompileVariant(name: "chosen", target: .native),
      CompileVariant(name: "narrow", target: nil),
    ]
  }()

  /// Those, and inference alone, whose forward kernels keep nothing and may leave out what they would keep.
  public static let ofNetworks: [CompileVariant] = {
    guard Target.native.hasVectors else { return all }
    return all + [
      CompileVariant(
        name: "inference", target: .native, families: ["blocked"], isCramped: true, trains: false)
    ]
  }()

  /// - Parameters:
  ///   - trains: whether the network has something to train.
  ///   - place: the network's among those of a test, which chooses one of the narrow targets.
  public func options(
    batch: Int, trains: Bool, name: String, place: Int = 0
  ) -> BuildOptions {
    let target = self.target ?? Self.narrow[place % Self.narrow.count]
    // A small cache brings loops of large networks to small ones, and results pass a tiny one. A layer's turn comes at places
    // of equal distance: of those it wants all, so they are scattered.
    let draw = UInt32(truncatingIfNeeded: place) &* 2_654_435_769 >> 28
    let isLanes = families == ["lanes"]
    let isCramped = isCramped || isLanes && draw % 2 == 1
    let level2 = isLanes && draw % 4 == 3 ? 64 : 24 << 10
    var options = BuildOptions(
      batch: batch, trains: trains && self.trains,
      target: isCramped ? target.with(level2: level2) : target,
      name: name, families: families, fuses: fuses)
    if isCramped { options.smallestSaving = 1024 }
    return options
  }
}
