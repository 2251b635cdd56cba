import ArgumentParser
import Convc

/// Writes the C of a network and compiles it.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Writes a network as C and compiles it to a shared library.",
    discussion: """
      Writes NAME.h, NAME.c (more .c files for large networks), NAME.safetensors and libNAME.so.

      Example: convc build lenet5 -o build --mode train --batch 64
      """)

  @OptionGroup var artefact: ArtefactOptions
  @OptionGroup var general: GeneralOptions
  @OptionGroup var compiler: CompilerOptions

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The folder to write to.", valueName: "DIR"))
  var folder: String

  func validate() throws {
    guard !folder.isEmpty else { throw ValidationError("-o names no folder") }
  }

  func run() async throws {
    let options = LibraryOptions(
      architecture: artefact.target.architecture, openMP: !compiler.withoutOpenMP)
    let artefact = try artefact.compile()
    general.warn(of: artefact.compilation)
    let toolchain = try await compiler.toolchain(general)
    let library = try await toolchain.build(
      sources: artefact.compilation.sources(), options: options)
    for path in try artefact.write(to: folder, library: library.path) { try Console.print(path) }
  }
}
