import Convc
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcRuntime

@Suite("Memory of generated code", .serialized)
struct SanitizerTests {
  /// Without optimisation: compiled in a second instead of twenty, and no access is optimised away.
  static let flags = [
    "-std=c99", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
  ]

  /// The first C compiler of this machine, as a command, that has the sanitizers.
  static let compiler: [String]? = {
    let candidates = try? CompilerSearch(named: nil, switches: .current).candidates()
    return candidates?.lazy.map(\.words).first { words in
      let result = try? run(["main.c": "int main(void) { return 0; }"], words, [])
      return result?.status == 0
    }
  }()

  /// Object-file tools that the second test needs.
  static let hasTools = ["nm", "objdump"].allSatisfy {
    ChildProcess.run([$0, "--version"]).status == 0
  }

  /// Builds a program from C files with the sanitizers and runs it.
  private static func run(
    _ files: [String: String], _ compiler: [String], _ more: [String]
  ) throws -> ChildProcess {
    let folder = try TemporaryFolder()
    try write(files, to: folder)
    let sources = files.keys.filter { $0.hasSuffix(".c") }.sorted().map(folder.file)
    let program = folder.file("program")
    let built = ChildProcess.run(compiler + flags + more + sources + ["-o", program, "-lm"])
    guard built.status == 0 else { return built }
    return ChildProcess.run([program], environment: ["ASAN_OPTIONS": "detect_leaks=0"])
  }

  private static func write(_ files: [String: String], to folder: TemporaryFolder) throws {
    for (name, text) in files {
      try text.write(toFile: folder.file(name), atomically: false, encoding: .utf8)
    }
  }

  private static func sources(_ compilation: Compilation) -> [String: String] {
    Dictionary(uniqueKeysWithValues: compilation.files().all.map { ($0.name, $0.text) })
  }

  /// One of each kind of layer that has kernels with channels in lanes, with halos and borders that tiles cross.
  private static let blocked = Model("blocked") { graph in
    let image = graph.input("image", [3, 23, 18])
    let stem = image.conv2d(32, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
    let body = stem.conv2d(32, kernelSize: 3, padding: 1, groups: 32, bias: false).batchNorm()
      .relu6().conv2d(32, kernelSize: 1, bias: false).batchNorm()
    let block = body.add(stem).relu()
    let down = block.conv2d(48, kernelSize: 3, stride: 2, padding: 1).relu()
      .maxPool(3, stride: 2, padding: 1)
    let up = down.convTranspose2d(32, kernelSize: 2, stride: 2)
    let merged = up.concat(up.conv2d(16, kernelSize: 3, padding: 1).relu())
      .conv2d(16, kernelSize: 5, padding: 2).relu().maxPool(2)
    graph.output("output", merged.flatten().dense(130).relu().dense(5))
    graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
  }

  @Test(
    "training stays within its memory and defined behaviour",
    .enabled(if: compiler != nil, "no C compiler here has address and undefined sanitizers"),
    arguments: [LeNet5.model(), twoOfEach, blocked].indices,
    runnableTargets.filter { $0 == .generic || $0 == .native })
  func training(model index: Int, target: Target) throws {
    let compiler = try #require(Self.compiler)
    let model = [LeNet5.model(), twoOfEach, Self.blocked][index]
    // For vectors of images a group that is full and one that is not.
    // A small cache, so that kernels ask ahead for what they read and write, beyond the ends of tensors too.
    let isBlocked = index == 2
    let compilation = try model.compile(
      BuildOptions(
        batch: 20, target: isBlocked ? target.with(level2: 32 << 10) : target,
        families: isBlocked ? ["blocked"] : nil))
    var files = Self.sources(compilation)
    let prefix = compilation.prefix
    files["driver.c"] =
      "#define _POSIX_C_SOURCE 200112L\n#include \"\(prefix).h\"\n"
      + "#define MODEL \(prefix)_model\n" + sanitizerDriver
    let result = try Self.run(files, compiler, target.march.map { ["-march=\($0)"] } ?? [])
    #expect(result.status == 0 && result.text == "ok\n", "\(result.text)")
  }

  @Test(
    "an object file has no variables and exports only the model's functions",
    .enabled(if: hasTools, "nm or objdump is missing"),
    arguments: runnableTargets.filter { $0 == .generic || $0 == .native })
  func objectFile(target: Target) async throws {
    let tools = try await Toolchain.find()
    let compilation = try LeNet5.model().compile(BuildOptions(batch: 8, target: target))
    let folder = try TemporaryFolder()
    try Self.write(Self.sources(compilation), to: folder)
    for name in folder.names where name.hasSuffix(".c") {
      let object = folder.file("\(name).o")
      let built = ChildProcess.run(
        tools.compiler.command + ["-std=c99", "-O0", "-fPIC"]
          + (tools.compiler.openMP?.compile ?? []) + (target.march.map { ["-march=\($0)"] } ?? [])
          + ["-c", folder.file(name), "-o", object])
      try #require(built.status == 0, "\(built.text)")
      // Lines of sections: number, name, size in hexadecimal, more.
      for line in ChildProcess.run(["objdump", "-h", object]).text.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count > 2, [".data", ".bss", ".tdata", ".tbss"].contains(words[1]) else {
          continue
        }
        #expect(Int(words[2], radix: 16) == 0, "\(line)")
      }
      // Lines of symbols: address, kind, name.
      let symbols = ChildProcess.run(["nm", "-g", "--defined-only", object]).text
        .split(separator: "\n").compactMap { $0.split(separator: " ").last }
      #expect(symbols.contains("lenet5_model"))
      for symbol in symbols { #expect(symbol.hasPrefix("lenet5_"), "\(symbol)") }
    }
  }
}
