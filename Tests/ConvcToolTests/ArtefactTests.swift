import Foundation
import Testing

/// A small LeNet-5 that every test may use: it is compiled once.
let small = ["lenet5", "--input", "1x8x8"]

@Suite("emit and build")
struct ArtefactTests {
  @Test("emit writes header, source and weights, and prints their paths")
  func emit() async throws {
    let tool = try Tool()
    let result = try await tool.start(["emit"] + small + ["-o", "out/c", "--mode", "train"])
      .result()
    expectDone(result)
    #expect(
      result.output
        == "out/c/lenet5.h\nout/c/lenet5.c\nout/c/lenet5.safetensors\nout/c/lenet5Config.cmake\n")
    #expect(try tool.text("out/c/lenet5.h").contains("lenet5_train_step"))
    let names = try FileManager.default.contentsOfDirectory(atPath: tool.path("out/c")).sorted()
    #expect(names == ["lenet5.c", "lenet5.h", "lenet5.safetensors", "lenet5Config.cmake"])
  }

  @Test("names, mode, batch and target are as asked for; the same words give the same bytes")
  func options() async throws {
    let tool = try Tool()
    let words = [
      "--name", "digits", "--batch", "3", "--target", "generic", "--mode", "infer", "--no-openmp",
      "--loss", "multi-class-hinge", "--optimizer", "sgd", "--precision", "f32", "--quiet",
    ]
    for folder in ["a", "b/"] {
      expectDone(try await tool.start(["emit"] + small + words + ["-o", folder]).result())
    }
    let source = try tool.text("a/digits.c")
    #expect(source == (try tool.text("b/digits.c")))
    #expect(source.contains("batches of 1...3"))
    #expect(source.contains("target generic"))
    #expect(!(try tool.text("a/digits.h").contains("digits_train_step")))
  }

  @Test("what this version has not is refused in one line")
  func refusals() async throws {
    let tool = try Tool()
    for (words, message) in [
      (["--optimizer", "adam"], "--optimizer adam is not in this version, expected sgd"),
      (["--precision", "f16"], "--precision f16 is not in this version, expected f32"),
      (
        ["--name", "../x"],
        "--name '../x' is no C identifier; use up to 64 letters, digits and underscores, and no C keyword"
      ),
    ] {
      let result = try await tool.start(["emit", "lenet5", "-o", "out"] + words).result()
      expectRefusal(result, 64, "\(message); see 'convc emit --help'")
    }
    #expect(tool.folder.names == [])
  }

  @Test("emit wants a folder or a stage, build a folder")
  func nowhere() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("emit", "lenet5"), 64,
      "nowhere to write to; give a folder with -o DIR, or a --stage to print; see 'convc emit --help'"
    )
    expectRefusal(try await tool("emit", "lenet5", "-o", ""), 64, containing: "-o names no folder")
    expectRefusal(
      try await tool("build", "lenet5"), 64, containing: "missing expected argument '--output")
  }

  @Test(
    "stages are printed, both programs' in a training build",
    arguments: [
      ("model", ["name: lenet5", "layer: Conv2D"]),
      ("graph", ["graph lenet5, batch 64", "parameters"]),
      ("fused", ["fused graph lenet5, inference", "fused graph lenet5, training"]),
      ("training", ["no backward pass", "training graph lenet5"]),
      ("kernels", ["kernel graph lenet5, inference", "kernel graph lenet5, training"]),
      ("memory", ["memory plan lenet5, inference", "memory plan lenet5, training"]),
      ("schedule", ["schedule lenet5, inference", "schedule lenet5, training"]),
      ("c", ["#include", "lenet5_train_step"]),
    ])
  func stages(_ stage: String, _ parts: [String]) async throws {
    let tool = try Tool()
    let result = try await tool.start(
      ["emit"] + small + ["--stage", stage, "--mode", "train"]
    ).result()
    expectDone(result)
    for part in parts { #expect(result.output.contains(part)) }
    #expect(tool.folder.names == [])
  }

  @Test("a place that cannot be written is an output error that leaves nothing")
  func unwritable() async throws {
    let tool = try Tool()
    try tool.write("x", to: "file")
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "file/out"), 73,
      "file/out/lenet5.h cannot be written: Not a directory; choose another place or make room")
    try FileManager.default.createDirectory(
      atPath: tool.path("out/lenet5.c"), withIntermediateDirectories: true)
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "out"), 73,
      "out/lenet5.c cannot be written: a folder of that name is there; choose another place or make room"
    )
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.path("out")) == ["lenet5.c"])
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "/proc/convc/x"), 73, containing: "/proc/convc")
  }

  @Test("build adds a library with the network's functions")
  func build() async throws {
    let tool = try Tool()
    let result = try await tool.start(["build"] + small + ["-o", "out", "--name", "net"]).result()
    expectDone(result)
    #expect(
      result.output == """
        out/net.h
        out/net.c
        out/net.safetensors
        out/libnet.so
        out/net.pc
        out/netConfig.cmake

        """)
    let library = try #require(dlopen(tool.path("out/libnet.so"), RTLD_NOW | RTLD_LOCAL))
    defer { dlclose(library) }
    #expect(dlsym(library, "net_forward") != nil)
    #expect(dlsym(library, "net_model") != nil)
  }

  @Test("without a compiler, build says what to install and leaves nothing")
  func noCompiler() async throws {
    var tool = try Tool()
    tool.environment["PATH"] = tool.folder.path
    tool.environment["CONVC_CC"] = ""
    tool.environment["CC"] = ""
    expectRefusal(
      try await tool("build", "lenet5", "-o", "out"), 69, containing: "no C compiler found on PATH",
      "apt-get install clang libomp-dev")
    expectRefusal(
      try await tool("build", "lenet5", "-o", "out", "--cc", "/none/cc"), 69,
      containing:
        "the C compiler '/none/cc' named by --cc is not there", "apt-get install")
    try tool.script("echo broken >&2; exit 1", at: "cc")
    expectRefusal(
      try await tool("build", "lenet5", "-o", "out", "--cc", "cc"), 69,
      containing:
        "the C compiler 'cc' named by --cc does not work")
    #expect(tool.folder.names == ["cc"])
  }

  #if arch(x86_64)
    @Test("what this machine cannot compile is left to emit and a cross compiler")
    func foreign() async throws {
      let tool = try Tool()
      expectRefusal(
        try await tool("build", "lenet5", "-o", "out", "--target", "aarch64"), 69,
        "this machine's compilers make no code for aarch64; write the C with "
          + "'convc emit --target aarch64' and give it to a cross compiler")
      #expect(!tool.exists("out"))
    }
  #endif

  @Test("a compiler that fails on the network is a bug, with command and output")
  func compilerFails() async throws {
    let tool = try Tool()
    try tool.script(
      """
      case "$*" in *lenet5.c*) echo "lenet5.c:1: error: no more registers" >&2; exit 3;; esac
      exec $(command -v clang || command -v gcc || command -v cc) "$@"
      """, at: "cc")
    let result = try await tool("build", "lenet5", "-o", "out", "--cc", tool.path("cc"))
    #expect(result.status == 70)
    #expect(result.errorLines.first?.hasPrefix("error: the C compiler") == true)
    #expect(result.errorLines.first?.contains("exit status 3: lenet5.c:1: error: no more") == true)
    #expect(result.errors.contains("\ncommand: "))
    #expect(tool.folder.names == ["cc"])
  }

  @Test("weights are taken over, from a file that fits")
  func weights() async throws {
    let tool = try Tool()
    let words = ["emit"] + small
    expectDone(try await tool.start(words + ["-o", "a", "--seed", "7"]).result())
    expectDone(
      try await tool.start(words + ["-o", "b", "--weights", "a/lenet5.safetensors"]).result())
    expectDone(try await tool.start(words + ["-o", "c", "--weights", "file"]).result())
    func bytes(_ name: String) throws -> Data {
      try Data(contentsOf: URL(filePath: tool.path("\(name)/lenet5.safetensors")))
    }
    #expect(try bytes("a") == bytes("b"))
    #expect(try bytes("a") != bytes("c"))
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "d", "--weights", "a/lenet5.safetensors"), 65,
      containing: "a/lenet5.safetensors", "another 'lenet5'")
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "d", "--weights", "none.safetensors"), 65,
      "none.safetensors: no such file; check the path")
    #expect(!tool.exists("d"))
  }
}
