import ConvcEmit
import ConvcIR
import Testing

@Suite("EmitC")
struct EmitCTests {
  private static func emit(_ module: CModule, units: Int? = nil) -> EmittedFiles {
    EmitC(EmitOptions(units: units, templates: ScaleModule.library)).run(module)
  }

  /// A program that does nothing but call the descriptor.
  private static func caller(of name: String) -> String {
    """
    #include "\(name).h"
    #include "\(name).h"
    int main(void) { return \(name)_model()->max_batch == 4 ? 0 : 1; }

    """
  }

  // MARK: What runs

  @Test(
    "a training build computes, checks its arguments and gives the same bits everywhere",
    arguments: CCompiler.installed, [Target.generic, .x86v3, .x86v4])
  func runs(compiler: String, target: Target) throws {
    let units = target.lanes == 1 ? 1 : target.lanes == 8 ? 2 : 3
    let files = Self.emit(ScaleModule(target: target).module(), units: units)
    #expect(files.sources.count == units)
    for flags in [["-O2", "-fopenmp"], ["-O0"]] {
      let result = try CCompiler.build(
        files.all, driver: scaleDriver, compiler: compiler, flags: flags)
      #expect(result.status == 0, "\(flags): \(result.text)")
      #expect(result.text == "")
    }
  }

  @Test("an inference build compiles without a warning", arguments: CCompiler.installed)
  func inference(compiler: String) throws {
    let files = Self.emit(ScaleModule(target: .x86v4).module(training: false))
    let result = try CCompiler.build(
      files.all, driver: Self.caller(of: "scale"), compiler: compiler, flags: ["-O1"])
    #expect(result.status == 0, "\(result.text)")
    #expect(!files.all.contains { $0.text.contains("gradients(") && $0.name == "scale.c" })
    #expect(!files.header.text.contains("SCALE_GRADIENTS_FLOATS"))
  }

  @Test("no text of a model's gets out of its comment, string or name")
  func escapes() throws {
    var model = ScaleModule(target: .generic)
    model.name = "5 \"nets\"-α"
    model.graphName = "*/ \n#error bad\n \"\\??/\n\\"
    let files = Self.emit(model.module())
    #expect(files.all.map(\.name) == ["m5__nets___.h", "m5__nets___.c"])
    for compiler in CCompiler.installed {
      let result = try CCompiler.build(
        files.all, driver: Self.caller(of: "m5__nets___"), compiler: compiler, flags: ["-O0"])
      #expect(result.status == 0, "\(result.text)")
    }
  }

  @Test("a kernel gives way to an entry point of the same name")
  func nameClash() throws {
    var model = ScaleModule(target: .generic)
    model.name = "scale1"
    for units in [1, 2] {
      let files = Self.emit(model.module(), units: units)
      #expect(files.all.contains { $0.text.contains("scale1_forward_2(") })
      let result = try CCompiler.build(
        files.all, driver: Self.caller(of: "scale1"), compiler: "clang", flags: ["-O0"])
      #expect(result.status == 0, "\(result.text)")
    }
  }

  @Test("two headers stand in one C++ program", arguments: ["clang++", "g++"])
  func cPlusPlus(compiler: String) throws {
    guard CCompiler.run(compiler, ["--version"]).status == 0 else { return }
    var other = ScaleModule(target: .generic)
    other.name = "other"
    let files =
      Self.emit(ScaleModule(target: .generic).module()).all + Self.emit(other.module()).all
    let result = try CCompiler.checkCPlusPlus(
      files,
      text: """
        #include "scale.h"
        #include "other.h"
        static_assert(SCALE_MAX_BATCH == OTHER_MAX_BATCH, "");
        int main() { return scale_model()->max_batch - other_model()->max_batch; }

        """, compiler: compiler)
    #expect(result.status == 0, "\(result.text)")
  }

  @Test("all memory is constant, and all symbols carry the prefix")
  func symbols() throws {
    let files = Self.emit(ScaleModule(target: .x86v4).module(), units: 3)
    let symbols = try CCompiler.symbols(files.all, compiler: "clang")
    #expect(symbols.contains("T scale_train_step"))
    for symbol in symbols {
      let kind = symbol.first ?? " "
      #expect("Ttrr RU".contains(kind), "\(symbol)")
      if kind.isUppercase, kind != "U" {
        #expect(symbol.dropFirst(2).hasPrefix("scale_"), "\(symbol)")
      }
    }
  }

  // MARK: What is written

  @Test("the same module and options give the same text")
  func deterministic() {
    let module = ScaleModule(target: .x86v4).module()
    #expect(Self.emit(module, units: 2) == Self.emit(module, units: 2))
  }

