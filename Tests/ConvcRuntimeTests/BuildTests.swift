import FoundationEssentials
import Testing

@testable import ConvcRuntime

@Suite("Building and caching")
struct BuildTests {
  let sandbox: Sandbox
  let one = CSource(name: "one.c", text: "int one(void) { return 1; }\n")
  let plain = LibraryOptions(architecture: .baseline, openMP: false)

  init() throws {
    sandbox = try Sandbox()
  }

  private func build(
    _ sources: [CSource], _ options: LibraryOptions? = nil
  ) async throws -> Toolchain.Built {
    try await sandbox.toolchain().build(sources: sources, options: options ?? plain)
  }

  @Test("compiles once, then finds the library in the cache")
  func hit() async throws {
    let first = try await build([one])
    let second = try await build([one])
    #expect(!first.fromCache && second.fromCache)
    #expect(first.path == second.path)
    #expect(first.commands.count == 2 && second.commands.isEmpty)
    #expect(first.path.hasPrefix(sandbox.cache + "/libraries/"))
    #expect(sandbox.leftovers == [])
  }

  @Test("compiles again when text, name, flag, OpenMP or architecture change")
  func misses() async throws {
    _ = try await build([one])
    let changes: [([CSource], LibraryOptions)] = [
      ([CSource(name: "one.c", text: one.text + "\n")], plain),
      ([CSource(name: "uno.c", text: one.text)], plain),
      ([one], LibraryOptions(architecture: .baseline, openMP: false, extraFlags: ["-DX"])),
      ([one], LibraryOptions(architecture: .native, openMP: false)),
    ]
    for (sources, options) in changes {
      #expect(try await build(sources, options).fromCache == false)
    }
    #expect(sandbox.libraries.count == 5)
  }

  @Test("compiles again with another compiler")
  func otherCompiler() async throws {
    let compiler = try sandbox.script("mycc", "exec cc \"$@\"")
    _ = try await build([one])
    let other = try await sandbox.toolchain(["CC": compiler])
    #expect(try await other.build(sources: [one], options: plain).fromCache == false)
  }

  @Test("compiles several files at once and links them")
  func several() async throws {
    let sources = (0..<5).map {
      CSource(name: "f\($0).c", text: "int f\($0)(void);\nint f\($0)(void) { return \($0); }\n")
    }
    let exported = CSource(
      name: "sum.c",
      text: """
        int f0(void), f1(void), f2(void), f3(void), f4(void);
        __attribute__((visibility("default"))) int sum(void) { return f0() + f1() + f2() + f3() + f4(); }
        """)
    let library = try await sandbox.toolchain().load(sources: sources + [exported], options: plain)
    typealias Function = @convention(c) () -> Int32
    #expect(unsafeBitCast(try library.symbol("sum"), to: Function.self)() == 10)
  }

