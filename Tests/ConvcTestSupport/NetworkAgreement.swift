import Convc
import Testing

/// Compares a network with the reference, compiled in every way: outputs within 1e-5, gradients within 1e-4, the same bits
/// at 1, 2 and 5 threads.
///
/// - Parameter name: a C identifier.
public func expectAgreement(
  _ name: String, batch: Int, maximumBatch: Int? = nil, isUnbatched: Bool = false,
  trains: Bool = true, _ build: (ModelBuilder) -> Void
) async throws {
  let builder = ModelBuilder(name: name, isUnbatched: isUnbatched)
  build(builder)
  let network = try RandomNetwork(
    builder.model, batch: batch, maximumBatch: maximumBatch, seed: 3)
  var sources: [CSource] = []
  for variant in CompileVariant.all {
    let options = variant.options(
      batch: network.graph.batch, trains: trains, name: "\(name)_\(variant.name)",
      place: name.utf8.count)
    sources += try network.model.compile(options).sources()
  }
  let library = try await Toolchain.find().load(
    sources: sources,
    options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
  for variant in CompileVariant.all {
    let program = try Program(library: library, prefix: "\(name)_\(variant.name)")
    for problem in try differences(of: program, from: network) {
      Issue.record("\(variant.name): \(problem)\n\(network)")
    }
  }
}

/// A network as a program for this machine, with a session whose parameters are given by their place in the block.
public func session(
  of model: Model, batch: Int, trains: Bool = false, target: Target = .native,
  parameter: (Int) -> Float
) async throws -> Session {
  let compilation = try model.compile(BuildOptions(batch: batch, trains: trains, target: target))
  let library = try await Toolchain.find().load(
    sources: compilation.sources(),
    options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
  let session = try Session(Program(library: library, prefix: model.name))
  try session.setParameterBlock(session.parameterBlock.indices.map(parameter))
  return session
}
