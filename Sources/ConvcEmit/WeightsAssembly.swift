import ConvcIR

/// What of a network's weights is part of its library.
public enum EmbeddedWeights: Sendable {
  /// The packed form, which `forward` reads as it stands.
  case packed
  /// The parameter block, for `prepare`.
  case parameters
}

/// The assembler file that brings weights into a library, as bytes of a file beside it.
///
/// Megabytes of numbers as C text would take a compiler minutes and gigabytes; `.incbin` takes what a copy takes.
struct WeightsAssembly {
  private let name: String
  private let fileName: String
  private let content: String

  init(_ module: CModule, fileName: String, _ embedding: EmbeddedWeights) {
    name = Self.symbol(CText.prefix(module.name))
    self.fileName = fileName
    let prefix = CText.prefix(module.name)
    content =
      switch embedding {
      case .packed: "\(module.packedBytes) bytes, packed as \(prefix)_forward reads them"
      case .parameters: "\(module.graph.parameterCount) floats, as \(prefix)_prepare reads them"
      }
  }

  /// The name of the weights in C.
  static func symbol(_ prefix: String) -> String { "\(prefix)_weights" }
  /// The file with their bytes.
  static func bytesFile(_ fileName: String) -> String { "\(fileName)_weights.bin" }

  var file: CSourceFile {
    let bytes = Self.bytesFile(fileName)
    let text = CText.wrap(
      "The weights: \(content). The assembler looks for \(bytes) in the folder that it runs in, then in those that -I"
        + " names.", first: "// ", following: "// ")
    return CSourceFile(
      name: "\(fileName)_weights.S",
      text: (text + lines(bytes)).joined(separator: "\n") + "\n")
  }

  /// Read-only data at a multiple of 64 bytes, under a name that the library keeps to itself.
  private func lines(_ bytes: String) -> [String] {
    [
      "#ifdef __APPLE__",
      "    .section __TEXT,__const",
      "    .p2align 6",
      "    .globl _\(name)",
      "    .private_extern _\(name)",
      "_\(name):",
      "    .incbin \"\(bytes)\"",
      "#else",
      "    .section .rodata.\(name), \"a\", %progbits",
      "    .balign 64",
      "    .globl \(name)",
      "    .hidden \(name)",
      "    .type \(name), %object",
      "\(name):",
      "    .incbin \"\(bytes)\"",
      "    .size \(name), . - \(name)",
      "    .section .note.GNU-stack, \"\", %progbits",
      "#endif",
    ]
  }
}
