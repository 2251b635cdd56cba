import Convc
import Foundation
import Testing

@testable import ConvcTool

@Suite("Data on the command line")
struct DataTests {
  @Test("data sets are listed with sizes, licence and how to get them")
  func list() async throws {
    let result = try await Tool()("data")
    expectDone(result)
    let lines = result.output.split(separator: "\n")
    let digits = try #require(lines.first { $0.hasPrefix("digits ") })
    for part in ["1x8x8", "10", "1,437", "360", "CC BY 4.0", "built in"] {
      #expect(digits.contains(part))
    }
    let fashion = try #require(lines.first { $0.hasPrefix("fashion-mnist ") })
    #expect(fashion.contains("installed") || fashion.contains("apt-get install"))
  }

  @Test("unknown data, and folders without data, are refused")
  func unknown() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("train", "lenet5", "--data", "digit"), 65,
      containing:
        "unknown data set 'digit', the nearest is 'digits'")
    expectRefusal(
      try await tool("train", "lenet5", "--data", "./none"), 65,
      containing:
        "cannot read ./none: no such folder")
    expectRefusal(
      try await tool("train", "lenet5", "--data", tool.folder.path), 65,
      containing:
        "no file train-images-idx3-ubyte")
    #expect(tool.folder.names == [])
  }

  @Test("a folder of IDX files is trained on, its classes by name")
  func folder() async throws {
    let tool = try Tool()
    try IDXPair.write(to: tool.path("shapes"), train: 60, test: 9, classes: 3)
    try tool.write("square\n<circle>\nline\n", to: "shapes/classes.txt")
    let result = try await tool(
      "train", "lenet5", "--data", "shapes", "--epochs", "1", "--batch", "3", "--quiet")
    expectDone(result)
    #expect(result.output.contains("runs/lenet5-shapes/best.safetensors"))
    let eval = try await tool(
      "eval", "lenet5", "--data", "./shapes/", "--batch", "3", "--weights",
      "runs/lenet5-shapes/best.safetensors")
    expectDone(eval)
    #expect(eval.output.contains("\n<circle>       3 "))
    expectRefusal(
      try await tool(
        "eval", "lenet5", "--data", "digits", "--weights", "runs/lenet5-shapes/best.safetensors"),
      65, containing: "best.safetensors")
  }

  @Test("files that do not belong together, and labels that are no class, are refused")
  func damaged() async throws {
    let tool = try Tool()
    try IDXPair.write(to: tool.path("a"), train: 6, test: 3, classes: 3)
    try IDXPair.labels([0, 1]).write(to: URL(filePath: tool.path("a/train-labels-idx1-ubyte")))
    expectRefusal(
      try await tool("train", "lenet5", "--data", "a"), 65,
      containing:
        "train-images-idx3-ubyte has 6 images", "has 2 labels")
    try IDXPair.write(to: tool.path("b"), train: 6, test: 3, classes: 3)
    try tool.write("one\ntwo\n", to: "b/classes.txt")
    expectRefusal(
      try await tool("train", "lenet5", "--data", "b"), 65, containing: "label 2", "expected 0...1")
    #expect(tool.folder.names == ["a", "b"])
  }

  @Test("errors have the contract's statuses")
  func statuses() {
    func status(_ error: any Error) -> ConvcTool.ExitStatus { Failure(describing: error).status }
    #expect(
      status(DataError.notInstalled(name: "a", folder: "b", installation: "c")) == .missing)
    #expect(status(DataError.noImages(path: "a")) == .input)
    #expect(status(CompileError(layer: "a", "b")) == .input)
    #expect(status(CheckpointError.unreadable(path: "a", reason: "b")) == .input)
    #expect(status(CheckpointError.cannotWrite(path: "a", reason: "b")) == .output)
    #expect(status(TrainingError.noLosses(model: "a")) == .input)
    #expect(status(TrainingError.cannotWrite(path: "a", reason: "b")) == .output)
    #expect(status(OutputError(path: "a", reason: "b")) == .output)
    #expect(status(ToolchainError.noCompiler(tried: [])) == .missing)
    #expect(status(ToolchainError.cannotWrite(path: "a", reason: "b")) == .output)
    #expect(status(ProgramError.outOfMemory(bytes: 1, block: "a")) == .input)
    #expect(status(ProgramError.refused(function: "a", reason: "b")) == .bug)
    #expect(status(CocoaError(.featureUnsupported)) == .bug)
  }
}

/// The four files of a small data set of 8x8 images.
private enum IDXPair {
  static func write(to folder: String, train: Int, test: Int, classes: Int) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (part, count) in [("train", train), ("t10k", test)] {
      let labels = (0..<count).map { UInt8($0 % classes) }
      let pixels = labels.enumerated().flatMap { index, label in
        (0..<64).map { UInt8(($0 * (Int(label) + 3) + index * 7) % 251) }
      }
      let images = Data([0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 8, 0, 0, 0, 8] + pixels)
      try images.write(to: URL(filePath: "\(folder)/\(part)-images-idx3-ubyte"))
      try self.labels(labels).write(to: URL(filePath: "\(folder)/\(part)-labels-idx1-ubyte"))
    }
  }

  static func labels(_ labels: [UInt8]) -> Data {
    Data([0, 0, 8, 1, 0, 0, 0, UInt8(labels.count)] + labels)
  }
}
