import Convc
import Foundation

/// One layer in one layout.
struct Measurement {
  /// One pass over all images.
  struct Pass {
    let milliseconds: Double
    /// Billions of bytes a second.
    let speed: Double
    /// The speed as a share of that of the copies around it; nil: there is no kernel.
    let share: Double?
  }

  struct Result {
    let name: String
    let layout: Layout
    /// Forward and backward.
    let passes: [Pass]
    let copy: Double
    let kernels: [String]

    var row: String {
      let cells = passes.flatMap { pass in
        pass.share.map { [fixed(pass.speed, 1), fixed($0, 2)] } ?? ["no kernel", ""]
      }
      return "| \(name) | \(layout.rawValue) | " + cells.joined(separator: " | ")
        + " | \(fixed(copy, 1)) |"
    }
  }

  private let entry: Case
  private let layout: Layout
  private let options: Options
  private let copy: Copy
  private let compilation: Compilation
  private let profiled: ProfiledProgram

  /// Nil where the layer cannot be given the layout.
  init?(
    _ entry: Case, _ layout: Layout, _ options: Options, _ toolchain: Toolchain, _ copy: Copy
  ) async throws {
    let family = layout == .nchw ? "generic" : layout.rawValue
    let target = options.target
    let build = BuildOptions(
      batch: entry.inputs[0][0], target: target, families: [family], fuses: false)
    compilation = try Self.model(entry).compile(build)
    let selections = compilation.stages.programs.last?.kernels.selections ?? []
    // A view has no kernels of its own.
    let chosen = selections.first { $0.group == "layer" }?.output ?? .nchw
    guard chosen == layout else { return nil }
    if let folder = options.folder {
      let words = entry.name.split { !$0.isLetter && !$0.isNumber } + [layout.rawValue[...]]
      _ = try compilation.emit(to: folder + "/" + words.joined(separator: "_"))
      return nil
    }
    // A thread's own time: what else the machine does in between is not counted.
    let flags = ["-DPROFILE_CLOCK=CLOCK_THREAD_CPUTIME_ID"]
    profiled = try await compilation.loadProfiled(
      toolchain: toolchain,
      options: LibraryOptions(
        architecture: target == .native ? .native : target.architecture, extraFlags: flags))
    (self.entry, self.layout, self.options, self.copy) = (entry, layout, options, copy)
  }

  private static func model(_ entry: Case) -> Model {
    let builder = ModelBuilder(name: "memory_benchmark")
    let values = entry.inputs.enumerated().map { index, shape in
      let input = builder.input("x\(index)", Array(shape.dropFirst()))
      guard !entry.constants.contains(index) else { return input }
      return input.apply(PReLU(isShared: true), name: "before\(index)")
    }
    builder.output("y", builder.apply(entry.layer, to: values, name: "layer"))
    builder.loss(MeanSquaredError(), on: "y", target: "z", name: "loss")
    return builder.model
  }

  /// Steps that are not counted: they touch the memory, and the session moves it to large pages.
  private static let settling = 3

  /// What one step took, and the speed of the copies before and after it.
  private struct Round {
    let pieces: [StepProfile.Piece]
    let copy: Double
  }

  func run() throws -> Result {
    let session = try Session(profiled.program)
    let graph = compilation.graph
    try session.setParameterBlock(Initialization(seed: 0).parameters(of: graph))
    let images = graph.inputs.enumerated().map {
      copy.random(graph[$1].type.count, seed: $0 + 1)
    }
    let targets = copy.random(graph.targets[0].type.count, seed: 9)
    var rounds: [Round] = []
    for round in 0..<options.rounds + Self.settling {
      let before = copy.measure(round: 2 * round)
      try step(session, images, targets)
      let pieces = profiled.profile(of: [profiled.take()], threads: options.threads).pieces
      let after = copy.measure(round: 2 * round + 1)
      guard round >= Self.settling else { continue }
      rounds.append(Round(pieces: pieces, copy: (before + after) / 2))
    }
    return Result(
      name: entry.name, layout: layout,
      passes: [false, true].map { pass(isBackward: $0, rounds) },
      copy: median(rounds.map(\.copy)), kernels: kernels(rounds.map(\.pieces)))
  }

  private func step(_ session: Session, _ images: [[Float]], _ targets: [Float]) throws {
    let options = StepOptions(rate: 1e-6, threads: options.threads)
    _ = try session.step(
      inputs: images.map { .float32($0) }, targets: [.float32(targets)],
      batch: entry.inputs[0][0], options: options)
  }

  // MARK: Kernels

  /// Not the reorders to and from the layout that the loss reads.
  private func isOwn(_ piece: StepProfile.Piece) -> Bool {
    piece.layers == ["layer"] && !piece.name.contains("_to_")
  }

  private func milliseconds(_ piece: StepProfile.Piece) -> Double {
    piece.threadSeconds / Double(options.threads) * 1e3
  }

  private func pass(isBackward: Bool, _ rounds: [Round]) -> Pass {
    let times = rounds.map { round in
      let pieces = round.pieces
      let loss = pieces.firstIndex { $0.layers.contains("loss") } ?? pieces.count
      let own = pieces.indices.filter { isOwn(pieces[$0]) && ($0 > loss) == isBackward }
      return own.reduce(0) { $0 + milliseconds(pieces[$1]) }
    }
    let bytes =
      try? isBackward
      ? entry.backwardBytes(layout, options.target) : entry.forwardBytes(layout, options.target)
    let (time, work) = (median(times), Double(bytes ?? 0) / 1e6)
    // Memory's speed changes from second to second with other work, so each step is set against its own copies.
    let shares = zip(times, rounds).map { work / $0 / $1.copy }
    return Pass(
      milliseconds: time, speed: work / time, share: time > 0 ? median(shares) : nil)
  }

  private func kernels(_ runs: [[StepProfile.Piece]]) -> [String] {
    guard let first = runs.first else { return [] }
    return first.indices.map { index in
      let times = runs.compactMap { $0.indices.contains(index) ? milliseconds($0[index]) : nil }
      return "    \(first[index].name) \(first[index].layers) \(fixed(median(times), 2)) ms"
    }
  }
}
