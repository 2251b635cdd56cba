import ArgumentParser
import Convc
import Foundation

/// Writes the C of a network and compiles it.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Writes a network as C and compiles it to a shared library.",
    discussion: """
      Writes NAME.h, NAME.c (more .c files for large networks), NAME.safetensors and libNAME.so, and for pkg-config and
      CMake NAME.pc and NAMEConfig.cmake.

      With --weights embed the library holds the weights as its kernels read them: NAME_packed() is what NAME_forward
      takes. NAME_weights.S and NAME_weights.bin stand in place of NAME.safetensors.

      Example: convc build lenet5 -o build --mode train --batch 64
      Example: convc build net.onnx -o build --weights embed
      Example: convc build lenet5 -o build --weights run/best.safetensors --weights embed
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
    var options = LibraryOptions(
      architecture: artefact.target.architecture, openMP: !compiler.withoutOpenMP)
    guard artefact.target.target.target.isOfThisMachine else {
      throw Failure(
        .missing,
        "this machine's compilers make no code for \(artefact.target.target.name); write the C with "
          + "'convc emit --target \(artefact.target.target.name)' and give it to a cross compiler")
    }
    let embeds = artefact.embedsWeights
    let artefact = try artefact.compile()
    general.warn(of: artefact.compilation)
    let toolchain = try await compiler.toolchain(general)
    options.soname = artefact.libraryName
    let paths =
      embeds
      ? try await write(artefact, embeddingWith: toolchain, options)
      : try artefact.write(
        to: folder, embeds: false,
        library: try await toolchain.build(
          sources: artefact.compilation.sources(), options: options
        ).path)
    for path in paths { try Console.print(path) }
  }

  /// Writes a library that holds the packed form of its weights.
  private func write(
    _ artefact: Artefact, embeddingWith toolchain: Toolchain, _ options: LibraryOptions
  ) async throws -> [String] {
    let compilation = artefact.compilation
    let packed = try await compilation.packed(
      artefact.checkpoint.parameters, toolchain: toolchain, options: options)
    return try await toolchain.withLibrary(
      sources: compilation.sources(embedding: .packed),
      attaching: [AttachedBytes(name: compilation.weightsFile, bytes: packed)], options: options
    ) { library in
      try artefact.write(to: folder, embeds: true, packed: packed, library: library)
    }
  }
}
