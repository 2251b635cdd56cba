import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcTool

@Suite("The command")
struct CommandTests {
  @Test("every verb has help with an example", arguments: ConvcCommand.verbs)
  func help(_ verb: String) async throws {
    let result = try await Tool()(verb, "--help")
    expectDone(result)
    #expect(result.output.contains("Example: convc \(verb)"))
    #expect(result.output.contains("--quiet"))
  }

  @Test("it has the verbs of the contract, help and a version")
  func overview() async throws {
    let tool = try Tool()
    let help = try await tool("--help")
    expectDone(help)
    for verb in ["build", "emit", "export", "run", "train", "eval", "inspect", "check", "bench"] {
      #expect(help.output.contains("\n  \(verb) "))
    }
    let version = try await tool("--version")
    expectDone(version)
    #expect(version.output.hasPrefix("convc "))
  }

  @Test("no verb is a usage error")
  func noVerb() async throws {
    expectRefusal(try await Tool()(), 64, containing: "which verb? build, emit, export, run")
  }

  @Test("an unknown verb is answered with the nearest")
  func unknownVerb() async throws {
    expectRefusal(
      try await Tool()("trian"), 64,
      "no verb 'trian'; did you mean 'train'? there are \(ConvcCommand.verbs.joined(separator: ", "))"
    )
  }

  @Test("verbs of a later version are told from mistakes")
  func laterVerb() async throws {
    expectRefusal(
      try await Tool()("predict", "lenet5"), 64,
      containing:
        "'predict' is not in this version; there are build, emit")
  }

  @Test("wrong words are one line with the place of their explanation")
  func wrongWords() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("models", "--color"), 64,
      "unknown option '--color'; see 'convc models --help'")
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "x", "--batch"), 64,
      "missing value for '--batch <batch>'; see 'convc emit --help'")
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "x", "--batch", "many"), 64,
      "the value 'many' is invalid for '--batch <batch>'; see 'convc emit --help'")
    expectRefusal(
      try await tool("emit", "lenet5", "--stage", "parse"), 64,
      containing:
        "the value 'parse' is invalid",
      "model, graph, fused, training, kernels, memory, schedule, c")
    expectRefusal(
      try await tool("emit", "lenet5", "-o", "x", "--target", "z80"), 64,
      containing:
        "generic, x86-64-v2, x86-64-v3, x86-64-v4, aarch64, native")
    expectRefusal(
      try await tool("emit"), 64, "missing expected argument '<model>'; see 'convc emit --help'")
    expectRefusal(
      try await tool("emit", "lenet5", "mobilenet", "-o", "x"), 64,
      containing:
        "unexpected argument 'mobilenet'")
  }

  @Test(
    "numbers out of range are refused with the range",
    arguments: [
      ["emit", "lenet5", "-o", "x", "--batch", "0"],
      ["emit", "lenet5", "-o", "x", "--batch", "100000000000000"],
      ["emit", "lenet5", "-o", "x", "--classes", "0"],
      ["emit", "lenet5", "-o", "x", "--memory-limit", "0"],
      ["bench", "lenet5", "--threads", "5000"], ["bench", "lenet5", "--steps", "0"],
      ["bench", "lenet5", "--seconds", "0"], ["check", "lenet5", "--images", "65"],
      ["check", "lenet5", "--samples", "0"], ["check", "lenet5", "--tolerance", "0"],
    ])
  func ranges(_ words: [String]) async throws {
    let result = try await Tool().start(words).result()
    expectRefusal(result, 64, containing: words[words.count - 2], "expected")
  }

  @Test("an unknown preset is answered with the nearest")
  func unknownPreset() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("inspect", "lenet"), 65,
      containing: "no preset 'lenet'; did you mean 'lenet5'? there are lenet5, resnet8-digits",
      "mobilenetv2")
    expectRefusal(
      try await tool("inspect", "transformer-xxl"), 65,
      containing: "no preset 'transformer-xxl'; there are lenet5, resnet8-digits", "mobilenetv2")
  }

  @Test("a model file that is not there is named", arguments: ["dir/net.yaml", "NET.YML"])
  func modelFiles(_ name: String) async throws {
    expectRefusal(
      try await Tool()("inspect", name), 65,
      containing: "\(name): the file cannot be read; is the path right?")
  }

  @Test("an ONNX file that is none, or is not there, is refused in one line")
  func onnxFiles() async throws {
    let tool = try Tool()
    try tool.write("no model at all", to: "net.onnx")
    expectRefusal(try await tool("inspect", "net.onnx"), 65, containing: "net.onnx")
    expectRefusal(try await tool("emit", "none.onnx", "-o", "c"), 65, containing: "none.onnx")
    expectRefusal(
      try await tool("inspect", "lenet5", "--dim", "N=2"), 64,
      "lenet5 is no ONNX file, which alone names dimensions; leave out --dim")
  }

  @Test(
    "an ONNX file is a network like the others",
    .enabled(if: TestFiles.data("onnx-models") != nil, "\(TestFiles.dataHint)"))
  func onnxNetwork() async throws {
    let tool = try Tool()
    let file = try #require(TestFiles.data("onnx-models")) + "/mnist-8.onnx"
    let listing = try await tool("inspect", file)
    expectDone(listing)
    #expect(listing.output.contains("786,560"))
    expectDone(try await tool("emit", file, "-o", "c", "--quiet"))
    #expect(try tool.text("c/CNTKGraph.h").contains("Plus214_Output_0: float [batch, 10]"))
  }

  @Test("an impossible size is refused with layer, formula and what works")
  func impossibleSize() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("inspect", "lenet5", "--input", "1x3x3"), 65, containing: "pool2",
      "1 + (1 - 2 + 0 + 0)/2", "an input of at least 2")
    expectRefusal(
      try await tool("inspect", "lenet5", "--input", "1x1000000x1000000"), 65,
      containing:
        "beyond the memory limit of 16384 MiB")
    expectRefusal(
      try await tool("inspect", "lenet5", "--memory-limit", "1"), 65,
      containing:
        "beyond the memory limit of 1 MiB")
    expectRefusal(
      try await tool("inspect", "lenet5", "--input", "28x0"), 64,
      containing:
        "the value '28x0' is invalid for '--input")
  }

  @Test("standard output that is full is an output error; one that is closed ends in silence")
  func standardOutput() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool.start(["models"], output: "/dev/full").result(), 73,
      "standard output cannot be written: No space left on device; send it to another place")
    let closed = try await tool.shell(
      "{ \"$CONVC\" emit lenet5 --stage c; echo $? >status; } | head -n 1")
    #expect(closed.output.hasPrefix("// The network lenet5"))
    #expect(closed.errors == "")
    #expect(try tool.text("status") == "0\n")
  }

  @Test("control characters of an argument do not reach the terminal")
  func controlCharacters() async throws {
    let result = try await Tool()("inspect", "a\u{1b}[31m\nb")
    #expect(result.status == 65)
    #expect(result.errorLines.count == 1)
    #expect(!result.errors.contains("\u{1b}"))
  }

  @Test("the presets are listed with size, parameters and work")
  func models() async throws {
    let result = try await Tool()("models")
    expectDone(result)
    let lines = result.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.first?.prefix(4) == ["name", "images", "parameters", "multiply-adds"])
    #expect(lines.contains { $0.prefix(4) == ["lenet5", "1x28x28", "61,706", "416,520"] })
  }
}
