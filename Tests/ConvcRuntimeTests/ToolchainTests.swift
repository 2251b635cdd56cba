import FoundationEssentials
import Testing

@testable import ConvcRuntime

@Suite("Toolchain")
struct ToolchainTests {
  let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
  }

  // MARK: Search

  @Test("finds a compiler that works, without the user naming one")
  func finds() async throws {
    let toolchain = try await sandbox.toolchain()
    #expect(toolchain.compiler.command.count == 1)
    #expect(toolchain.compiler.family != .other)
    #expect(toolchain.compiler.openMP != nil || !toolchain.notes.isEmpty)
    #expect(sandbox.leftovers == [])
  }

  @Test("remembers a trial until the compiler changes")
  func remembers() async throws {
    let log = sandbox.folder + "/log"
    let text = "echo x >> \(log)\nexec cc \"$@\""
    let compiler = try sandbox.script("mycc", text)
    let first = try await sandbox.toolchain(["CONVC_CC": compiler])
    let trials = try FileSystem.read(log).count
    let second = try await sandbox.toolchain(["CONVC_CC": compiler])
    #expect(second.compiler == first.compiler)
    #expect(try FileSystem.read(log).count == trials)

    _ = try sandbox.script("mycc", text + " # changed")
    _ = try await sandbox.toolchain(["CONVC_CC": compiler])
    #expect(try FileSystem.read(log).count > trials)
  }

  @Test("prefers --cc to CONVC_CC to CC")
  func order() throws {
    let search = { (named: String?, changes: [String: String]) in
      try CompilerSearch(named: named, switches: sandbox.switches(changes)).candidates()
        .map(\.origin)
    }
    #expect(try search("sh", ["CONVC_CC": "sh", "CC": "sh"]) == ["--cc"])
    #expect(try search(nil, ["CONVC_CC": "sh", "CC": "sh"]) == ["CONVC_CC"])
    #expect(try search(nil, ["CC": "sh"]) == ["CC"])
  }

  @Test("searches clang, its versions, the clang beside swift, gcc, cc, each program once")
  func searchOrder() throws {
    let names = ["cc", "clang-14", "clang-22", "gcc"]
    let programs = try names.map { try sandbox.script($0, "true # \($0)") }
    try FileManager.default.createDirectory(
      atPath: sandbox.folder + "/swift-bin", withIntermediateDirectories: true)
    let swift = try sandbox.script("swift-bin/swift", "true")
    let besideSwift = try sandbox.script("swift-bin/clang", "true")
    try FileManager.default.createSymbolicLink(
      atPath: sandbox.folder + "/clang", withDestinationPath: programs[1])
    try FileManager.default.createSymbolicLink(
      atPath: sandbox.folder + "/swift", withDestinationPath: swift)
    let search = CompilerSearch(
      named: nil, switches: sandbox.switches(["PATH": sandbox.folder]))
    #expect(
      try search.candidates().map(\.name)
        == [sandbox.folder + "/clang", programs[2], besideSwift, programs[3], programs[0]])
  }

  @Test("takes arguments with a compiler's name")
  func words() async throws {
    let toolchain = try await sandbox.toolchain(["CC": "cc -DWITH_ARGUMENT"])
    #expect(toolchain.compiler.command.last == "-DWITH_ARGUMENT")
    let source = CSource(
      name: "a.c", text: "#ifndef WITH_ARGUMENT\n#error no\n#endif\nint a(void) { return 1; }\n")
    _ = try await toolchain.build(sources: [source])
  }

  @Test("says what to install when there is no compiler")
  func none() async throws {
    let text = await message { _ = try await sandbox.toolchain(["PATH": sandbox.folder]) }
    #expect(
      text == """
        no C compiler found on PATH (looked for clang, clang-22 to clang-14, gcc, cc); \
        install one: apt-get install clang libomp-dev
        """)
  }

  @Test("says why each compiler failed when none works")
  func noneWorks() async throws {
    let gcc = try sandbox.script("gcc", "echo 'cannot find headers' >&2; exit 1")
    let text = await message { _ = try await sandbox.toolchain(["PATH": sandbox.folder]) }
    #expect(
      text == """
        no C compiler works here (\(gcc): exit status 1: cannot find headers); \
        install one: apt-get install clang libomp-dev
        """)
  }

  @Test("refuses a named compiler that is missing, and takes no other")
  func missing() async throws {
    let text = await message { _ = try await sandbox.toolchain(["CONVC_CC": "no-such-cc"]) }
    #expect(
      text == """
        the C compiler 'no-such-cc' named by CONVC_CC is not there; \
        name another, or let one be found and install it: apt-get install clang libomp-dev
        """)
  }

  @Test("refuses a named compiler that does not work, and takes no other")
  func broken() async throws {
    let compiler = try sandbox.script("badcc", "echo 'licence expired' >&2; exit 3")
    let text = await message { _ = try await sandbox.toolchain(["CC": compiler]) }
    #expect(
      text == """
        the C compiler '\(compiler)' named by CC does not work: exit status 3: licence expired; \
        name another, or let one be found and install it: apt-get install clang libomp-dev
        """)
    #expect(sandbox.leftovers == [])
  }

  @Test("refuses a named compiler whose output does not run here")
  func foreign() async throws {
    let compiler = try sandbox.script(
      "crosscc",
      "for last; do true; done\necho x > probe.o\necho x > probefopenmp.so\necho x > probe.so")
    let text = await message { _ = try await sandbox.toolchain(["CC": compiler]) }
    #expect(text?.contains("does not work: what it compiles does not run here: ") == true)
  }

  @Test("compiles for one thread with a note when there is no OpenMP")
  func withoutOpenMP() async throws {
    let compiler = try sandbox.script(
      "plaincc",
      "for word; do [ \"$word\" = -fopenmp ] && { echo 'no OpenMP' >&2; exit 1; }; done\n"
        + "exec cc \"$@\"")
    let toolchain = try await sandbox.toolchain(["CC": compiler])
    #expect(toolchain.compiler.openMP == nil)
    #expect(
      toolchain.notes == [
        "\(compiler) has no OpenMP here, so compiled code runs on one thread; "
          + "install it: apt-get install clang libomp-dev"
      ])
    let program = try await toolchain.tiny()
    #expect(program.name == "tiny")
  }

  // MARK: OpenMP

  /// Tries a compiler whose link with `-fopenmp` works only beside `needed`.
  private func probe(
    linkNeeds needed: String, _ libraries: CompilerProbe.OpenMPLibraries
  ) async throws -> Compiler {
    let compiler = try sandbox.script(
      "partcc",
      """
      case "$*" in
        *-shared*\(needed)*) ;;
        *-shared*-fopenmp*) echo 'cannot find -lomp' >&2; exit 1 ;;
      esac
      exec cc "$@"
      """)
    let switches = sandbox.switches(["CC": compiler])
    let search = CompilerSearch(named: nil, switches: switches)
    let probe = CompilerProbe(
      cache: try BuildCache(switches: switches, limit: 0), search: search, libraries: libraries)
    return try await probe.probe(try #require(try search.candidates().first))
  }

  @Test("offers the OpenMP library of another LLVM to a compiler that finds none")
  func otherFolder() async throws {
    let folders = ["/usr/lib/llvm-99/lib", "/usr/lib/llvm-98/lib"]
    let compiler = try await probe(
      linkNeeds: "-L" + folders[1], CompilerProbe.OpenMPLibraries(folders: folders, files: []))
    #expect(compiler.openMP?.link == ["-fopenmp", "-L" + folders[1]])
  }

  @Test(
    "links to an OpenMP runtime's file when nothing else works",
    .enabled(if: !CompilerProbe.OpenMPLibraries.installed.files.isEmpty))
  func runtimeFile() async throws {
    let installed = CompilerProbe.OpenMPLibraries.installed
    let compiler = try await probe(
      linkNeeds: "never", CompilerProbe.OpenMPLibraries(folders: [], files: installed.files))
    #expect(compiler.openMP?.link == [installed.files[0]])
  }

  @Test(
    "builds a model that runs, with each compiler there is", arguments: ["clang", "gcc", "cc"])
  func compilers(name: String) async throws {
    let switches = sandbox.switches()
    let search = CompilerSearch(named: nil, switches: switches)
    guard search.program(name) != nil else { return }
    let toolchain = try await Toolchain.find(named: name, switches: switches)
    let library = try await toolchain.load(sources: TinyModel.sources)
    let session = try Session(Program(library: library, prefix: "tiny"))
    try session.setParameterBlock([1, 2, 3, 4, 5, 6, 0, 0, 1, 0])
    #expect(try session.forward(inputs: [.float32([1, 1, 1])], batch: 1) == [.float32([6, 15])])
  }
}
