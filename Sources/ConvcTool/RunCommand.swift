import ArgumentParser
import Convc
import Foundation

/// A tensor's name and a file: `image=x.npy`.
struct NamedFile: ExpressibleByArgument {
  let name: String
  let path: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "=") else { return nil }
    name = String(argument[..<sign])
    path = String(argument[argument.index(after: sign)...])
    guard !name.isEmpty, !path.isEmpty else { return nil }
  }
}

/// Runs inference on arrays in files.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs inference on arrays in .npy files.",
    discussion: """
      Inputs have the types that the model gives them, mostly float32, and the images come first: [N, C, H, W]. Nothing is
      done to their values before.

      Example: convc run lenet5 --weights best.safetensors --input image=x.npy --output output=y.npy
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var weights: WeightsOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(help: ArgumentHelp("Size of the images; else the preset's own.", valueName: "CxHxW"))
  var size: ImageSize?

  @Option(help: ArgumentHelp("An input's values.", valueName: "NAME=FILE.npy"))
  var input: [NamedFile] = []

  @Option(help: ArgumentHelp("Where an output goes.", valueName: "NAME=FILE.npy"))
  var output: [NamedFile] = []

  func validate() throws {
    guard !output.isEmpty else {
      throw ValidationError("no output is asked for; give --output NAME=FILE.npy")
    }
    for (option, files) in [("input", input), ("output", output)] {
      let names = files.map(\.name)
      if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
        throw ValidationError("--\(option) \(twice) is given twice; leave one out")
      }
    }
    let paths = output.map(\.path)
    if let twice = paths.first(where: { path in paths.filter { $0 == path }.count > 1 }) {
      throw ValidationError("two outputs go to \(twice); name two files")
    }
  }

  func run() async throws {
    var network = try model.network(input: size?.extents)
    let checkpoint = try weights.source.checkpoint(for: &network, memoryLimit: model.limitBytes)
    let options = BuildOptions(
      batch: batch.batch, trains: false, target: target.target.target,
      memoryLimit: model.limitBytes)
    let compilation = try network.compile(options)
    // Everything that can be wrong with the files is found before the C compiler runs.
    let graph = compilation.graph
    let wanted = try ordered(output, "output", graph.outputLabels)
    let inputs = try read(graph)
    let program = try await compiler.load(compilation, general)
    let session = try Session(program)
    try session.setParameterBlock(checkpoint.parameters)
    let outputs = try Inference(session: session, threads: threads.threads).run(
      inputs.values, images: inputs.images)
    try OutputFiles.write(
      wanted.enumerated().compactMap { index, file in
        guard let file else { return nil }
        let whole = program.outputs[index].shape
        let shape = graph.isUnbatched ? whole : [inputs.images] + whole.dropFirst()
        return (file.path, NumPyFile(shape: shape, values: outputs[index]).bytes)
      })
    for case let file? in wanted { general.note("wrote \(file.path)") }
  }

  /// The files in the order of the network's names, nil where there is none.
  private func ordered(
    _ files: [NamedFile], _ kind: String, _ names: [String]
  ) throws(Failure) -> [NamedFile?] {
    if let file = files.first(where: { !names.contains($0.name) }) {
      let guess = Spelling.hint(for: file.name, among: names)
      throw Failure(
        .usage,
        "\(model.model) has no \(kind) '\(file.name)'; \(guess)there is \(names.joined(separator: ", "))"
      )
    }
    return names.map { name in files.first { $0.name == name } }
  }

  /// The inputs' values, and how many images they are.
  private func read(_ graph: Graph) throws -> (values: [Program.Values], images: Int) {
    let files = try ordered(input, "input", graph.inputLabels)
    var values: [Program.Values] = []
    var images: Int?
    for ((type, name), file) in zip(zip(graph.inputTypes, graph.inputLabels), files) {
      let shape = graph.isUnbatched ? type.shape : Array(type.shape.dropFirst())
      guard let file else {
        throw Failure(
          .usage,
          "input '\(name)' of \(model.model) is missing; give --input \(name)=FILE.npy"
        )
      }
      let array = try NumPyFile(path: file.path)
      let expected =
        graph.isUnbatched ? NumberText.extents(shape) : "N" + shape.map { "x\($0)" }.joined()
      guard array.values.element.rawValue == type.element.rawValue else {
        throw Failure(
          .input,
          "\(file.path): input '\(name)' takes \(type.element.rawValue), "
            + "got \(array.values.element.rawValue); save x.astype('\(type.element.rawValue)')"
        )
      }
      guard
        graph.isUnbatched
          ? array.shape == shape
          : Array(array.shape.dropFirst()) == shape && array.shape.first ?? 0 > 0
      else {
        throw Failure(
          .input,
          "\(file.path): input '\(name)' takes shape \(expected), "
            + "got \(NumberText.extents(array.shape)); reshape it, or choose the images' size with --size"
        )
      }
      if let images, !graph.isUnbatched, images != array.shape[0] {
        throw Failure(
          .input,
          "\(file.path): input '\(name)' has \(array.shape[0]) images, those before have \(images); "
            + "give as many of each")
      }
      images = graph.isUnbatched ? 1 : array.shape[0]
      values.append(array.values)
    }
    // A network without inputs runs once.
    return (values, images ?? 1)
  }
}

/// Inference over more images than a batch holds.
struct Inference {
  let session: Session
  let threads: Int

  /// The outputs for a number of images, given as whole inputs.
  ///
  /// A network of fixed batch gets its last batch filled up with zeros; what they give is dropped.
  func run(_ inputs: [Program.Values], images: Int) throws -> [Program.Values] {
    let program = session.program
    let batch = program.batches.upperBound
    var collected = program.outputs.map { _ in Program.Values.float32([]) }
    for start in stride(from: 0, to: images, by: batch) {
      let count = min(batch, images - start)
      let filled = max(count, program.batches.lowerBound)
      let part = zip(inputs, program.inputs).map { values, tensor in
        let width = tensor.elementsPerImage
        return values.part(start * width, (start + count) * width, filled: filled * width)
      }
      let outputs = try session.forward(inputs: part, batch: filled, threads: threads)
      for (index, tensor) in program.outputs.enumerated() {
        let width = count * tensor.elementsPerImage
        collected[index] = collected[index].appending(outputs[index].part(0, width, filled: width))
      }
    }
    return collected
  }
}

extension Program.Values {
  /// Elements of a range; where fewer than `filled`, zeros follow.
  fileprivate func part(_ start: Int, _ end: Int, filled: Int) -> Program.Values {
    let zeros = [UInt8](repeating: 0, count: element.size * (filled - (end - start)))
    return self[start..<end].appending(
      zeros.withUnsafeBytes { Program.Values(element, copying: $0) })
  }

  fileprivate func appending(_ other: Program.Values) -> Program.Values {
    switch (self, other) {
    case (.float32(let a), .float32(let b)): .float32(a + b)
    case (.int32(let a), .int32(let b)): .int32(a + b)
    case (.int64(let a), .int64(let b)): .int64(a + b)
    case (.bool(let a), .bool(let b)): .bool(a + b)
    case (_, let b): b
    }
  }
}
