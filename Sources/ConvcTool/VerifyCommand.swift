import ArgumentParser
import Convc
import Foundation

/// Runs the reference inputs beside an ONNX file and compares the outputs.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compares an ONNX network's outputs with those that stand beside its file.",
    discussion: """
      Reference values stand in folders test_data_set_0, test_data_set_1 ... as input_0.pb and output_0.pb or as .npy, \
      or in one folder as MODEL.input0.npy or as NAME.npy; .npy.gz will do. Extents that the file leaves open are \
      those of the inputs. A value may differ by atol + rtol times the expected one.

      With --random it draws networks itself and compares them with an evaluation in double precision that follows the \
      definitions of the operators; --write keeps them as files with their reference values.

      Example: convc verify net.onnx
      Example: convc verify net.onnx --data reference --rtol 1e-4
      Example: convc verify --random 300 --seed 0
      """)

  @ArgumentParser.Argument(help: "An ONNX file.")
  var model: String?

  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp(
      "The extent of a dimension that the file names; else that of the inputs.",
      valueName: "NAME=EXTENT"))
  var dimensions: [NamedExtent] = []

  @OptionGroup var target: TargetOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    help: ArgumentHelp("Where reference values are; else beside the file.", valueName: "DIR"))
  var data: String?

  @Option(help: "Difference that is allowed as a share of the expected value.")
  var rtol = 1e-3

  @Option(help: "Difference that is allowed beside it.")
  var atol = 1e-5

  @Option(
    help: ArgumentHelp("Draw so many networks instead of reading one.", valueName: "NETWORKS"))
  var random: Int?

  @Option(help: "The seed of the first network drawn; the others' follow.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Keep what was drawn, a folder for each network.", valueName: "DIR"))
  var write: String?

  func validate() throws {
    guard (model == nil) != (random == nil) else {
      throw ValidationError("give an ONNX file, or --random NETWORKS, and not both")
    }
    if let random, !(1...1_000_000).contains(random) {
      throw ValidationError("--random is \(random), expected 1...1000000")
    }
    guard random == nil || seed <= .max - 1_000_000 else {
      throw ValidationError("--seed is \(seed), expected at most \(UInt64.max - 1_000_000)")
    }
    guard random != nil || write == nil else {
      throw ValidationError("--write keeps networks that --random draws; leave it out")
    }
    guard random == nil || data == nil && dimensions.isEmpty else {
      throw ValidationError("--data and --dim are for an ONNX file; leave them out")
    }
    for (name, value) in [("rtol", rtol), ("atol", atol)] where !(value >= 0 && value.isFinite) {
      throw ValidationError("--\(name) is \(value), expected a number from 0 on")
    }
  }

  func run() async throws {
    if let random { return try await compareDrawn(random) }
    let graph = try ONNXFile.read(path)
    let pairs = ReferencePair.find(
      model: path, folder: data, inputs: graph.inputs.map(\.name),
      outputs: graph.outputs.map(\.name))
    guard !pairs.isEmpty else {
      throw Failure(
        .input,
        "no reference values for \(path) in \(data ?? "its folder"): expected test_data_set_0/output_0.pb, "
          + "MODEL.output0.npy or OUTPUT.npy; name their folder with --data DIR")
    }
    var table = TextTable([
      ("data", .left), ("output", .left), ("shape", .left), ("max abs error", .right),
      ("max rel error", .right), ("", .left),
    ])
    var refusal: Failure?
    for pair in pairs {
      for result in try await compare(pair, graph) {
        table.add([
          pair.name, Console.line(result.output), NumberText.extents(result.shape),
          NumberText.short(result.deviation.absolute), NumberText.short(result.deviation.relative),
          result.deviation.worst == nil ? "ok" : "DIFFERS",
        ])
        if refusal == nil, let worst = result.deviation.worst {
          refusal = failure(result, worst, pair.name)
        }
      }
    }
    try Console.print(table.text)
    if let refusal { throw refusal }
  }

  /// An output beside its reference.
  private struct Compared {
    let output: String
    let shape: [Int]
    let deviation: Deviation
  }

  private var path: String { model ?? "" }

  private func failure(_ result: Compared, _ worst: Deviation.Worst, _ pair: String) -> Failure {
    var index: [Int] = []
    var rest = worst.place
    for extent in result.shape.reversed() {
      index.insert(rest % max(1, extent), at: 0)
      rest /= max(1, extent)
    }
    return Failure(
      .input,
      "\(path): output '\(result.output)' of \(pair) is \(worst.value) at "
        + "[\(index.map(String.init).joined(separator: ", "))], expected \(worst.expected): beyond rtol "
        + "\(rtol) and atol \(atol); if that is near enough, raise --rtol or --atol")
  }

  private func compare(_ pair: ReferencePair, _ graph: ONNXGraph) async throws -> [Compared] {
    let inputs = try arrays(pair.inputs, graph.inputs.map(\.name), "input", all: true)
    let expected = try arrays(pair.outputs, graph.outputs.map(\.name), "output", all: false)
    let network = try ONNXNetwork.model(
      of: graph, dimensions: dimensions, inputs: inputs.map { $0?.shape ?? [] })
    let compilation = try network.compile(
      BuildOptions(trains: false, target: target.target.target))
    let session = try Session(try await compiler.load(compilation, general))
    try session.withParameters { try Initialization(seed: 0).fill($0, of: compilation.graph) }
    let names = compilation.graph.inputLabels
    var values: [Program.Values] = []
    for (name, tensor) in zip(names, session.program.inputs) {
      guard let place = graph.inputs.firstIndex(where: { $0.name == name }),
        let array = inputs[place]
      else { preconditionFailure("internal error: an input that the file does not have") }
      guard array.shape == tensor.shape else {
        throw Failure(
          .input,
          "\(array.path): input '\(name)' takes \(NumberText.extents(tensor.shape)), got \(NumberText.extents(array.shape)); "
            + "give values that belong to the model")
      }
      values.append(try array.values(tensor.element))
    }
    let results = try session.forward(
      inputs: values, batch: session.program.batches.upperBound, threads: threads.threads)
    return try zip(results.indices, compilation.graph.outputLabels).compactMap { index, name in
      guard let place = graph.outputs.firstIndex(where: { $0.name == name }),
        let reference = expected[place]
      else { return nil }
      let shape = session.program.outputs[index].shape
      guard reference.shape == shape else {
        throw Failure(
          .input,
          "\(reference.path): output '\(name)' has shape \(NumberText.extents(shape)), expected "
            + "\(NumberText.extents(reference.shape)); give values that belong to the model")
      }
      return Compared(
        output: name, shape: shape,
        deviation: Deviation(
          results[index].doubles, from: try reference.doubles(), rtol: rtol, atol: atol))
    }
  }

  /// The files in the order of names.
  ///
  /// - Parameter all: whether every name needs one.
  private func arrays(
    _ files: [ReferencePair.File], _ names: [String], _ kind: String, all: Bool
  ) throws -> [ReferenceArray?] {
    var result = [ReferenceArray?](repeating: nil, count: names.count)
    for file in files {
      let place =
        switch file.key {
        case .place(let place): place
        case .name(let name): names.firstIndex(of: name) ?? names.count
        }
      guard place < names.count else {
        throw Failure(
          .input, "\(file.path): \(path) has \(names.count) \(kind)s; remove the file")
      }
      result[place] = try ReferenceArray(path: file.path)
    }
    if all, let place = result.firstIndex(where: { $0 == nil }) {
      throw Failure(
        .input,
        "no file for input '\(names[place])' of \(path) beside \(files.first?.path ?? "the outputs"); add it"
      )
    }
    return result
  }
}

