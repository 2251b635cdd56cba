import Convc
import ConvcEmit
import ConvcTestSupport
import Foundation
import Testing

/// The committed C of LeNet-5, which shows what a change of the compiler does to its output.
@Suite("Golden C")
struct GoldenTests {
  /// A committed pair of files.
  struct Golden: Sendable, CustomTestStringConvertible {
    let trains: Bool
    let target: Target

    static let all = [Target.x86v4, .generic].flatMap { target in
      [true, false].map { Golden(trains: $0, target: target) }
    }

    var name: String { "lenet5_\(trains ? "train" : "infer").\(target.name)" }
    var testDescription: String { name }
    /// Lines that the C file may have.
    var longest: Int { trains ? 1500 : 600 }

    /// The files as the compiler writes them now.
    func files() throws -> [CSourceFile] {
      let preset = try #require(Preset.named("lenet5"))
      let compilation = try preset.make([1, 28, 28], 10).compile(
        BuildOptions(batch: 64, trains: trains, target: target))
      return EmitC(EmitOptions(fileName: name)).run(compilation.stages.module).all
    }
  }

  @Test("the compiler writes what is committed", arguments: Golden.all)
  func current(golden: Golden) throws {
    for file in try golden.files() {
      try expectRecorded(file.text, at: "Generated/Models/\(file.name)")
    }
  }

  @Test("files, functions and lines are short enough to read", arguments: Golden.all)
  func limits(golden: Golden) throws {
    for file in try golden.files() where file.name.hasSuffix(".c") {
      #expect(file.lines.count <= golden.longest)
      #expect(file.lines.filter { $0.count > 120 } == [])
      #expect(file.functions.filter { $0.lines > 120 }.map(\.name) == [])
      #expect(file.functions.count > 10)
    }
  }

  @Test(
    "compiles without a warning, with OpenMP and without", arguments: Golden.all,
    ["clang", "gcc"])
  func compiles(golden: Golden, compiler: String) throws {
    guard CCompiler.installed.contains(compiler) else {
      print("\(golden.name): skipped, there is no \(compiler)")
      return
    }
    for flags in [["-O1", "-fopenmp"], ["-O1"]] {
      let march = golden.target.march.map { ["-march=\($0)"] } ?? []
      let result = try CCompiler.check(
        try golden.files(), compiler: compiler, flags: flags + march)
      #expect(result.status == 0, "\(flags): \(result.text)")
    }
  }

  @Test(
    "recorded kernels of layers and losses compile without a warning", arguments: ["clang", "gcc"],
    [Target.generic, .x86v4])
  func kernelsCompile(compiler: String, target: Target) throws {
    guard CCompiler.installed.contains(compiler) else {
      print("recorded kernels: skipped, there is no \(compiler)")
      return
    }
    for folder in ["Layers", "Losses"] {
      let path = TestFiles.repository + "Generated/\(folder)"
      let files = try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(".\(target.name).c") }
      #expect(files.count > 40)
      let march = target.march.map { ["-march=\($0)"] } ?? []
      // Nothing calls the kernels here.
      let result = CCompiler.run(
        compiler,
        CCompiler.warnings + ["-Wno-unused-function", "-fsyntax-only"] + march
          + files.sorted().map { "\(path)/\($0)" })
      #expect(result.status == 0, "\(result.text)")
    }
  }
}
