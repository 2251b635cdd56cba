import ArgumentParser
import Convc
import Foundation

/// Times a network's compiled functions.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Times inference or training steps of a network.",
    discussion: """
      Times the public entry points on random images in the caller's memory. gflops counts the multiplications and \
      additions of convolutions and dense layers, three times the forward pass for a training step; percent_of_peak \
      compares it with peak_gflops, multiply-adds in registers, measured before and after. compile_s runs from the start of the \
      compilation to the loaded library, the second time from the cache; first_step_s to the end of the first step, which \
      also fills, packs and touches all memory.

      --profile builds the network once more with a clock around each kernel, and shows time, speed and share of the \
      peak of each; the time that threads wait for each other stands apart.

      Example: convc bench lenet5 --mode train --batch 64 --threads 2 --json
      Example: convc bench resnet50 --batch 1 --profile --svg resnet50.svg
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

  @Flag(
    help: ArgumentHelp(
      "Measure once for each line of standard input; needs --json.",
      discussion: "A first line says that all is ready: a script can so measure programs in turn."))
  var paced = false

  @Flag(help: "Show where the time of a step goes, kernel by kernel.")
  var profile = false

  @Option(help: ArgumentHelp("Draw the profile to a file; needs --profile.", valueName: "FILE"))
  var svg: String?

  func validate() throws {
    if let steps, !(1...1_000_000).contains(steps) {
      throw ValidationError("--steps is \(steps), expected 1...1000000")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds is \(seconds), expected a number above 0 and up to 86400")
    }
    if paced, !json || profile {
      throw ValidationError("--paced prints lines of JSON; add --json, without --profile")
    }
    if let svg {
      guard profile else { throw ValidationError("--svg draws a profile; add --profile") }
      if svg.isEmpty { throw ValidationError("--svg needs a file's name") }
    }
    if profile, threads.threads > ProfiledProgram.mostThreads {
      throw ValidationError(
        "--threads is \(threads.threads), expected at most \(ProfiledProgram.mostThreads) with --profile"
      )
    }
  }

  func run() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let trains = mode == .train
    let network = try model.network(input: size.size?.extents, trains: trains)
    let compilation = try network.compile(
      BuildOptions(
        batch: batch.batch, trains: trains, target: target.target.target,
        memoryLimit: model.limitBytes))
    let toolchain = try await compiler.toolchain(general)
    let program = try await compiler.load(compilation, toolchain: toolchain, general)
    let compiled = (clock.now - start) / .seconds(1)
    let graph = compilation.graph
    let count = threads.threads > 0 ? threads.threads : HostProcessor.count
    let bench = BenchSession(
      graph: graph, data: BenchData(graph: graph), trains: trains, threads: count)
    let step = try bench.step(of: program)
    try step()
    let first = (clock.now - start) / .seconds(1)
    let peak = try await Peak(toolchain, threads: count, openMP: !compiler.withoutOpenMP)
    var most = peak.measure()
    let limit = steps ?? (trains ? 50 : 500)
    func measure() throws -> BenchResult {
      let times = try BenchTimes.measure(steps: limit, seconds: seconds, step)
      let memory = BenchData.peakMemory
      // Other work, or a warm processor, can only lower what is measured.
      most = max(most, peak.measure())
      return BenchResult(
        model: model.model, mode: mode, batch: graph.batch, threads: count, times: times,
        flops: bench.flops, peak: most, memory: memory, compiled: compiled, first: first)
    }
    if paced {
      try Console.print("{\"ready\": true}")
      while readLine() != nil { try Console.print(try measure().json()) }
      return
    }
    let result = try measure()
    guard profile else { return try Console.print(json ? result.json() : result.table) }
    var options = compilation.libraryOptions
    options.openMP = !compiler.withoutOpenMP
    let profiled = try await compilation.loadProfiled(toolchain: toolchain, options: options)
    let places = try bench.profile(profiled, steps: limit, seconds: seconds, peak: most)
    try OutputFiles.write(
      [svg].compactMap { $0 }.map { ($0, Data(places.svg(title: result.title).utf8)) })
    try Console.print(
      json ? result.json(profile: places.json) : result.table + "\n\n" + places.table)
    if let svg { general.note("wrote \(svg)") }
  }
}

/// A network's data, ready to run.
struct BenchSession {
  let graph: Graph
  let data: BenchData
  let trains: Bool
  let threads: Int

  /// Floating-point operations of convolutions and dense layers in a step.
  var flops: Double {
    let forward = graph.nodes.reduce(0.0) {
      $0 + 2 * Double($1.layer.multiplyAdds(for: graph.inputTypes(of: $1)))
    }
    return trains ? 3 * forward : forward
  }

  /// A function that takes one step with parameters of its own.
  func step(of program: Program) throws -> () throws -> Void {
    let session = try Session(program)
    try session.withParameters { try Initialization(seed: 0).fill($0, of: graph) }
    var options = StepOptions(rate: 0.01, momentum: 0.9, threads: threads)
    guard trains else {
      return {
        try session.forward(
          inputs: data.inputs, outputs: data.outputs, batch: graph.batch, threads: threads)
      }
    }
    return {
      _ = try session.step(
        inputs: data.inputs, targets: data.targets, batch: graph.batch, options: options)
      options.step += 1
    }
  }

  /// Runs the steps again with clocks around the kernels, and keeps the faster half of them: what other work
  /// disturbs is not the network's.
  func profile(
    _ profiled: ProfiledProgram, steps: Int, seconds: Double, peak: Double
  ) throws -> BenchProfile {
    let step = try self.step(of: profiled.program)
    for _ in 0..<4 { try step() }
    _ = profiled.take()
    let clock = ContinuousClock()
    let start = clock.now
    var runs: [(milliseconds: Double, pieces: [Double])] = []
    while runs.count < 5 || (runs.count < steps && clock.now - start < .seconds(seconds)) {
      let before = clock.now
      try step()
      runs.append(((clock.now - before) / .milliseconds(1), profiled.take()))
    }
    runs = Array(runs.sorted { $0.milliseconds < $1.milliseconds }.prefix((runs.count + 1) / 2))
    return BenchProfile(
      profile: profiled.profile(of: runs.map(\.pieces), threads: threads),
      step: runs.reduce(0) { $0 + $1.milliseconds } / Double(runs.count), peak: peak)
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
  /// Seconds until the library is loaded, and until the first step has ended.
  let compiled: Double
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
      ("peak_gflops", NumberText.fixed(peak, 1)),
      ("peak_rss_mb", NumberText.fixed(memory, 1)),
      ("compile_s", NumberText.fixed(compiled, 3)),
      ("first_step_s", NumberText.fixed(first, 3)),
    ]
  }

  /// What was measured.
  var title: String {
    "\(model), \(mode == .train ? "training step" : "inference") of \(batch), \(threads) thread\(threads == 1 ? "" : "s")"
  }

  /// One line. Preset and mode are names that need no escapes.
  ///
  /// - Parameter profile: an object that is added.
  func json(profile: String? = nil) -> String {
    let parts = fields.map { field in
      let isText = field.name == "model" || field.name == "mode"
      return "\"\(field.name)\": " + (isText ? "\"\(field.value)\"" : field.value)
    }
    let more = profile.map { ["\"profile\": \($0)"] } ?? []
    return "{" + (parts + more).joined(separator: ", ") + "}"
  }

  var table: String {
    var table = TextTable([("", .left), ("", .right)])
    for field in fields { table.add([field.name, field.value]) }
    return table.text
  }
}
