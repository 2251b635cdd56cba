import Convc
import ConvcTestSupport
import Foundation
import Testing

/// `--weights embed`: weights as part of the library.
@Suite("embedded weights")
struct EmbeddingTests {
  /// Prints the scores of a picture, in hexadecimal: with weights from the library where `PACKED` says how to get them,
  /// else from a file.
  static let program = """
    #include <stdio.h>
    #include <stdlib.h>
    #include "net.h"
    _Alignas(NET_ALIGNMENT) char workspace[NET_WORKSPACE_BYTES], packed[NET_PACKED_BYTES];
    float parameters[NET_PARAMETERS_FLOATS];
    int main(void) {
        const convc_model *model = net_model();
    #ifdef PACKED
        const void *weights = PACKED;
    #else
        FILE *file = fopen("out/net.safetensors", "rb");
        uint64_t header = 0;
        if (fread(&header, 8, 1, file) != 1 || fseek(file, (long)header, SEEK_CUR) != 0) return 3;
        if (fread(parameters, sizeof parameters, 1, file) != 1) return 4;
        if (net_prepare(parameters, packed) != CONVC_OK) return 5;
        const void *weights = packed;
    #endif
        if ((model->embedded_packed != NULL) != EMBEDDED_PACKED) return 6;
        if ((model->embedded_parameters != NULL) != EMBEDDED_PARAMETERS) return 7;
        if (model->abi_version != CONVC_ABI_VERSION || model->packed_bytes != NET_PACKED_BYTES) return 8;
        if ((uintptr_t)weights % CONVC_ALIGNMENT != 0) return 9;
        static float picture[64];
        for (int i = 0; i < 64; i++) picture[i] = (float)(i * 7 % 11) / 11;
        float scores[10];
        const void *inputs[] = {picture};
        void *outputs[] = {scores};
        if (net_forward(weights, inputs, outputs, 1, 1, workspace) != CONVC_OK) return 10;
        for (int k = 0; k < 10; k++) printf("%a\\n", scores[k]);
        return 0;
    }

    """

  static let network = small + ["--name", "net", "--seed", "3", "--target", "generic"]

  /// The scores with weights from a file.
  static func expected() async throws -> String {
    let tool = try Tool()
    try tool.write(program, to: "main.c")
    expectDone(try await tool.start(["build"] + network + ["-o", "out"]).result())
    let result = try await tool.shell(
      "cc -DEMBEDDED_PACKED=0 -DEMBEDDED_PARAMETERS=0 main.c -Iout -Lout -lnet -Wl,-rpath,out"
        + " -o main && ./main")
    expectDone(result)
    #expect(result.output.split(separator: "\n").count == 10)
    return result.output
  }

  private static func numbers(_ text: String) -> [Float] {
    text.split(separator: "\n").compactMap { Float($0) }
  }