extension VerifyCommand {
  /// Draws networks and compares them, as many at a time as share one library.
  private func compareDrawn(_ count: Int) async throws {
    let toolchain = try await compiler.toolchain(general)
    var (compared, largest) = (0, 0.0)
    var findings: [DrawnComparison.Finding] = []
    let end = seed + UInt64(count)
    for first in stride(from: seed, to: end, by: DrawnComparison.perLibrary) {
      let seeds = first..<min(first + UInt64(DrawnComparison.perLibrary), end)
      if let write { try keep(seeds, in: write) }
      let result = try await DrawnComparison(
        target: target.target.name == TargetChoice.native.name ? nil : target.target.target,
        openMP: !compiler.withoutOpenMP
      ).run(seeds, toolchain: toolchain)
      compared += seeds.count
      largest = max(largest, result.largest)
      findings += result.findings
      for finding in result.findings {
        general.note(finding.problem)
        for line in finding.network.split(separator: "\n") { general.note("  \(line)") }
      }
    }
    let seeds = "seeds \(seed) to \(end - 1)"
    try Console.print(
      "\(compared - findings.count) of \(compared) networks agree (\(seeds)); the largest difference is "
        + "\(NumberText.short(largest)) of an output's largest value")
    if let first = findings.first {
      throw Failure(
        .bug,
        "\(findings.count) drawn networks disagree, the first: \(first.problem); please report the seed"
      )
    }
  }

