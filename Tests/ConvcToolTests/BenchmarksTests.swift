import Foundation
import Testing

@Suite("Benchmarks")
struct BenchmarksTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Benchmarks")
  private static var hasPython: Bool {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/python3") }
  }

  @Test(
    "the driver's own tests pass: tables, pictures, choices, networks",
    .enabled(if: hasPython, "there is no python3 on PATH"))
  func driver() async throws {
    let lib = Self.folder.appending(path: "lib").path(percentEncoded: false)
    let result = try await Tool().shell("python3 -B -m unittest discover '\(lib)'")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("OK"), "\(result)")
  }

  @Test(
    "the command lists rows and rivals, and names what there is for a wrong word",
    .enabled(if: hasPython, "there is no python3 on PATH"))
  func list() async throws {
    let run = Self.folder.appending(path: "run").path(percentEncoded: false)
    let list = try await Tool().shell("python3 -B '\(run)' --list")
    #expect(list.status == 0, "\(list)")
    for row in ["train  lenet5 b64", "infer  resnet50 b32", "infer  mobilenetv2 b1"] {
      #expect(list.output.contains(row + "\n"))
    }
    #expect(list.output.contains("torch-channels-last  PyTorch channels_last (train, infer)"))
    let wrong = try await Tool().shell("python3 -B '\(run)' --rivals torhc")
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("there is no 'torhc'; there are jax, onnxruntime"))
  }
}
