import Convc
import Foundation
import Testing

/// Names of any kind are no reason to refuse a network: they reach its caller as they are, and C not at all.
@Suite("hostile names")
struct HostileNameTests {
  /// What a shell can pass in an argument, and what it cannot.
  static let speakable = [
    "a\"b'c", "a\nb\r\n", "*/ int x; /*", "??/", "int", "a b", "a*b", "a_b", "../../etc/passwd",
    "..",
    "main", "model", "forward", "restrict", "%s%n{{x}}", "é漢\u{202e}\u{2028}", "\\", "printf", "x=",
    "\u{1b}[2J",
  ]
  static let unspeakable = ["a\0b", String(repeating: "x", count: 1 << 20)]

  private func tool(_ bytes: Wire.Bytes) throws -> Tool {
    let tool = try Tool()
    try Data(bytes).write(to: URL(filePath: tool.path("net.onnx")))
    return tool
  }

  @Test("inputs, outputs, weights, layers and values of any name build and run")
  func values() async throws {
    // Each name is one of an input; layers, values and weights have them, too.
    let names = Self.speakable.filter { !$0.contains("=") }
    let all = Self.speakable + Self.unspeakable
    var nodes = [Wire.node("Sum", names, ["0"], name: "sum")]
    for (index, name) in all.enumerated() {
      nodes.append(Wire.node("Add", ["\(index)", "weight " + name], ["\(index + 1)"], name: name))
    }
    let outputs = names.map { "out " + $0 }
    for output in outputs {
      nodes.append(Wire.node("Relu", ["\(all.count)"], [output], name: output))
    }
    let one = withUnsafeBytes(of: Float(1)) { Wire.Bytes($0) }
    let tool = try tool(
      Wire.model(
        Wire.graph(
          nodes, inputs: names.map { Wire.value($0, [1, 2]) },
          outputs: outputs.map { Wire.value($0, []) },
          tensors: all.map { Wire.tensor("weight " + $0, [1], raw: one) }, name: "*/ main(\"\n")))
    let built = try await tool("build", "net.onnx", "-o", "out", "--quiet")
    #expect(built.status == 0 && built.exited, "\(built)")
    try await expectPlainC(tool, "out")
    try NumPyFile(shape: [1, 2], values: .float32([1, 2])).bytes
      .write(to: URL(filePath: tool.path("x.npy")))
    let run =
      ["run", "net.onnx", "--quiet", "--output", "\(outputs[1])=y.npy"]
      + names.flatMap { ["--input", "\($0)=x.npy"] }
    expectDone(try await tool.start(run).result())
    let sum = Float(all.count)
    let values = [Float(names.count) + sum, 2 * Float(names.count) + sum]
    #expect(try NumPyFile(path: tool.path("y.npy")).values == .float32(values))
  }

  @Test(
    "a network of any name has files and symbols of a plain one",
    arguments: speakable + unspeakable + [""])
  func graph(_ name: String) async throws {
    let tool = try tool(Wire.network(name: name))
    expectDone(try await tool("emit", "net.onnx", "-o", "out"))
    let names = try tool.names("out")
    #expect(names.count == 4 && tool.folder.names == ["net.onnx", "out"])
    #expect(
      names.allSatisfy {
        $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
      })
    try await expectPlainC(tool, "out")
  }

  /// Expects sources that a C compiler takes without a warning.
  private func expectPlainC(_ tool: Tool, _ folder: String) async throws {
    let result = try await tool.shell(
      "cd \(folder) && cc -std=gnu11 -march=native -Wall -Wextra -Werror -fsyntax-only *.c"
    )
    expectDone(result)
  }
}
