import Convc
import ConvcReference
import Testing

/// Expects that a network, compiled in every way, has the outputs and gradients of the reference.
public func expectAgreement(of model: Model, batch: Int, maximumBatch: Int? = nil) async throws {
  let network = try RandomNetwork(model, batch: batch, maximumBatch: maximumBatch, seed: 3)
  var sources: [CSource] = []
  for variant in CompileVariant.all {
    let options = variant.options(
      batch: network.graph.batch, trains: network.graph.trainableCount > 0,
      name: "\(model.name)_\(variant.name)")
    sources += try model.compile(options).sources()
  }
  let library = try await Toolchain.find().load(
    sources: sources,
    options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
  for variant in CompileVariant.all {
    let program = try Program(library: library, prefix: "\(model.name)_\(variant.name)")
    for problem in try differences(of: program, from: network) {
      Issue.record("\(variant.name): \(problem)\n\(network)")
    }
  }
}

/// Expects that a batch gives the bits that its images give one by one, compiled in every way.
public func expectSameBitsOneByOne(_ model: Model, batch: Int) async throws {
  let network = try RandomNetwork(model, batch: batch, seed: 5)
  var sources: [CSource] = []
  for variant in CompileVariant.all {
    let options = variant.options(
      batch: batch, trains: false, name: "\(model.name)_\(variant.name)")
    sources += try model.compile(options).sources()
  }
  let library = try await Toolchain.find().load(
    sources: sources,
    options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
  for variant in CompileVariant.all {
    let session = try Session(Program(library: library, prefix: "\(model.name)_\(variant.name)"))
    try session.setParameterBlock(network.parameters)
    let inputs = network.sample.inputs
    let whole = try session.forward(inputs: inputs.map { .float32($0) }, batch: batch)
    for n in 0..<batch {
      let single = try session.forward(
        inputs: inputs.map { .float32(Array($0[image: n, of: batch])) }, batch: 1)
      for (one, all) in zip(single, whole) {
        let bits = [one.floats, Array(all.floats[image: n, of: batch])].map { $0.map(\.bitPattern) }
        #expect(bits[0] == bits[1], "\(variant.name): image \(n) by itself has other bits")
      }
    }
  }
}

extension [Float] {
  /// The values of one image of a batch.
  fileprivate subscript(image n: Int, of batch: Int) -> ArraySlice<Float> {
    self[n * count / batch..<(n + 1) * count / batch]
  }
}