  @Test("a library that is built with its weights needs no other file and no prepare")
  func library() async throws {
    let tool = try Tool()
    try tool.write(Self.program, to: "main.c")
    let result = try await tool.start(
      ["build"] + Self.network + ["-o", "out", "--weights", "embed"]
    ).result()
    expectDone(result)
    #expect(
      result.output == """
        out/net.h
        out/net.c
        out/net_weights.S
        out/net_weights.bin
        out/libnet.so
        out/net.pc
        out/netConfig.cmake

        """)
    let run = try await tool.shell(
      "rm out/net_weights.* out/net.c; cc '-DPACKED=net_packed()' -DEMBEDDED_PACKED=1"
        + " -DEMBEDDED_PARAMETERS=0 main.c -Iout -Lout -lnet -Wl,-rpath,out -o main && ./main")
    expectDone(run)
    #expect(run.output == (try await Self.expected()))
  }

  @Test(
    "its sources compile without a warning, in folders of any name, with each compiler",
    arguments: ["clang", "gcc"])
  func sources(compiler: String) async throws {
    var tool = try Tool()
    guard try await tool.shell("command -v \(compiler)").status == 0 else {
      print("skipped: there is no \(compiler)")
      return
    }
    try tool.write(Self.program, to: "main.c")
    let folder = "a \"b\" 'c'"
    expectDone(
      try await tool.start(["build"] + Self.network + ["-o", folder, "--weights", "embed"])
        .result())
    tool.environment["DIR"] = folder
    let run = try await tool.shell(
      "\(compiler) -Wall -Wextra -Wpedantic -Werror '-DPACKED=net_packed()' -DEMBEDDED_PACKED=1"
        + " -DEMBEDDED_PARAMETERS=0 main.c \"$DIR/net.c\" \"$DIR/net_weights.S\" \"-I$DIR\" -lm"
        + " -Wl,--fatal-warnings -o main && ./main")
    #expect(run.status == 0, "\(run)")
    // Other flags and another compiler round in other places.
    let (scores, expected) = (Self.numbers(run.output), Self.numbers(try await Self.expected()))
    #expect(scores.count == 10)
    for (score, other) in zip(scores, expected) { #expect(abs(score - other) < 1e-5) }
  }

  @Test("emit, which calls no compiler, embeds the parameters")
  func emit() async throws {
    var tool = try Tool()
    try tool.write(Self.program, to: "main.c")
    let path = tool.environment["PATH"]
    tool.environment["PATH"] = tool.folder.path
    let result = try await tool.start(
      ["emit"] + Self.network + ["-o", "out", "--weights", "embed"]
    ).result()
    expectDone(result)
    #expect(
      result.output == """
        out/net.h
        out/net.c
        out/net_weights.S
        out/net_weights.bin
        out/netConfig.cmake

        """)
    tool.environment["PATH"] = path
    let run = try await tool.shell(
      "cc '-DPACKED=(net_prepare(net_unpacked(), packed), packed)' -DEMBEDDED_PACKED=0"
        + " -DEMBEDDED_PARAMETERS=1 main.c out/net.c out/net_weights.S -Iout -lm -o main && ./main")
    expectDone(run)
    #expect(run.output == (try await Self.expected()))
  }

  @Test("the assembler file is for ARM as well, and puts read-only bytes at multiples of 64")
  func arm() async throws {
    let tool = try Tool()
    expectDone(
      try await tool.start(["emit"] + Self.network + ["-o", "out", "--weights", "embed"]).result())
    let bytes = try Data(contentsOf: URL(filePath: tool.path("out/net_weights.bin"))).count
    let compilers = [
      "clang", "clang --target=aarch64-linux-gnu", "clang --target=arm64-apple-macos", "gcc",
      "aarch64-linux-gnu-gcc",
    ]
    for compiler in compilers {
      guard try await tool.shell("command -v \(compiler.prefix { $0 != " " })").status == 0 else {
        print("skipped: there is no \(compiler)")
        continue
      }
      expectDone(
        try await tool.shell("\(compiler) -c out/net_weights.S -Iout -o net_weights.o"))
      guard !compiler.contains("apple") else { continue }
      let sections = try await tool.shell("readelf -SW net_weights.o | grep rodata.net_weights")
      let words = sections.output.split(separator: " ").suffix(7)
      // Size, entry size, flags, link, information, alignment.
      #expect(Array(words).contains("A") && words.last == "64\n", "\(compiler): \(sections)")
      #expect(
        sections.output.contains(String(bytes, radix: 16)), "\(compiler): \(sections.output)")
      let symbol = try await tool.shell("readelf -sW net_weights.o | grep 'HIDDEN.*net_weights'")
      #expect(symbol.status == 0, "\(compiler)")
    }
  }

  @Test("a session runs with the library's weights until others are given")
  func session() async throws {
    let tool = try Tool()
    expectDone(
      try await tool.start(["build"] + Self.network + ["-o", "out", "--weights", "embed"]).result())
    let library = try LoadedLibrary(path: tool.path("out/libnet.so"))
    let session = try Session(try Program(library: library, prefix: "net"))
    let picture = Program.Values.float32((0..<64).map { Float($0 * 7 % 11) / 11 })
    let scores = try session.forward(inputs: [picture], batch: 1)
    let model = try #require(Preset.named("lenet5")).make([1, 8, 8], nil)
    let graph = try model.compile(BuildOptions(trains: false, target: .generic)).graph
    let weights = try Initialization(seed: 3).parameters(of: graph)
    session.withParameters { block in
      for (index, weight) in weights.enumerated() { block[index] = weight }
    }
    #expect(try session.forward(inputs: [picture], batch: 1) == scores)
    session.withParameters { $0.update(repeating: 0) }
    #expect(
      try session.forward(inputs: [picture], batch: 1) == [
        .float32([Float](repeating: 0, count: 10))
      ])
  }

  @Test("weights come from a file, or are those of an ONNX file; a network may have none")
  func origins() async throws {
    let tool = try Tool()
    expectDone(try await tool.start(["emit"] + Self.network + ["-o", "a"]).result())
    expectDone(
      try await tool.start(
        ["emit"] + small + ["--name", "net", "--weights", "embed", "-o", "b"]
          + ["--weights", "a/net.safetensors"]
      ).result())
    let file = try Data(contentsOf: URL(filePath: tool.path("a/net.safetensors")))
    let embedded = try Data(contentsOf: URL(filePath: tool.path("b/net_weights.bin")))
    #expect(file.suffix(embedded.count) == embedded)
    try tool.write(
      """
      convc: 1
      name: empty
      inputs:
        x: [4]
      layers:
        relu: {layer: ReLU}
      outputs:
        y: relu
      """, to: "empty.yaml")
    let empty = try await tool("build", "empty.yaml", "-o", "e", "--weights", "embed")
    #expect(empty.status == 0, "\(empty)")
    let bin = try Data(contentsOf: URL(filePath: tool.path("e/empty_weights.bin")))
    #expect(bin.isEmpty)
  }

  @Test("what embedding cannot do is refused in one line, and leaves nothing")
  func refusals() async throws {
    let tool = try Tool()
    for (words, message) in [
      (
        ["--mode", "train", "--weights", "embed"],
        "a training build changes its weights, those in a library stay; leave out --weights embed, or build "
          + "with --mode infer"
      ),
      (
        ["--weights", "a.safetensors", "--weights", "b.safetensors"],
        "--weights names 2 files; give one"
      ),
      (
        ["--weights", "file", "--weights", "embed"],
        "--weights says twice where weights stand; give one of file and embed"
      ),
    ] {
      for verb in ["build", "emit"] {
        let result = try await tool.start([verb, "lenet5", "-o", "out"] + words).result()
        expectRefusal(result, 64, "\(message); see 'convc \(verb) --help'")
      }
    }
    #expect(tool.folder.names == [])
  }
}
