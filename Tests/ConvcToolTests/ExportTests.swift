import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcTool

@Suite("export")
struct ExportTests {
  private let small = ["linear", "--size", "5"]

  @Test("export writes a file that every verb takes, and prints its path")
  func export() async throws {
    let tool = try Tool()
    let result = try await tool.start(["export"] + small + ["-o", "net.onnx"]).result()
    expectDone(result)
    #expect(result.output == "net.onnx\n")
    let layers = try await tool("inspect", "net.onnx", "--dim", "N=1")
    expectDone(layers)
    #expect(layers.output.contains("dense1"))
    expectDone(
      try await tool.start([
        "export", "net.onnx", "--dim", "N=1", "--batch", "4", "-o", "again.onnx",
      ]).result())
  }

  @Test("what is wrong with a command's words is said in a line")
  func words() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("export", "lenet5", "-o", "net.pb"), 64, containing: "does not end in .onnx")
    expectRefusal(
      try await tool("export", "lenet5", "-o", "net.onnx", "--batch", "0"), 64,
      containing: "invalid for '--batch")
    expectRefusal(
      try await tool("export", "lenet5", "-o", "none/net.onnx"), 73, containing: "none/net.onnx")
    expectRefusal(
      try await tool("export", "lenet5", "-o", "net.onnx", "--weights", "none.safetensors"), 65,
      containing: "none.safetensors")
  }
}
