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
    name: .customLong("weights"),
    help: ArgumentHelp(
      "A safetensors file to take weights from; 'file': they stand in a file, the default; 'embed': in the library. "
        + "May be given twice: a file, and where they stand.", valueName: "FILE|file|embed"))
  var weightsWords: [String] = []

  @Option(help: "Seed of the initial weights.")
  var seed: UInt64 = 0

  @Option(help: "The optimizer; this version has one.")
  var optimizer = "sgd"

  @Option(help: "Precision of the kernels; this version has one.")
  var precision = "f32"

  func validate() throws {
    try validateWeights()
    for (option, value, known) in [
      ("optimizer", optimizer, "sgd"), ("precision", precision, "f32"),
    ] where value != known {
      throw ValidationError("--\(option) \(value) is not in this version, expected \(known)")
    }
    if let name, !name.isCIdentifier {
      throw ValidationError(
        "--name '\(name)' is no C identifier; use up to 64 letters, digits and underscores, "
          + "and no C keyword")
    }
    if let name, !BuildOptions.isName(name) {
      throw ValidationError(
        "--name \(name) is taken by C, by convc, or by a header or library of the system; use another"
      )
    }
  }

  private static let places = ["file", "embed"]

  /// The file to take weights from; nil: the network's own, or initial ones.
  private var weightsPath: String? { weightsWords.first { !Self.places.contains($0) } }

  /// Whether weights become part of the library.
  var embedsWeights: Bool { weightsWords.contains("embed") }

  private func validateWeights() throws {
    if weightsWords.filter(Self.places.contains).count > 1 {
      throw ValidationError("--weights says twice where weights stand; give one of file and embed")
    }
    let paths = weightsWords.filter { !Self.places.contains($0) }
    if paths.count > 1 {
      throw ValidationError("--weights names \(paths.count) files; give one")
    }
    if embedsWeights, mode == .train {
      throw ValidationError(
        "a training build changes its weights, those in a library stay; "
          + "leave out --weights embed, or build with --mode infer")
    }
  }

  /// Compiles the network and finds its weights.
  func compile() throws -> Artefact {
    var network = try model.network(input: size.size?.extents, trains: mode == .train)
    let source = WeightsSource(path: weightsPath, seed: seed)
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

  /// Name of the library's file.
  var libraryName: String { "lib\(compilation.prefix).so" }

  /// Writes header, sources, weights and what build systems find them by to a folder, and beside them a library if there
  /// is one: all of them or none.
  ///
  /// - Parameter packed: embedded weights as kernels read them.
  /// - Returns: the paths.
  func write(
    to folder: String, embeds: Bool, packed: Data? = nil, library: String? = nil
  ) throws -> [String] {
    let embedding: EmbeddedWeights? = embeds ? (packed == nil ? .parameters : .packed) : nil
    let sources = compilation.files(embedding: embedding)
    var files = sources.all.map { (name: $0.name, data: Data($0.text.utf8)) }
    if embeds {
      files.append((compilation.weightsFile, packed ?? Self.bytes(of: checkpoint.parameters)))
    } else {
      files.append((compilation.prefix + ".safetensors", try weights()))
    }
    if let library { files.append((libraryName, try Self.bytes(of: library))) }
    files += compilation.packageFiles(for: sources, isCompiled: library != nil).map {
      ($0.name, Data($0.text.utf8))
    }
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
      return try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    } catch {
      throw Failure(.missing, "\(path) cannot be read: it was removed; try again")
    }
  }

  /// The bytes of a parameter block: little-endian, as in a weights file.
  private static func bytes(of parameters: [Float]) -> Data {
    parameters.withUnsafeBytes { Data($0) }
  }
}
