import ArgumentParser
import Convc
import Foundation

/// Trains a network.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network on a data set.",
    discussion: """
      The network takes the size of the data's images. The run folder receives best.safetensors, last.safetensors, \
      log.jsonl, report.html and recipe.json. Ctrl-C stops after the current step; --resume goes on from there.

      The network of an ONNX file starts from its own weights: all of it, or what --freeze leaves, with another last \
      layer where --head asks for one.

      Example: convc train lenet5 --data digits --epochs 15 --seed 0 -o runs/digits
      Example: convc train lenet5 --data digits --resume -o runs/digits
      Example: convc train net.onnx --data photos --head 5 --freeze all-but-head --mean 0.485,0.456,0.406 \
      --deviation 0.229,0.224,0.225
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var pixels: PixelOptions
  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("A safetensors file of weights to start from.", valueName: "FILE"))
  var start: String?

  @Flag(help: "Go on with the training that the run folder holds.")
  var resume = false

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The run folder; else one below runs/.", valueName: "RUN"))
  var folder: String?

  func validate() throws {
    guard !resume || start == nil else {
      throw ValidationError("--resume and --init exclude each other; leave one out")
    }
    guard folder?.isEmpty != true else { throw ValidationError("-o names no folder") }
  }

  func run() async throws {
    let name = try model.recipeName()
    let dataset = try data.load()
    let folder = try runFolder(model: name, data: dataset.name)
    let recipe = try resolvedRecipe(dataset, folder)
    let cancellation = Cancellation()
    let interrupts = Interrupts(cancellation)
    defer { interrupts.end() }
    let result: TrainingResult
    do {
      let trainer = try await trainer(dataset, recipe, folder, cancellation)
      result = try trainer.run(resume: resume)
    } catch is ToolchainError where cancellation.isCancelled {
      // Ctrl-C reaches the C compiler as well.
      throw interrupted(nil, folder)
    }
    guard result.isComplete else { throw interrupted(result, folder) }
    try Console.print(summary(result, folder))
  }

  /// Compiles the network and gives it its weights and data.
  private func trainer(
    _ dataset: Dataset, _ recipe: Recipe, _ folder: RunFolder, _ cancellation: Cancellation
  ) async throws -> Trainer {
    var network = try model.network(dataset: dataset)
    network.preprocessing = try pixels.preprocessing(for: dataset) ?? network.preprocessing
    let checkpoint = try WeightsSource(path: start, seed: recipe.seed).checkpoint(
      for: &network, memoryLimit: model.limitBytes)
    network.preprocessing = model.preprocessing(of: network, for: dataset, general)
    let compilation = try network.compile(
      BuildOptions(
        batch: recipe.batch, trains: true, target: target.target.target,
        memoryLimit: model.limitBytes))
    let data = try TrainingData(
      dataset: dataset, validationFraction: recipe.validationFraction, seed: recipe.seed,
      preprocessing: network.preprocessing)
    let session = try Session(try await compiler.load(compilation, general))
    try session.setParameterBlock(checkpoint.parameters)
    general.warn(of: compilation)
    introduce(dataset, data, compilation.graph, recipe)
    return try Trainer(
      runner: SessionRunner(session: session, graph: compilation.graph), recipe: recipe,
      data: data, folder: folder,
      observer: general.quiet ? nil : ProgressBar(terminal: ToolSwitches.terminal),
      cancellation: cancellation)
  }

  // MARK: Settings

  /// The folder that was named, or the next free one below `runs`; to resume, the last that is there.
  private func runFolder(model: String, data: String) throws -> RunFolder {
    if let folder { return RunFolder(folder) }
    let stem = "runs/\(Self.fileName(model))-\(Self.fileName(data))"
    func path(_ number: Int) -> String { number == 1 ? stem : "\(stem)-\(number)" }
    var next = 1
    while FileManager.default.fileExists(atPath: path(next)) { next += 1 }
    return RunFolder(path(resume ? max(1, next - 1) : next))
  }

  /// A data set's name as part of a path.
  private static func fileName(_ name: String) -> String {
    let allowed = name.unicodeScalars.map { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains(scalar))
        ? Character(scalar) : "_"
    }
    return allowed.isEmpty ? "data" : String(allowed)
  }

  /// A resumed training goes on with the settings that it began with.
  private func resolvedRecipe(
    _ dataset: Dataset, _ folder: RunFolder
  ) throws -> Recipe {
    var standard = try model.standardRecipe(data: dataset.name)
    if resume {
      guard FileManager.default.fileExists(atPath: folder.path(.state)) else {
        throw TrainingError.nothingToResume(path: folder.path(.state))
      }
      let saved = folder.path(.recipe)
      if FileManager.default.fileExists(atPath: saved) {
        standard = standard.applying(try RecipeOptions.changes(in: saved))
      }
    }
    let resolved = try recipe.resolved(standard, threads: threads.threads)
    for hint in resolved.hints { general.note("note: \(hint)") }
    return resolved
  }

  // MARK: Words

  private func introduce(
    _ dataset: Dataset, _ data: TrainingData, _ graph: Graph, _ recipe: Recipe
  ) {
    let parts = [
      (data.train.count, "training"), (data.validation?.count ?? 0, "validation"),
      (data.test?.count ?? 0, "test"),
    ]
    let images = parts.map { "\(NumberText.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
    general.note(
      "\(model.model) on \(dataset.name): \(images) images; "
        + "\(NumberText.grouped(graph.parameterCount)) parameters; \(recipe.epochs) epochs")
    if !dataset.attribution.isEmpty { general.note("data: \(dataset.attribution)") }
  }

  /// - Parameter result: nil: it did not begin.
  private func interrupted(_ result: TrainingResult?, _ folder: RunFolder) -> Interrupted {
    Console.note(
      result?.rows.isEmpty != false
        ? "stopped before the first step; nothing was saved"
        : "stopped; \(folder.path(.last)) is whole; go on with: "
          + "convc train \(model.model) --data \(data.data)\(model.tuning.words)\(pixels.words) "
          + "--resume -o \(folder.path)")
    return Interrupted()
  }

  private func summary(_ result: TrainingResult, _ folder: RunFolder) -> String {
    func text(_ metrics: Metrics) -> String {
      let score = metrics.accuracy.map { ", accuracy \(NumberText.percent($0))" } ?? ""
      return "loss \(NumberText.fixed(metrics.loss, 4))\(score)"
    }
    var table = TextTable([("", .left), ("", .left)])
    table.add(["best", "epoch \(result.bestEpoch): \(text(result.best))"])
    if let test = result.test {
      table.add(["test", "\(text(test.metrics)), \(NumberText.grouped(test.images)) images"])
    }
    for (name, file) in [("report", RunFolder.File.report), ("weights", .best), ("log", .log)] {
      table.add([name, folder.path(file)])
    }
    return table.text
  }
}
