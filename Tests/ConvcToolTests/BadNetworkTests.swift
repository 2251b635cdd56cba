import Convc
import Foundation
import Testing

/// ONNX files that are damaged or made to do harm: one line, status 65, soon, in little memory, and nothing is left.
@Suite("bad networks")
struct BadNetworkTests {
  /// A tool with a file `bad.onnx` in its folder.
  private func tool(_ bytes: Wire.Bytes) throws -> Tool {
    let tool = try Tool()
    try Data(bytes).write(to: URL(filePath: tool.path("bad.onnx")))
    return tool
  }

  /// Runs the command in one gigabyte and thirty seconds of a processor.
  private func limited(_ tool: Tool, _ words: String) async throws -> Tool.Result {
    try await tool.shell("ulimit -d 1048576; ulimit -t 30; exec \"$CONVC\" \(words)")
  }

  private func expectRefused(_ file: BadFile) async throws {
    let tool = try tool(file.bytes)
    let before = tool.folder.names
    let result = try await limited(tool, "build bad.onnx -o out")
    expectRefusal(result, 65, containing: file.reason)
    #expect(result.output == "" && tool.folder.names == before)
  }

  @Test("files that are damaged", arguments: BadFile.damaged)
  func damaged(_ file: BadFile) async throws { try await expectRefused(file) }

  @Test("networks that contradict themselves", arguments: BadFile.impossible)
  func impossible(_ file: BadFile) async throws { try await expectRefused(file) }

  @Test("networks too deep", arguments: BadFile.deep)
  func deep(_ file: BadFile) async throws { try await expectRefused(file) }

  @Test("networks too large", arguments: BadFile.large)
  func large(_ file: BadFile) async throws { try await expectRefused(file) }

  @Test("a bit that flips is refused in one line, or makes another network")
  func flipped() async throws {
    let whole = Wire.convolution(Wire.weights)
    for index in stride(from: 0, to: whole.count - 150, by: 23) {
      var bytes = whole
      bytes[index] ^= 1 << UInt8(index % 8)
      let tool = try tool(bytes)
      let result = try await limited(tool, "emit bad.onnx -o out")
      if result.status == 0 {
        expectDone(result)
      } else {
        expectRefusal(result, 65, containing: "error: ")
        #expect(tool.folder.names == ["bad.onnx"])
      }
    }
  }

  @Test(
    "weights outside of the model's folder are not read",
    arguments: [
      ("../weights.bin", "expected a path within the model's folder"),
      ("in/../../weights.bin", "expected a path within the model's folder"),
      ("/etc/passwd", "expected a path within the model's folder"),
      ("", "expected a path within the model's folder"),
      ("a\0b", "expected a path within the model's folder"),
      (".", "which is the model's folder"),
      ("link", "a link that leaves the model's folder"),
      ("etc/passwd", "a link that leaves the model's folder"),
      ("none\nerror: here", "'none\\nerror: here', which cannot be read"),
    ])
  func outside(_ location: String, _ reason: String) async throws {
    let tool = try tool(Wire.convolution(Wire.tensor("w", [2, 2, 3, 3], at: location)))
    for (link, target) in [("link", "/etc/passwd"), ("etc", "/etc")] {
      try FileManager.default.createSymbolicLink(
        atPath: tool.path(link), withDestinationPath: target)
    }
    let before = tool.folder.names
    expectRefusal(
      try await limited(tool, "build bad.onnx -o out"), 65, containing: "initializer 'w'", reason)
    #expect(tool.folder.names == before)
  }

  @Test(
    "every command refuses alike, and leaves what was there",
    arguments: [
      "build bad.onnx -o there", "build bad.onnx -o there --weights embed",
      "emit bad.onnx -o there",
      "emit bad.onnx --stage c", "inspect bad.onnx", "verify bad.onnx --data there",
      "run bad.onnx --input x=there/x.npy --output y=there/y.npy", "bench bad.onnx",
      "export bad.onnx -o there/other.onnx", "train bad.onnx --data digits -o there",
      "eval bad.onnx --data digits --weights there/best.safetensors",
    ])
  func commands(_ words: String) async throws {
    let whole = Wire.convolution(Wire.weights)
    for bytes in [Array(whole.dropLast(9)), Wire.network([Wire.node("Swirl", ["x"], ["y"])])] {
      let tool = try tool(bytes)
      try FileManager.default.createDirectory(
        atPath: tool.path("there"), withIntermediateDirectories: false)
      expectRefusal(try await limited(tool, words), 65, containing: "error: ")
      #expect(tool.folder.names == ["bad.onnx", "there"])
      #expect(try tool.names("there") == [])
    }
  }
}
