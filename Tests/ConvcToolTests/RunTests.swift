import Convc
import Foundation
import Testing

@testable import ConvcTool

@Suite("run")
struct RunTests {
  /// A tool with `x.npy` in its folder: so many images of 8x8 pixels.
  private func tool(images: Int = 3) throws -> Tool {
    let tool = try Tool()
    let values = (0..<(64 * images)).map { Float($0 % 17) / 16 }
    try NumPyFile(shape: [images, 1, 8, 8], values: .float32(values)).bytes
      .write(to: URL(filePath: tool.path("x.npy")))
    return tool
  }

  private func run(_ tool: Tool, _ words: String...) async throws -> Tool.Result {
    try await tool.start(["run", "lenet5", "--size", "1x8x8", "--batch", "2"] + words).result()
  }

  @Test("outputs are written for more images than a batch holds, the same in any batch")
  func outputs() async throws {
    let tool = try tool()
    let result = try await run(tool, "--input", "image=x.npy", "--output", "output=y/all.npy")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors == "wrote y/all.npy\n")
    let all = try NumPyFile(path: tool.path("y/all.npy"))
    #expect(all.shape == [3, 10])
    let single = try self.tool(images: 1)
    expectDone(
      try await run(single, "--input", "image=x.npy", "--output", "output=y.npy", "--quiet"))
    let first = try NumPyFile(path: single.path("y.npy"))
    guard case .float32(let many) = all.values, case .float32(let one) = first.values else {
      Issue.record("outputs are float32")
      return
    }
    #expect(Array(many.prefix(10)) == one)
    #expect(one.allSatisfy(\.isFinite) && Set(one).count > 1)
  }

  @Test("weights decide the output")
  func weights() async throws {
    let tool = try tool()
    let words = ["--input", "image=x.npy", "--quiet", "--output"]
    for (seed, name) in [("1", "a"), ("2", "b")] {
      let emit = ["emit"] + small + ["--seed", seed, "-o", name]
      #expect(try await tool.start(emit).result().status == 0)
      let result = try await tool.start(
        ["run", "lenet5", "--size", "1x8x8", "--batch", "2"] + words + ["output=\(name).npy"]
          + ["--weights", "\(name)/lenet5.safetensors"]
      ).result()
      expectDone(result)
    }
    #expect(
      try NumPyFile(path: tool.path("a.npy")).bytes != NumPyFile(path: tool.path("b.npy")).bytes)
  }

  @Test("wrong names are refused before anything is compiled")
  func names() async throws {
    let tool = try tool()
    expectRefusal(
      try await run(tool, "--input", "image=x.npy"), 64,
      "no output is asked for; give --output NAME=FILE.npy; see 'convc run --help'")
    expectRefusal(
      try await run(tool, "--output", "output=y.npy"), 64,
      "input 'image' of lenet5 is missing; give --input image=FILE.npy")
    expectRefusal(
      try await run(tool, "--input", "imgae=x.npy", "--output", "output=y.npy"), 64,
      "lenet5 has no input 'imgae'; did you mean 'image'? there is image")
    expectRefusal(
      try await run(tool, "--input", "image=x.npy", "--output", "probabilities=y.npy"), 64,
      "lenet5 has no output 'probabilities'; there is output")
    expectRefusal(
      try await run(
        tool, "--input", "image=x.npy", "--input", "image=x.npy", "--output", "output=y.npy"), 64,
      containing: "--input image is given twice")
    expectRefusal(
      try await run(tool, "--input", "x.npy", "--output", "output=y.npy"), 64,
      containing:
        "the value 'x.npy' is invalid for '--input <NAME=FILE.npy>'")
    #expect(tool.folder.names == ["x.npy"])
  }

  @Test("shapes and types are checked")
  func shapes() async throws {
    let tool = try tool()
    func write(_ shape: [Int], _ values: Program.Values) throws {
      try NumPyFile(shape: shape, values: values).bytes.write(to: URL(filePath: tool.path("z.npy")))
    }
    func refusal(_ parts: String...) async throws {
      let result = try await run(tool, "--input", "image=z.npy", "--output", "output=y.npy")
      expectRefusal(result, 65, containing: "z.npy")
      for part in parts { #expect(result.errors.contains(part), "\(result)") }
      #expect(!tool.exists("y.npy"))
    }
    try write([2, 1, 8, 7], .float32([Float](repeating: 0, count: 112)))
    try await refusal("takes shape Nx1x8x8, got 2x1x8x7", "--size")
    try write([1, 8, 8], .float32([Float](repeating: 0, count: 64)))
    try await refusal("takes shape Nx1x8x8, got 1x8x8")
    try write([0, 1, 8, 8], .float32([]))
    try await refusal("got 0x1x8x8")
    try write([1, 1, 8, 8], .int32([Int32](repeating: 0, count: 64)))
    try await refusal("takes float32, got int32")
    try tool.write("no array", to: "z.npy")
    try await refusal("z.npy")
    try FileManager.default.removeItem(atPath: tool.path("z.npy"))
    try await refusal("z.npy")
  }

  @Test("an output that cannot be written leaves no other")
  func unwritable() async throws {
    let tool = try tool()
    try tool.write("x", to: "file")
    expectRefusal(
      try await run(tool, "--input", "image=x.npy", "--output", "output=file/y.npy"), 73,
      containing: "file/y.npy cannot be written: Not a directory")
    #expect(tool.folder.names == ["file", "x.npy"])
  }
}
