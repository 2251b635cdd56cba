import ArgumentParser
import Convc

/// A stage of the compiler, as `--stage` names it.
enum StageName: String, ExpressibleByArgument, CaseIterable {
  case model, graph, fused, training, kernels, memory, schedule, c
}

/// Writes the C of a network.
struct EmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emit", abstract: "Writes a network as C, without calling a compiler.",
    discussion: """
      Writes NAME.h, NAME.c (more .c files for large networks), NAME.safetensors and, for CMake, NAMEConfig.cmake, which
      compiles them.

      With --weights embed NAME_weights.S takes the parameters from NAME_weights.bin: NAME_unpacked() is what
      NAME_prepare takes. Their packed form, which needs no NAME_prepare, takes a compiler: see convc build.

      Example: convc emit lenet5 -o generated --mode train --batch 64
      Example: convc emit lenet5 --stage fused
      Example: convc emit lenet5 --stage model > lenet5.yaml, the network as a model file
      """)

  @OptionGroup var artefact: ArtefactOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The folder to write to.", valueName: "DIR"))
  var folder: String?

  @Option(
    help:
      "Print a stage of the compiler, for each of a build's programs. With -o the C is written as well."
  )
  var stage: StageName?

  @Flag(
    name: .customLong("no-openmp"), help: "Accepted for symmetry with build: the C is the same.")
  var withoutOpenMP = false

  func validate() throws {
    guard folder != nil || stage != nil else {
      throw ValidationError("nowhere to write to; give a folder with -o DIR, or a --stage to print")
    }
    guard folder?.isEmpty != true else { throw ValidationError("-o names no folder") }
  }

  func run() async throws {
    let embeds = artefact.embedsWeights
    let artefact = try artefact.compile()
    if let stage { try Console.print(try Self.text(of: stage, in: artefact.compilation)) }
    guard let folder else { return }
    for path in try artefact.write(to: folder, embeds: embeds) {
      if stage == nil { try Console.print(path) } else { general.note("wrote \(path)") }
    }
  }

  /// A stage's own text, of both programs where there are two.
  static func text(of stage: StageName, in compilation: Compilation) throws -> String {
    let stages = compilation.stages
    func each<Stage>(_ part: KeyPath<ProgramStages, Stage>) -> String {
      stages.programs.map { "\($0[keyPath: part])" }.joined(separator: "\n\n")
    }
    switch stage {
    case .model: return try ModelFile.text(of: stages.model)
    case .graph: return "\(stages.graph)"
    case .fused: return each(\.fused)
    case .training: return each(\.training)
    case .kernels: return each(\.kernels)
    case .memory: return each(\.memory)
    case .schedule: return each(\.schedule)
    case .c: return compilation.files().sources.map(\.text).joined(separator: "\n")
    }
  }
}
