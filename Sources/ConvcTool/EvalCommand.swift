import ArgumentParser
import Convc
import Foundation

/// Measures weights on a data set's test part.
struct EvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measures weights on the test part of a data set.",
    discussion: """
      The network takes the size of the data's images. Pixels are prepared as the weights' file says, else as the data's \
      training images ask for. An ONNX file's own weights are measured where no others are given.

      Example: convc eval lenet5 --weights runs/demo/best.safetensors --data digits
      Example: convc eval mnist-8.onnx --data mnist --scale 1
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var pixels: PixelOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    help: ArgumentHelp(
      "A safetensors file of weights; an ONNX file has its own.", valueName: "FILE"))
  var weights: String?

  @Flag(help: "Print everything as JSON.")
  var json = false

  func run() async throws {
    _ = try model.recipeName()
    guard weights != nil || model.hasWeights else {
      throw Failure(
        .usage,
        "--weights FILE is missing: \(model.model) has no trained weights of its own; see 'convc eval --help'"
      )
    }
    let dataset = try data.load()
    var network = try model.network(dataset: dataset)
    network.preprocessing = try pixels.preprocessing(for: dataset) ?? network.preprocessing
    let checkpoint = try WeightsSource(path: weights, seed: 0).checkpoint(
      for: &network, memoryLimit: model.limitBytes)
    let preprocessing = model.preprocessing(of: network, for: dataset, general)
    let compilation = try network.compile(
      BuildOptions(
        batch: batch.batch ?? 64, trains: false, target: target.target.target,
        memoryLimit: model.limitBytes))
    let examples = try DatasetExamples(
      dataset.test, preprocessing: preprocessing)
    let session = try Session(try await compiler.load(compilation, general))
    try session.setParameterBlock(checkpoint.parameters)
    let runner = SessionRunner(session: session, graph: compilation.graph)
    guard let result = try Evaluator(runner, threads: threads.threads).evaluate(examples) else {
      preconditionFailure("internal error: an evaluation that nobody cancelled was cancelled")
    }
    let report = EvaluationReport(
      model: model.model, data: dataset.name, result: result, names: dataset.classNames)
    try Console.print(json ? try report.json : report.text)
  }
}

extension ModelOptions {
  /// The network for a data set's images and classes, whose names it takes over.
  func network(dataset: Dataset) throws -> Model {
    var network = try network(
      input: dataset.shape, classes: dataset.classNames.count, trains: true)
    let wanted = dataset.classNames.count
    guard hasWeights else {
      if classes ?? wanted == wanted { network.classNames = dataset.classNames }
      return network
    }
    let graph = try InferShapes(batch: 1, memoryLimit: limitBytes).run(network)
    let known = graph.targets.first?.labels?.classes ?? wanted
    guard known >= wanted else {
      throw Failure(
        .input,
        "\(model) tells \(known) classes apart, \(dataset.name) has \(wanted); replace its last layer with --head \(wanted)"
      )
    }
    if known == wanted { network.classNames = dataset.classNames }
    return network
  }

  /// How a data set's pixels become a network's inputs: as the network says, else as the training images ask for.
  func preprocessing(
    of network: Model, for dataset: Dataset, _ general: GeneralOptions
  ) -> InputPreprocessing {
    if let known = network.preprocessing { return known }
    if hasWeights {
      general.note(
        "note: pixels are scaled to mean 0 and deviation 1 of the training images; if \(model) was trained "
          + "otherwise, say so with --scale, --mean and --deviation")
    }
    return dataset.fittedPreprocessing()
  }
}

/// What `eval` reports.
struct EvaluationReport: Encodable {
  struct ClassRow: Encodable {
    let name: String
    let images: Int
    /// Share of its images that were found; nil: it has none.
    let accuracy: Double?
  }

  let model: String
  let data: String
  let images: Int
  let loss: Double
  let accuracy: Double?
  let classes: [ClassRow]
  /// Row: the true class; column: the predicted one.
  let confusion: [[Int]]

  init(model: String, data: String, result: Evaluation, names: [String]) {
    self.model = model
    self.data = data
    images = result.images
    loss = result.metrics.loss
    accuracy = result.metrics.accuracy
    let all = result.confusion.map { Array(0..<$0.classes) } ?? []
    classes = all.compactMap { index in
      guard let confusion = result.confusion else { return nil }
      return ClassRow(
        name: index < names.count ? names[index] : "\(index)", images: confusion.total(of: index),
        accuracy: confusion.accuracy(of: index))
    }
    confusion = all.compactMap { row in
      result.confusion.map { confusion in all.map { confusion[row, $0] } }
    }
  }

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  var text: String {
    let score = accuracy.map { ", accuracy \(NumberText.percent($0))" } ?? ""
    let head =
      "\(model) on \(data): \(NumberText.grouped(images)) test images, "
      + "loss \(NumberText.fixed(loss, 4))\(score)"
    guard !classes.isEmpty else { return head }
    var table = TextTable([("class", .left), ("images", .right), ("accuracy", .right)])
    for row in classes {
      table.add([
        Console.line(row.name), NumberText.grouped(row.images),
        row.accuracy.map(NumberText.percent) ?? "",
      ])
    }
    return head + "\n\n" + table.text
  }
}