  @Test("builds a damaged library again", arguments: ["truncated", "changed", "no seal"])
  func damaged(how: String) async throws {
    let built = try await build([one])
    switch how {
    case "truncated":
      let half = try FileSystem.read(built.path).count / 2
      let handle = try FileSystem.read(built.path).prefix(half)
      try Data(handle).write(to: URL(filePath: built.path), options: .atomic)
    case "changed":
      var bytes = try FileSystem.read(built.path)
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(filePath: built.path), options: .atomic)
    default:
      FileSystem.removeFile(built.path.dropLast(3) + ".seal")
    }
    #expect(try await build([one]).fromCache == false)
    #expect(try await build([one]).fromCache)
    _ = try LoadedLibrary(path: built.path)
  }

  @Test("builds a library again that is whole but cannot be opened")
  func unopenable() async throws {
    let toolchain = try await sandbox.toolchain()
    let key = try await toolchain.build(sources: [one], options: plain).key
    let cache = try BuildCache(switches: sandbox.switches(), limit: .max)
    let folder = try cache.makeWorkFolder()
    try FileSystem.write("no library", to: folder + "/x.so")
    _ = try cache.publish(folder + "/x.so", key: key)
    #expect(cache.library(key) != nil)
    _ = try await toolchain.load(sources: [one], options: plain)
  }

  @Test("does no harm when many build the same at once")
  func together() async throws {
    let sources = try TinyModel.sources
    let switches = sandbox.switches()
    let names = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<4 {
        group.addTask {
          // Each has a toolchain of its own, as separate processes have.
          let toolchain = try await Toolchain.find(switches: switches)
          let library = try await toolchain.load(sources: sources)
          return try Program(library: library, prefix: "tiny").name
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(names == ["tiny", "tiny", "tiny", "tiny"])
    #expect(sandbox.libraries.count == 1)
    #expect(sandbox.leftovers == [])
  }

  @Test("shows command, status and output of a compiler that fails")
  func compileError() async throws {
    let bad = CSource(name: "bad.c", text: "int bad(void) { return missing; }\n")
    let toolchain = try await sandbox.toolchain()
    let thrown = await #expect(throws: ToolchainError.self) {
      try await toolchain.build(sources: [one, bad], options: plain)
    }
    guard case .compilation(let error) = thrown else {
      Issue.record("not a compilation error: \(String(describing: thrown))")
      return
    }
    let program = toolchain.compiler.command[0]
    #expect(error.status == .exited(1))
    #expect(error.command.last == "bad.c")
    #expect(error.output.contains("missing"))
    #expect(
      error.message.hasPrefix("the C compiler \(program) failed with exit status 1: bad.c:1:"))
    #expect(!error.message.contains("\n"))
    let lines = error.description.split(separator: "\n")
    #expect(lines[0] == error.message)
    #expect(lines[1].hasPrefix("command: \(program) -std=c99"))
    #expect(lines[2] == "status: exit status 1")
    #expect(ToolchainError.compilation(error).description == error.message)
    #expect(sandbox.leftovers == [] && sandbox.libraries == [])
  }

  @Test("tells of a compiler that is killed")
  func killed() async throws {
    let compiler = try sandbox.script(
      "dyingcc", "case \"$*\" in *one.c*) kill -9 $$;; esac\nexec cc \"$@\"")
    let toolchain = try await sandbox.toolchain(["CC": compiler])
    let text = await message { _ = try await toolchain.build(sources: [one], options: plain) }
    #expect(text == "the C compiler \(compiler) failed with signal 9: it wrote nothing")
  }

  @Test("goes to a temporary folder, with a note, when the cache cannot be written")
  func unwritable() async throws {
    // A file where the folder should be stops even the superuser.
    try FileSystem.write("", to: sandbox.folder + "/file")
    let place = sandbox.folder + "/file/cache"
    let changes = ["CONVC_CACHE": place, "TMPDIR": sandbox.folder]
    do {
      let toolchain = try await sandbox.toolchain(changes)
      #expect(toolchain.cacheFolder.hasPrefix(sandbox.folder + "/convc-"))
      #expect(
        toolchain.notes.last == """
          the cache folder cannot be written (\(place): Not a directory), so compiled code is not \
          kept; set CONVC_CACHE to a folder that can
          """)
      #expect(try await toolchain.tiny().name == "tiny")
    }
    #expect(FileSystem.names(in: sandbox.folder) == ["file"])
  }

  @Test("says so when not even a temporary folder can be written")
  func nowhere() async throws {
    try FileSystem.write("", to: sandbox.folder + "/file")
    let place = sandbox.folder + "/file"
    let text = await message {
      _ = try await sandbox.toolchain(["CONVC_CACHE": place, "TMPDIR": place])
    }
    #expect(
      text == """
        cannot write \(place)/convc-: Not a directory; \
        make room there, or set CONVC_CACHE to another folder
        """)
  }

  @Test("removes the libraries not used for longest when the cache is full")
  func eviction() throws {
    let cache = try BuildCache(switches: sandbox.switches(), limit: 250)
    let folder = try cache.makeWorkFolder()
    func publish(_ key: String) throws {
      try FileSystem.write(String(repeating: "x", count: 100), to: folder + "/x.so")
      _ = try cache.publish(folder + "/x.so", key: key)
    }
    try publish("a")
    try publish("b")
    #expect(cache.library("a") != nil)
    try publish("c")
    #expect(cache.library("a") != nil && cache.library("c") != nil)
    #expect(cache.library("b") == nil)
    #expect(FileSystem.names(in: sandbox.cache + "/libraries").count == 4)
  }

  @Test("puts the cache where the environment says")
  func places() throws {
    func folder(_ environment: [String: String]) throws -> String {
      try BuildCache(switches: Switches(environment: environment), limit: 0).folder
    }
    let root = sandbox.folder
    #expect(try folder(["CONVC_CACHE": root + "/a", "HOME": root]) == root + "/a")
    #expect(try folder(["XDG_CACHE_HOME": root + "/b", "HOME": root]) == root + "/b/convc")
    #expect(try folder(["HOME": root]) == root + "/.cache/convc")
  }
}
