import ArgumentParser
import Convc
import ConvcReference
import Foundation

/// Checks compiled gradients against a reference in double precision.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the compiled gradients of a network numerically.",
    discussion: """
      Compares the compiled C's gradients with central differences of a reference in double precision: all elements of \
      small tensors, some of large ones, and a random direction over everything; and all elements with the reference's \
      reverse pass. Differences are relative to the largest gradient of a tensor. Labels are those that the network finds \
      least likely: where it is sure of the right one, gradients are noise. Exit status 70 when a gradient is wrong.

      A preset whose differences would take minutes is checked with smaller images, and where that is not enough, an \
      element's difference is taken of its own layer's output, times the gradient there; the first lines say so.

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

  @Option(
    help: "Images in the batch that is checked, up to the largest batch; 4, or 2 to save time.")
  var images: Int?

  @Option(help: "Elements of a tensor that are checked; all where it has no more.")
  var samples = 64

  @Option(
    help: ArgumentHelp(
      "Billions of multiply-adds that differences may take before they are made cheaper.",
      valueName: "N"))
  var work = 20

  @Option(
    help: ArgumentHelp(
      "The largest difference, relative to the largest gradient of a tensor; else 1e-4, and more, up to 0.01, where a "
        + "change of all values' last bits changes the exact gradients by over a sixteenth of it."
    ))
  var tolerance: Double?

  func validate() throws {
    let largest = batch.batch ?? 64
    if let images, !(1...largest).contains(images) {
      throw ValidationError("--images is \(images), expected 1...\(largest), the largest batch")
    }
    guard (1...1_000_000).contains(samples) else {
      throw ValidationError("--samples is \(samples), expected 1...1000000")
    }
    guard (1...1_000_000).contains(work) else {
      throw ValidationError("--work is \(work), expected 1...1000000")
    }
    if let tolerance, !(tolerance > 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance is \(tolerance), expected a number above 0")
    }
  }

  func run() async throws {
    let check = GradientCheck(
      samples: samples, seed: seed, budget: Double(work) * 1e9, threads: workers)
    let own = try model.network(input: size.size?.extents, trains: true).inputs.map(\.shape)
    var (network, compilation, images) = try self.network(for: check)
    let checkpoint = try weights.map {
      try WeightsSource(path: $0, seed: seed).checkpoint(
        for: &network, memoryLimit: model.limitBytes)
    }
    if checkpoint != nil { compilation = try compile(network) }
    let graph = compilation.graph
    try Console.print(heading(graph, check, images, own: own))
    let reference = try ReferenceNetwork(graph)
    let session = try Session(try await compiler.load(compilation, general))
    let options = PassOptions(seed: seed)
    let (parameters, drawn, margin) = point(
      reference, checkpoint?.parameters, options, images: images)
    let sample = reference.withUnlikelyLabels(drawn, parameters: parameters, options: options)
    try session.setParameterBlock(parameters)
    _ = try session.gradients(
      inputs: sample.inputs.map { .float32($0) }, targets: sample.targets.map(\.programValues),
      batch: images, options: StepOptions(threads: threads.threads, seed: seed))
    let report = check.run(
      reference, parameters: parameters, sample, gradients: session.withGradients { Array($0) },
      options: options)
    try Console.print(table(report))
    try Console.print(
      "the nearest kink lies \(NumberText.short(margin)) of the largest value away")
    try judge(report)
  }

  private var workers: Int {
    threads.threads > 0 ? threads.threads : ProcessInfo.processInfo.activeProcessorCount
  }

  private func compile(_ network: Model) throws(CompileError) -> Compilation {
    try network.compile(
      BuildOptions(
        batch: batch.batch, trains: true, target: target.target.target,
        memoryLimit: model.limitBytes))
  }

  /// The network, for the largest images whose check stays within the budget, and how many of them: those asked for, or
  /// the preset's own, halved and rounded up to a multiple of 32.
  private func network(for check: GradientCheck) throws -> (Model, Compilation, Int) {
    let first = try model.network(input: size.size?.extents, trains: true)
    let compiled = try compile(first)
    var best = (first, compiled, images ?? min(4, compiled.graph.batch))
    /// Statistics of fewer values than 16 make gradients that rounding errors change at will.
    func isStable(_ graph: Graph) -> Bool {
      graph.nodes.allSatisfy { node in
        let maps = graph[node.output].type.maps
        return maps.pixels * best.2 >= 16
          || !node.parameters.contains { graph.parameters[$0].kind == .statistic }
      }
    }
    func isTooLarge() -> Bool {
      let graph = best.1.graph
      return check.work(check.method(for: graph, batch: best.2), on: graph, batch: best.2)
        > check.budget
    }
    if size.size == nil, weights == nil, first.inputs.count == 1, first.inputs[0].shape.count == 3 {
      var extents = first.inputs[0].shape
      while isTooLarge(), extents.dropFirst().allSatisfy({ $0 > 32 }) {
        extents = [extents[0]] + extents.dropFirst().map { ($0 / 2 + 31) / 32 * 32 }
        guard let smaller = try? model.network(input: extents, trains: true),
          let compilation = try? compile(smaller)
        else { break }
        guard isStable(compilation.graph) else { break }
        best = (smaller, compilation, best.2)
      }
    }
    if isTooLarge(), images == nil {
      let all = best.2
      best.2 = min(2, all)
      if !isStable(best.1.graph) { best.2 = all }
    }
    return best
  }

  /// Where gradients are compared: random weights and images, or the weights given, with kinks as far away as the biases
  /// and a few draws of images make them.
  private func point(
    _ reference: ReferenceNetwork, _ weights: [Float]?, _ options: PassOptions,
    images: Int
  ) -> (parameters: [Float], sample: ReferenceSample, margin: Double) {
    var random = RandomValues(seed: seed)
    let graph = reference.graph
    let start = weights ?? random.parameters(of: graph)
    var best: (parameters: [Float], margin: Double, sample: ReferenceSample)?
    for _ in 0..<4 {
      let sample = random.sample(for: graph, batch: images)
      let moved = reference.movedFromKinks(parameters: start, sample, options: options)
      if best.map({ moved.margin > $0.margin }) ?? true {
        best = (moved.parameters, moved.margin, sample)
      }
      // Single precision tells these apart.
      if moved.margin > 1e-6 { break }
    }
    guard let best else { preconditionFailure("internal error: no images were drawn") }
    return (best.parameters, best.sample, best.margin)
  }

  /// What is checked, and how.
  private func heading(_ graph: Graph, _ check: GradientCheck, _ count: Int, own: [[Int]])
    -> String
  {
    let extents = graph.inputs.map { NumberText.extents(Array(graph[$0].type.shape.dropFirst())) }
    let ownExtents = own.map(NumberText.extents)
    let images =
      "\(count) images of \(extents.joined(separator: " and "))"
      + (ownExtents == extents
        ? "" : " instead of \(ownExtents.joined(separator: " and ")), for time")
    switch check.method(for: graph, batch: count) {
    case .wholeNetwork:
      return "\(graph.name), \(images): central differences of the loss"
    case .byLayer:
      return
        "\(graph.name), \(images): central differences of the loss along a random direction; for single elements, of "
        + "their layer's output, times the reference's gradient there"
    }
  }

  /// A line for each parameter, the element that differs most named.
  private func table(_ report: GradientReport) -> String {
    var table = TextTable([
      ("parameter", .left), ("shape", .left), ("checked", .right), ("at kinks", .right),
      ("difference", .right), ("allowed", .right), ("worst element", .left),
    ])
    for entry in report.tensors {
      table.add([
        entry.name, NumberText.extents(entry.shape), "\(entry.checked)", "\(entry.skipped)",
        NumberText.short(entry.difference), NumberText.short(entry.limit(tolerance)),
        entry.worst.map { "\($0)" } ?? "",
      ])
    }
    if let direction = report.direction {
      table.add([
        "all", "a direction", "1", "0", NumberText.short(direction.difference),
        NumberText.short(report.directionLimit(tolerance)),
        "slope is \(NumberText.short(direction.gradient)), "
          + "expected \(NumberText.short(direction.expected))",
      ])
    }
    return table.text
  }

  private func judge(_ report: GradientReport) throws {
    let limit = NumberText.short(report.directionLimit(tolerance))
    guard !report.agrees(within: tolerance) else {
      let count = report.everyElement.reduce(0) { $0 + $1.checked }
      let worst = report.everyElement.max { $0.difference < $1.difference }
      let largest = worst.map {
        ": at most \(NumberText.short($0.difference)), \($0.name)\($0.worst.map { "\($0)" } ?? "")"
      }
      try Console.print(
        "all \(NumberText.grouped(count)) elements against the reverse pass\(largest ?? "")\n"
          + "all gradients agree within \(limit)")
      return
    }
    let checked = report.tensors.reduce(0) { $0 + $1.checked }
    guard checked > 0 else {
      throw Failure(
        .bug,
        "no gradient of \(model.model) could be checked: all elements lie at kinks; "
          + "try another --seed")
    }
    guard let entry = report.worst(above: tolerance), let worst = entry.worst else {
      throw Failure(
        .bug,
        "the gradients of \(model.model) are wrong: along a random direction they differ by "
          + "more than \(limit); please report it")
    }
    throw Failure(
      .bug,
      "a gradient of \(model.model) is wrong: \(entry.name)\(worst), a difference of "
        + "\(NumberText.short(entry.difference)), above "
        + "\(NumberText.short(entry.limit(tolerance))); please report it")
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
