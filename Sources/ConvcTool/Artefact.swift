import ArgumentParser
import Convc
import Foundation

/// What `build` and `emit` have in common.
struct ArtefactOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @OptionGroup var size: SizeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions

  @Option(help: "What the C can do: infer, or train and infer.")
  var mode = BuildMode.infer

  @Option(help: "Prefix of all C symbols and files; else the model's name.")
  var name: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file to take weights from; 'file': initial weights.", valueName: "FILE"))
  var weights: String?

  @Option(help: "Seed of the initial weights.")
  var seed: UInt64 = 0

  @Option(help: "The loss; this version has one.")
  var loss = "softmax-cross-entropy"

  @Option(help: "The optimizer; this version has one.")
  var optimizer = "sgd"

  @Option(help: "Precision of the kernels; this version has one.")
  var precision = "f32"

  func validate() throws {
    if weights == "embed" {
      throw ValidationError(
        "--weights embed is not in this version; leave it out, and the weights stand in a file")
    }
    for (option, value, known) in [
      ("loss", loss, "softmax-cross-entropy"), ("optimizer", optimizer, "sgd"),
      ("precision", precision, "f32"),
    ] where value != known {
      throw ValidationError("--\(option) \(value) is not in this version, expected \(known)")
    }
    if let name, !name.isCIdentifier {
      throw ValidationError(
        "--name '\(name)' is no C identifier; use up to 64 letters, digits and underscores, "
          + "and no C keyword")
    }
  }

  /// Compiles the network and finds its weights.
  func compile() throws -> Artefact {
    var network = try model.network(input: size.size?.extents, trains: mode == .train)
    // `file` says where weights stand, not which.
    let source = WeightsSource(path: weights == "file" ? nil : weights, seed: seed)
    let checkpoint = try source.checkpoint(for: &network, memoryLimit: model.limitBytes)
    let options = BuildOptions(
      batch: batch.batch, trains: mode == .train, target: target.target.target, name: name,
      memoryLimit: model.limitBytes)
    return Artefact(compilation: try network.compile(options), checkpoint: checkpoint)
  }
}

/// The files that a network becomes.
struct Artefact {
  let compilation: Compilation
  let checkpoint: Checkpoint

  /// Writes header, sources and weights to a folder, and beside them a library if there is one: all of them or none.
  ///
  /// - Returns: the paths.
  func write(to folder: String, library: String? = nil) throws -> [String] {
    let prefix = compilation.prefix
    var files = compilation.files().all.map { (name: $0.name, data: Data($0.text.utf8)) }
    files.append((prefix + ".safetensors", try weights()))
    if let library { files.append(("lib\(prefix).so", try Self.bytes(of: library))) }
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    return try OutputFolder(folder).write(files)
  }

  /// The bytes of the weights file.
  private func weights() throws -> Data {
    let path = NSTemporaryDirectory() + "convc-\(UUID().uuidString).safetensors"
    defer { unlink(path) }
    try checkpoint.write(to: path, layout: compilation.graph.parameters)
    return try Self.bytes(of: path)
  }

  private static func bytes(of path: String) throws -> Data {
    do {
      return try Data(contentsOf: URL(filePath: path))
    } catch {
      throw Failure(.missing, "\(path) cannot be read: it was removed; try again")
    }
  }
}
