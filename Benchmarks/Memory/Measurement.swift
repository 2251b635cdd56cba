import Convc
import Foundation

/// One layer in one layout.
struct Measurement {
  /// One pass over all images.
  struct Pass {
    let milliseconds: Double
    /// Billions of bytes a second.
    let speed: Double
    /// The speed as a share of the copy's; nil: there is no kernel.
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
    let build = BuildOptions(batch: entry.inputs[0][0], families: [family], fuses: false)
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
      toolchain: toolchain, options: LibraryOptions(extraFlags: flags))
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

  func run() throws -> Result {
    let session = try Session(profiled.program)
    let graph = compilation.graph
    try session.setParameterBlock(Initialization(seed: 0).parameters(of: graph))
    let images = graph.inputs.enumerated().map {
      copy.random(graph[$1].type.count, seed: $0 + 1)
    }
    let targets = copy.random(graph.targets[0].type.count, seed: 9)
    var (copies, runs) = ([Double](), [[StepProfile.Piece]]())
    for round in 0..<options.rounds + Self.settling {
      let before = copy.measure(round: 2 * round)
      try step(session, images, targets)
      let pieces = profiled.profile(of: [profiled.take()], threads: options.threads).pieces
      let after = copy.measure(round: 2 * round + 1)
      guard round >= Self.settling else { continue }
      copies += [before, after]
      runs.append(pieces)
    }
    let speed = -fasterHalf(copies.map { -$0 })
    let passes = [false, true].map { pass(isBackward: $0, runs, copy: speed) }
    return Result(
      name: entry.name, layout: layout, passes: passes, copy: speed, kernels: kernels(runs))
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

  private func pass(
    isBackward: Bool, _ runs: [[StepProfile.Piece]], copy: Double
  ) -> Pass {
    let time = fasterHalf(
      runs.map { pieces in
        let loss = pieces.firstIndex { $0.layers.contains("loss") } ?? pieces.count
        let own = pieces.indices.filter { isOwn(pieces[$0]) && ($0 > loss) == isBackward }
        return own.reduce(0) { $0 + milliseconds(pieces[$1]) }
      })
    let bytes = try? isBackward ? entry.backwardBytes(layout) : entry.forwardBytes(layout)
    let speed = Double(bytes ?? 0) / time / 1e6
    return Pass(milliseconds: time, speed: speed, share: time > 0 ? speed / copy : nil)
  }

  private func kernels(_ runs: [[StepProfile.Piece]]) -> [String] {
    guard let first = runs.first else { return [] }
    return first.indices.map { index in
      let times = runs.compactMap { $0.indices.contains(index) ? milliseconds($0[index]) : nil }
      return "    \(first[index].name) \(first[index].layers) \(fixed(fasterHalf(times), 2)) ms"
    }
  }
}
