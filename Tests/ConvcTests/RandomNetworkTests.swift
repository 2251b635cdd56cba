import Convc
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

/// Seeded random networks, each compiled in every way there is, against the double-precision reference.
///
/// `CONVC_RANDOM_NETWORKS` says how many (60 by default), `CONVC_RANDOM_SEED` from which seed on.
@Suite("Random networks, compiled in every way", .serialized)
struct RandomNetworkTests {
  /// Networks that share one library.
  static let perLibrary = 10

  static let batches: [Range<UInt64>] = {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["CONVC_RANDOM_NETWORKS"].flatMap(UInt64.init) ?? 60
    let first = environment["CONVC_RANDOM_SEED"].flatMap(UInt64.init) ?? 0
    return stride(from: first, to: first + count, by: perLibrary).map {
      $0..<min($0 + UInt64(perLibrary), first + count)
    }
  }()

  @Test("outputs, losses and gradients are those of the reference", arguments: batches)
  func agree(seeds: Range<UInt64>) async throws {
    // Correctness does not depend on the level: -O0 compiles five times faster, -O1 shows what an optimiser may do.
    let isOptimized = seeds.lowerBound / UInt64(Self.perLibrary) % 4 == 0
    try await expectAgreement(
      try seeds.map { ("n\($0)", try RandomNetwork(seed: $0)) }, level: isOptimized ? "-O1" : "-O0")
  }

  /// Compiles networks in every way, into one library, and compares them with the reference.
  func expectAgreement(
    _ networks: [(name: String, network: RandomNetwork)], level: String = "-O1"
  ) async throws {
    var jobs: [(network: RandomNetwork, variant: CompileVariant, prefix: String)] = []
    var sources: [CSource] = []
    for (name, network) in networks {
      for variant in CompileVariant.ofNetworks {
        let prefix = "\(name)_\(variant.name)"
        let options = variant.options(
          batch: network.graph.batch, trains: network.graph.trainableCount > 0, name: prefix,
          place: Int(network.seed))
        sources += try network.model.compile(options).sources()
        jobs.append((network, variant, prefix))
      }
    }
    let toolchain = try await Toolchain.find()
    let options = LibraryOptions(architecture: .native, openMP: true, extraFlags: [level])
    let library = try await toolchain.load(sources: sources, options: options)
    for job in jobs {
      let program = try Program(library: library, prefix: job.prefix)
      for problem in try differences(of: program, from: job.network) {
        Issue.record("\(job.variant.name): \(problem)\n\(job.network)")
      }
    }
  }
}
