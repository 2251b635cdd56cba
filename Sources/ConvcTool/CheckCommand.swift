import ArgumentParser
import Convc
import ConvcReference

/// Checks compiled gradients against a reference in double precision.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the compiled gradients of a network numerically.",
    discussion: """
      Compares the compiled C's gradients with central differences of a reference in double precision: all elements of \
      small tensors, some of large ones, and a random direction over everything. Differences are relative to the \
      largest gradient of a tensor. Exit status 70 when a gradient is wrong.

      Example: convc check lenet5
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var size: SizeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    help: ArgumentHelp(
      "A safetensors file of weights; without it they are random.", valueName: "FILE"))
  var weights: String?

  @Option(help: "Seed of images, weights and the choice of elements.")
  var seed: UInt64 = 0

  @Option(help: "Images in the batch that is checked, up to the largest batch.")
  var images = 4

  @Option(help: "Elements of a tensor that are checked; all where it has no more.")
  var samples = 64

  @Option(help: "The largest difference, relative to the largest gradient of a tensor.")
  var tolerance = 1e-4

  func validate() throws {
    guard (1...batch.batch).contains(images) else {
      throw ValidationError("--images is \(images), expected 1...\(batch.batch), the largest batch")
    }
    guard (1...1_000_000).contains(samples) else {
      throw ValidationError("--samples is \(samples), expected 1...1000000")
    }
    guard tolerance > 0, tolerance.isFinite else {
      throw ValidationError("--tolerance is \(tolerance), expected a number above 0")
    }
  }

  func run() async throws {
    var network = try model.network(input: size.size?.extents)
    let checkpoint = try weights.map {
      try WeightsSource(path: $0, seed: seed).checkpoint(
        for: &network, memoryLimit: model.limitBytes)
    }
    let compilation = try network.compile(
      BuildOptions(
        batch: batch.batch, trains: true, target: target.target.target,
        memoryLimit: model.limitBytes))
    let graph = compilation.graph
    let reference = try ReferenceNetwork(graph)
    let session = try Session(try await compiler.load(compilation, general))
    var random = RandomValues(seed: seed)
    let parameters = checkpoint?.parameters ?? random.parameters(of: graph)
    let sample = random.sample(for: graph, batch: images)
    try session.setParameterBlock(parameters)
    _ = try session.gradients(
      inputs: sample.inputs.map { .float32($0) }, targets: sample.targets.map(\.programValues),
      batch: images, options: StepOptions(threads: threads.threads, seed: seed))
    let report = GradientCheck(samples: samples, seed: seed).run(
      reference, parameters: parameters, sample, gradients: session.withGradients { Array($0) },
      options: PassOptions(seed: seed))
    try Console.print(table(report))
    try judge(report)
  }

  /// A line for each parameter, the element that differs most named.
  private func table(_ report: GradientReport) -> String {
    var table = TextTable([
      ("parameter", .left), ("shape", .left), ("checked", .right), ("at kinks", .right),
      ("difference", .right), ("worst element", .left),
    ])
    for entry in report.tensors {
      table.add([
        entry.name, NumberText.extents(entry.shape), "\(entry.checked)", "\(entry.skipped)",
        NumberText.short(entry.difference), entry.worst.map { "\($0)" } ?? "",
      ])
    }
    if let direction = report.direction {
      table.add([
        "all", "a direction", "1", "0", NumberText.short(direction.difference),
        "slope is \(NumberText.short(direction.gradient)), "
          + "expected \(NumberText.short(direction.expected))",
      ])
    }
    return table.text
  }

  private func judge(_ report: GradientReport) throws {
    let limit = NumberText.short(tolerance)
    guard !report.agrees(within: tolerance) else {
      try Console.print("all gradients agree within \(limit)")
      return
    }
    let checked = report.tensors.reduce(0) { $0 + $1.checked }
    guard checked > 0 else {
      throw Failure(
        .bug,
        "no gradient of \(model.model) could be checked: all elements lie at kinks; "
          + "try another --seed")
    }
    guard let entry = report.worst, let worst = entry.worst, entry.difference > tolerance else {
      throw Failure(
        .bug,
        "the gradients of \(model.model) are wrong: along a random direction they differ by "
          + "more than \(limit); please report it")
    }
    throw Failure(
      .bug,
      "a gradient of \(model.model) is wrong: \(entry.name)\(worst), a difference of "
        + "\(NumberText.short(entry.difference)), above \(limit); please report it")
  }
}

extension ReferenceSample.Target {
  fileprivate var programValues: Program.Values {
    switch self {
    case .labels(let labels): .int32(labels)
    case .values(let values): .float32(values)
    }
  }
}
