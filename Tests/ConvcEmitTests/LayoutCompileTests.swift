import Convc
import ConvcEmit
import ConvcTestSupport
import Testing

/// Kernels of all layers on whole vectors, also those of large maps, which recorded C has few of.
@Suite("Kernels on vectors")
struct LayoutCompileTests {
  @Test(
    "compile without a warning, with large maps and small ones", arguments: ["lanes", "blocked"],
    ["clang", "gcc"])
  func compile(family: String, compiler: String) throws {
    guard CCompiler.installed.contains(compiler) else {
      print("kernels in \(family): skipped, there is no \(compiler)")
      return
    }
    var count = 0
    for (index, example) in LayerRegistry.layers.flatMap({ $0.examples }).enumerated() {
      guard let model = Self.model(example) else { continue }
      let target = Target.x86v4.with(level2: index % 2 == 0 ? 64 : Target.x86v4.level2)
      let compilation = try model.compile(
        BuildOptions(batch: 17, target: target, families: [family], fuses: false))
      let result = try CCompiler.check(
        EmitC().run(compilation.stages.module).all, compiler: compiler,
        flags: ["-march=x86-64-v4", "-fsyntax-only"])
      #expect(result.status == 0, "\(example.layer): \(result.text.prefix(400))")
      count += 1
    }
    #expect(count > 60)
  }

  /// A layer behind another one, with whole blocks of channels where it takes them; nil: it is not one of a single input.
  private static func model(_ example: LayerExample) -> Model? {
    guard example.inputs.count == 1, !example.isUnbatched else { return nil }
    let own = Array(example.inputs[0].dropFirst())
    let shapes = [[16] + own.dropFirst(), own]
    guard
      let shape = shapes.first(where: {
        (try? example.layer.output(for: [TensorType(shape: [17] + $0)])) != nil
      })
    else { return nil }
    let builder = ModelBuilder(name: "on_vectors")
    let y = builder.input("x", shape).prelu().apply(example.layer)
    builder.output("y", y)
    builder.loss(MeanSquaredError(), on: "y", target: "target")
    return builder.model
  }
}
