import Testing

@testable import ConvcRuntime

@Suite("Program")
struct ProgramTests {
  let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
  }

  @Test("describes a model it knows nothing of")
  func description() async throws {
    let program = try await sandbox.toolchain().tiny()
    #expect(program.name == "tiny" && program.targetRow == "generic" && program.modelHash == "0123")
    #expect(program.batches == 1...4)
    #expect(
      program.inputs == [
        Program.Tensor(
          name: "x", element: .float32, shape: [4, 3],
          preprocessing: .init(scale: 1 / 255, mean: [0.5], deviation: [0.25]))
      ])
    #expect(program.outputs.map(\.name) == ["y"])
    #expect(program.targets.map(\.element) == [.float32, .int32])
    #expect(program.targets.map(\.elementsPerImage) == [2, 1])
    #expect(program.losses[1] == Program.Loss(name: "pick", weight: 0.5, output: 0, target: 1))
    #expect(program.parameters.map(\.kind) == [.trainable, .trainable, .frozen, .statistic])
    #expect(program.parameters.map(\.range) == [0..<6, 6..<8, 8..<9, 9..<10])
    #expect(program.parameters.map(\.gradientOffset) == [0, 6, nil, nil])
    #expect(program.classes == ["left", "right"])
    #expect(program.parameterCount == 10 && program.gradientCount == 8)
    #expect(program.canTrain)
    #expect(program.total([3, 4]) == 5)
  }

  @Test("refuses a library of another interface version")
  func version() async throws {
    let toolchain = try await sandbox.toolchain()
    let text = await message { _ = try await toolchain.tiny("VERSION=99") }
    #expect(
      text?.hasSuffix(
        """
        .so speaks version 99 of convc's interface, this program version 2; \
        build the library again with this convc
        """) == true)
  }

  @Test("refuses a description that leads outside of a block")
  func offset() async throws {
    let toolchain = try await sandbox.toolchain()
    let text = await message { _ = try await toolchain.tiny("BAD_OFFSET") }
    #expect(
      text?.hasSuffix(
        ".so describes its model wrongly: parameter seen ends outside of its block; build it again")
        == true)
  }

  @Test("names the symbol that a library lacks")
  func symbol() async throws {
    let library = try await sandbox.toolchain().load(
      sources: [CSource(name: "a.c", text: "int a(void);\nint a(void) { return 1; }\n")])
    let text = await message { _ = try Program(library: library, prefix: "tiny") }
    #expect(text?.hasPrefix("the library \(library.path) has no symbol 'tiny_model': ") == true)
    #expect(text?.hasSuffix("; was it built under this name?") == true)
  }

  @Test("says what the linker says of a file that is no library")
  func noLibrary() async throws {
    try FileSystem.write("text", to: sandbox.folder + "/x.so")
    let text = await message { _ = try LoadedLibrary(path: sandbox.folder + "/x.so") }
    #expect(text?.hasPrefix("cannot open the library \(sandbox.folder)/x.so: ") == true)
    #expect(text?.contains("\n") == false)
  }

  @Test("opens and closes a library with OpenMP many times")
  func reopening() async throws {
    let code = """
      __attribute__((visibility("default"))) int threads(void) {
          int n = 0;
      #ifdef _OPENMP
      #pragma omp parallel num_threads(2) reduction(+:n)
      #endif
          n += 1;
          return n;
      }
      """
    let built = try await sandbox.toolchain().build(
      sources: [CSource(name: "threads.c", text: code)])
    typealias Function = @convention(c) () -> Int32
    for _ in 0..<30 {
      let library = try LoadedLibrary(path: built.path)
      let function = unsafeBitCast(try library.symbol("threads"), to: Function.self)
      #expect((1...2).contains(withExtendedLifetime(library) { function() }))
    }
  }
}