  @Test("includes and defines what is used alone")
  func prelude() {
    let plain = Self.emit(ScaleModule(target: .generic).module(training: false)).sources[0].text
    for word in ["math.h", "string.h", "UNROLL", "LANES", "pick", "GRADIENTS_AT"] {
      #expect(!plain.contains(word), "\(word)")
    }
    let vector = Self.emit(ScaleModule(target: .x86v4).module()).sources[0].text
    for word in ["math.h", "UNROLL", "#define LANES 16", "lanes pick("] {
      #expect(vector.contains(word), "\(word)")
    }
  }

  @Test("the head tells layers, parameters and memory")
  func head() throws {
    let text = Self.emit(ScaleModule(target: .generic).module()).sources[0].text
    let end = try #require(text.firstRange(of: "#include"))
    #expect(
      text[..<end.lowerBound] == """
        // The network scale in C99 for the target generic: inference and training, batches of 1...4. Generated by convc.
        // Interface: scale.h.
        //
        // Layers:
        //   layer   kind               reads  output
        //   x       input                     4x5
        //   scale1  per channel * / \\  x      4x5
        //
        // Parameters:
        //   parameter      shape  floats  at  kind
        //   scale1.weight  5           5   0  trainable
        //   scale1.bias    5           5   5  trainable
        //   all                       10      10 trainable
        //
        // Workspace of forward: 128 bytes, each buffer in use from its first to its last call:
        //   buffer  bytes  at  calls
        //   scale1    128   0  1-3
        // Calls: 1 scale1_forward, 2 relu1_forward, 3 y_copy.
        //
        // Workspace of gradients: 256 bytes (no plan needs less than 128), each buffer in use from its first to its last call:
        //   buffer    bytes   at  calls
        //   scale1      128    0  1-4
        //   d_scale1    128  128  4-5
        // Calls: 1 scale1_forward, 2 relu1_forward, 3 y_copy, 4 square_loss, 5 scale1_backward.
        //
        // In kernels x is the input and y the output; n counts images, c channels, f features, m maps or outputs, h and w rows
        // and columns, r and s the taps of a window. d_x is the gradient of the loss by x.


        """)
  }

  @Test("a program becomes calls, single blocks and barriers with their reasons")
  func steps() throws {
    let text = Self.emit(ScaleModule(target: .generic).module()).sources[0].text
    #expect(
      text.contains(
        """
            const float *const scale1_weight = parameters, *const scale1_bias = parameters + 5;

            float *const d_scale1_weight = gradients, *const d_scale1_bias = gradients + 5;

            // Buffers of the workspace; those that are never in use together share memory.
            void *const scale1 = arena;
            void *const d_scale1 = arena + 128;

            scale1_forward(batch, inputs[0], scale1_weight, scale1_bias, scale1);
            OMP(omp barrier)  // relu1 reads scale1
            relu1_forward(scale1);
            OMP(omp barrier)  // y reads relu1
            if (outputs != NULL && outputs[0] != NULL) {
                y_copy(batch, scale1, outputs[0]);
            }
            OMP(omp single nowait)
            square_loss(batch, scale1, targets[0], losses, d_scale1);
            OMP(omp barrier)  // scale1_backward reads d_scale1
            scale1_backward(batch, accumulate, inputs[0], d_scale1, d_scale1_weight, d_scale1_bias);
        }
        """))
  }

  @Test(
    "functions have at most 120 lines of 120 columns",
    arguments: [ScaleModule.Copies.shared(250), .single(250), .distinct(20)])
  func limits(copies: ScaleModule.Copies) throws {
    let files = Self.emit(ScaleModule(target: .x86v4).module(copies: copies))
    for file in files.all {
      #expect(file.lines.filter { $0.count > 120 } == [])
      #expect(file.functions.filter { $0.lines > 120 }.map(\.name) == [])
    }
    let result = try CCompiler.build(
      files.all, driver: scaleDriver, compiler: "clang", flags: ["-O1", "-fopenmp"])
    #expect(result.status == 0, "\(result.text)")
  }

  @Test("a long model is split by its text alone")
  func splits() throws {
    let module = ScaleModule(target: .generic).module(copies: .distinct(420))
    let files = Self.emit(module)
    #expect(files.sources.map(\.name) == ["scale.c", "scale_1.c"])
    let lines = files.sources.map { $0.text.split(separator: "\n").count }
    #expect(lines.allSatisfy { $0 < 4000 })
    #expect(files.sources[1].text.contains("void scale_y419_copy(int batch"))
    let result = try CCompiler.build(
      files.all, driver: scaleDriver, compiler: "clang", flags: ["-O0"])
    #expect(result.status == 0, "\(result.text)")
    #expect(Self.emit(module, units: 1).sources.count == 1)
  }

  @Test("traps where a template does not fit its call")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      _ = EmitC().run(ScaleModule(target: .generic).module())
    }
  }
}
