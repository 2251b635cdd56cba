import Convc
import ConvcTestSupport
import Foundation
import Testing

/// Where reference values stand beside a model, and how far outputs are from them.
@Suite("Reference values")
struct ReferencePairTests {
  private func folder(_ files: String...) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in files {
      let url = URL(filePath: folder.file(file))
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: url)
    }
    return folder
  }

  /// The pairs as `NAME: inputs -> outputs`, with paths from the folder on.
  private func found(_ folder: TemporaryFolder, data: String? = nil) -> [String] {
    ReferencePair.find(
      model: folder.file("net.onnx"), folder: data, inputs: ["x", "m"], outputs: ["y"]
    ).map { pair in
      func names(_ files: [ReferencePair.File]) -> String {
        files.map { String($0.path.dropFirst(folder.path.count + 1)) }.joined(separator: ", ")
      }
      return "\(pair.name): \(names(pair.inputs)) -> \(names(pair.outputs))"
    }
  }

  @Test("test data sets, numbered in order")
  func dataSets() throws {
    let folder = try folder(
      "test_data_set_0/input_0.pb", "test_data_set_0/input_1.pb", "test_data_set_0/output_0.pb",
      "test_data_set_10/input_0.npy", "test_data_set_10/output_0.npy.gz",
      "test_data_set_2/output_0.pb", "test_data_set_3/nothing")
    #expect(
      found(folder) == [
        "test_data_set_0: test_data_set_0/input_0.pb, test_data_set_0/input_1.pb -> test_data_set_0/output_0.pb",
        "test_data_set_2:  -> test_data_set_2/output_0.pb",
        "test_data_set_10: test_data_set_10/input_0.npy -> test_data_set_10/output_0.npy.gz",
      ])
  }

  @Test("files by the model's name, by number alone, and by the tensors' names")
  func named() throws {
    #expect(
      found(try folder("net.input0.npy", "net.output0.npy.gz", "other.output0.npy"))
        == ["net: net.input0.npy -> net.output0.npy.gz"])
    #expect(
      found(try folder("reference/net.input0.npy", "reference/net.output0.npy"))
        == ["net: reference/net.input0.npy -> reference/net.output0.npy"])
    #expect(
      found(try folder("input_0.pb", "output_0.pb")) == ["net: input_0.pb -> output_0.pb"])
    #expect(
      found(try folder("x.npy", "m.npy", "y.npy.gz", "z.npy")) == ["net: x.npy, m.npy -> y.npy.gz"])
    #expect(found(try folder("x.npy", "y.npy")).isEmpty)
    let elsewhere = try folder("values/input_0.pb", "values/output_0.pb")
    #expect(found(elsewhere).isEmpty)
    #expect(
      found(elsewhere, data: elsewhere.file("values"))
        == ["net: values/input_0.pb -> values/output_0.pb"])
  }

  @Test("a difference may be atol + rtol times the expected value")
  func deviation() throws {
    let near = Deviation(
      [1.001, 0, .nan, .infinity], from: [1, 1e-6, .nan, .infinity], rtol: 1e-3, atol: 1e-5)
    #expect(near.worst == nil)
    #expect(abs(near.absolute - 1e-3) < 1e-12 && near.relative == 1)
    let far = Deviation([1, 2.1, 5], from: [1, 2, 4], rtol: 1e-3, atol: 0)
    let worst = try #require(far.worst)
    #expect(worst.place == 2 && worst.value == 5 && worst.expected == 4)
    #expect(Deviation([.nan], from: [1], rtol: 1, atol: 1).worst?.place == 0)
    #expect(Deviation([.infinity], from: [-.infinity], rtol: 1, atol: 1).absolute == .infinity)
  }
}