  /// Writes networks with their inputs and expected outputs, in the layout of ONNX's test data.
  private func keep(_ seeds: Range<UInt64>, in folder: String) throws {
    for seed in seeds {
      let network = DrawnNetwork(seed: seed)
      let path = "\(folder)/network_\(seed)"
      var files = [("\(path)/model.onnx", Data(try network.file()))]
      for (kind, tensors) in [("input", network.inputs), ("output", network.outputs)] {
        for (index, entry) in tensors.enumerated() {
          files.append(
            (
              "\(path)/test_data_set_0/\(kind)_\(index).pb",
              Data(try DrawnNetwork.file(of: entry.tensor, name: entry.name))
            ))
        }
      }
      try OutputFiles.write(files)
    }
  }
}

/// A tensor in a file, `.pb`, `.npy` or `.npy.gz`.
struct ReferenceArray {
  private enum Contents {
    case tensor(ONNXTensor)
    case array(NumPyFile)
  }

  let path: String
  private let contents: Contents

  init(path: String) throws {
    self.path = path
    contents =
      path.hasSuffix(".pb")
      ? .tensor(try TensorFile.read(path)) : .array(try NumPyFile(path: path))
  }

  var shape: [Int] {
    switch contents {
    case .tensor(let tensor): tensor.dims
    case .array(let array): array.shape
    }
  }

  func doubles() throws -> [Double] {
    switch contents {
    case .tensor(let tensor): try tensor.doubles()
    case .array(let array): array.values.doubles
    }
  }

  /// The values as an input takes them.
  ///
  /// - Throws: values of another type.
  func values(_ element: Program.Element) throws -> Program.Values {
    func other(_ found: String) -> Failure {
      Failure(
        .input,
        "\(path): holds \(found), the input takes \(element.rawValue); give values that belong to the model"
      )
    }
    switch contents {
    case .array(let array):
      guard array.values.element == element else { throw other(array.values.element.rawValue) }
      return array.values
    case .tensor(let tensor):
      let types: [ONNXElementType: Program.Element] = [
        .float: .float32, .int32: .int32, .int64: .int64, .bool: .bool,
      ]
      guard types[tensor.type] == element else { throw other(tensor.type.name) }
      return try tensor.bytes().withUnsafeBytes { Program.Values(element, copying: $0) }
    }
  }
}

extension Program.Values {
  /// The values as numbers.
  var doubles: [Double] {
    switch self {
    case .float32(let values): values.map(Double.init)
    case .int32(let values): values.map(Double.init)
    case .int64(let values): values.map(Double.init)
    case .bool(let values): values.map { $0 ? 1 : 0 }
    }
  }
}
