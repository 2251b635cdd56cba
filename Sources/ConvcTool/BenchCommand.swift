import ArgumentParser
import Convc

/// Times a network's compiled functions.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Times inference or training steps of a network.",
    discussion: """
      Times the public entry points on random images in the caller's memory. gflops counts the multiplications and \
      additions of convolutions and dense layers, three times the forward pass for a training step; percent_of_peak \
      compares it with multiply-adds in registers, measured right after. first_step_s runs from the start of the \
      compilation to the end of the first step.

      Example: convc bench lenet5 --mode train --batch 64 --threads 2 --json
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var size: SizeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var compiler: CompilerOptions
  @OptionGroup var general: GeneralOptions

  @Option(help: "What is timed.")
  var mode = BuildMode.infer

  @Option(help: "Steps to time at most; else 500 to infer, 50 to train.")
  var steps: Int?

  @Option(help: "Seconds to time at most, but at least 5 steps.")
  var seconds = 5.0

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    if let steps, !(1...1_000_000).contains(steps) {
      throw ValidationError("--steps is \(steps), expected 1...1000000")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds is \(seconds), expected a number above 0 and up to 86400")
    }
  }

  func run() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let network = try model.network(input: size.size?.extents)
    let trains = mode == .train
    let compilation = try network.compile(
      BuildOptions(
        batch: batch.batch, trains: trains, target: target.target.target,
        memoryLimit: model.limitBytes))
    let toolchain = try await compiler.toolchain(general)
    let program = try await compiler.load(compilation, toolchain: toolchain, general)
    let session = try Session(program)
    let graph = compilation.graph
    try session.setParameterBlock(Initialization(seed: 0).parameters(of: graph))
    let threads = threads.threads > 0 ? threads.threads : HostProcessor.count
    let data = BenchData(graph: graph)
    var options = StepOptions(rate: 0.01, momentum: 0.9, weightDecay: 0, threads: threads)
    func step() throws {
      if trains {
        _ = try session.step(
          inputs: data.inputs, targets: data.targets, batch: batch.batch, options: options)
        options.step += 1
      } else {
        try session.forward(
          inputs: data.inputs, outputs: data.outputs, batch: batch.batch, threads: threads)
      }
    }
    try step()
    let first = (clock.now - start) / .seconds(1)
    let times = try BenchTimes.measure(
      steps: steps ?? (trains ? 50 : 500), seconds: seconds, step)
    let memory = BenchData.peakMemory
    let peak = try await Peak.measure(
      toolchain, threads: threads, openMP: !compiler.withoutOpenMP)
    let work = graph.nodes.reduce(0.0) {
      $0 + 2 * Double($1.layer.multiplyAdds(for: graph.inputTypes(of: $1)))
    }
    let result = BenchResult(
      model: model.model, mode: mode, batch: batch.batch, threads: threads, times: times,
      flops: trains ? 3 * work : work, peak: peak, memory: memory, first: first)
    try Console.print(json ? result.json : result.table)
  }
}

/// Times of steps in milliseconds, sorted.
struct BenchTimes {
  let sorted: [Double]

  /// Times up to `steps` calls within `seconds`, and at least five, after three that are not counted.
  static func measure(
    steps: Int, seconds: Double, _ step: () throws -> Void
  ) throws -> BenchTimes {
    let clock = ContinuousClock()
    let limit = Duration.seconds(seconds)
    var start = clock.now
    for _ in 0..<3 where clock.now - start <= limit { try step() }
    var times: [Double] = []
    start = clock.now
    while times.count < steps {
      let before = clock.now
      try step()
      let after = clock.now
      times.append((after - before) / .milliseconds(1))
      if after - start > limit, times.count >= 5 { break }
    }
    return BenchTimes(sorted: times.sorted())
  }

  var median: Double {
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
  var least: Double { sorted[0] }
  var percentile90: Double { sorted[min(sorted.count - 1, sorted.count * 9 / 10)] }
}

/// What `bench` reports.
struct BenchResult {
  let model: String
  let mode: BuildMode
  let batch: Int
  let threads: Int
  let times: BenchTimes
  /// Floating-point operations of a step.
  let flops: Double
  /// Billions of operations a second that so many threads can do.
  let peak: Double
  /// Mebibytes.
  let memory: Double
  let first: Double

  private var fields: [(name: String, value: String)] {
    let gflops = flops / times.median / 1e6
    return [
      ("model", model), ("mode", mode.rawValue), ("batch", "\(batch)"), ("threads", "\(threads)"),
      ("ms_median", NumberText.fixed(times.median, 4)),
      ("ms_min", NumberText.fixed(times.least, 4)),
      ("ms_p90", NumberText.fixed(times.percentile90, 4)),
      ("images_per_s", NumberText.fixed(Double(batch) / times.median * 1e3, 1)),
      ("gflops", NumberText.fixed(gflops, 1)),
      ("percent_of_peak", NumberText.fixed(100 * gflops / peak, 1)),
      ("peak_rss_mb", NumberText.fixed(memory, 1)),
      ("first_step_s", NumberText.fixed(first, 3)),
    ]
  }

  /// One line. Preset and mode are names that need no escapes.
  var json: String {
    let parts = fields.map { field in
      let isText = field.name == "model" || field.name == "mode"
      return "\"\(field.name)\": " + (isText ? "\"\(field.value)\"" : field.value)
    }
    return "{" + parts.joined(separator: ", ") + "}"
  }

  var table: String {
    var table = TextTable([("", .left), ("", .right)])
    for field in fields { table.add([field.name, field.value]) }
    return table.text
  }
}
