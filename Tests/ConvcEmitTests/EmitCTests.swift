import ConvcEmit
import ConvcIR
import Testing

@Suite("EmitC")
struct EmitCTests {
  static let targets = [Target.generic, .x86v3, .x86v4]

  private static func emit(_ module: CModule, units: Int? = nil) -> EmittedFiles {
    EmitC(EmitOptions(units: units, templates: ScaleModule.library)).run(module)
  }

  @Test("a training build computes, checks its arguments and gives the same bits everywhere")
  func runs() throws {
    for compiler in CCompiler.installed {
      for (target, units) in zip(Self.targets, [1, 2, 3]) {
        let files = Self.emit(ScaleModule(target: target).module(), units: units)
        #expect(files.sources.count == units)
        for flags in [["-O2", "-fopenmp"], ["-O0"]] {
          let result = try CCompiler.build(
            files.all, driver: scaleDriver, compiler: compiler, flags: flags)
          #expect(result.status == 0, "\(compiler) \(target) \(flags): \(result.text)")
        }
      }
    }
  }
}
