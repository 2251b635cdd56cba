import Convc
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcTool

/// `convc verify`: reference values beside a model, and networks that it draws itself.
@Suite("verify")
struct VerifyTests {
  /// A tool with three drawn networks and their reference values in its folder.
  private func drawn() async throws -> Tool {
    let tool = try Tool()
    let result = try await tool("verify", "--random", "3", "--seed", "4", "--write", "drawn")
    expectDone(result)
    #expect(
      result.output.hasPrefix("3 of 3 networks agree (seeds 4 to 6); the largest difference is "))
    return tool
  }

  @Test("networks are drawn, kept with their reference values, and found right again")
  func random() async throws {
    let tool = try await drawn()
    #expect(try tool.names("drawn") == ["network_4", "network_5", "network_6"])
    let result = try await tool("verify", "drawn/network_4/model.onnx")
    expectDone(result)
    let lines = result.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("data             output  shape"))
    #expect(lines[0].hasSuffix("max abs error  max rel error"))
    #expect(
      lines.dropFirst().allSatisfy { $0.hasPrefix("test_data_set_0  v") && $0.hasSuffix("ok") })
  }

  @Test("outputs that differ are named with place and values, status 65")
  func differs() async throws {
    let tool = try await drawn()
    let network = DrawnNetwork(seed: 4)
    var (name, tensor) = network.outputs[0]
    tensor.values[tensor.values.count - 1] += 1
    let place = tensor.shape.map { String($0 - 1) }.joined(separator: ", ")
    let file = tool.path("drawn/network_4/test_data_set_0/output_0.pb")
    try Data(try DrawnNetwork.file(of: tensor, name: name)).write(to: URL(filePath: file))
    let result = try await tool("verify", "drawn/network_4/model.onnx")
    #expect(result.status == 65 && result.output.contains("DIFFERS"))
    #expect(result.errorLines.count == 1)
    #expect(
      result.errors.hasPrefix(
        "error: drawn/network_4/model.onnx: output '\(name)' of test_data_set_0 is "))
    #expect(result.errors.contains("at [\(place)], expected"))
    #expect(result.errors.hasSuffix("if that is near enough, raise --rtol or --atol\n"))
    expectDone(try await tool("verify", "drawn/network_4/model.onnx", "--atol", "2"))
    name = "x"
    try Data(
      try DrawnNetwork.file(of: DrawnNetwork(seed: 5).outputs[0].tensor, name: name)
    ).write(to: URL(filePath: file))
    expectRefusal(
      try await tool("verify", "drawn/network_4/model.onnx"), 65,
      containing: "output_0.pb: output 'v", "give values that belong to the model")
  }

  @Test("arrays of NumPy serve as well, packed or not")
  func numpy() async throws {
    let tool = try await drawn()
    let network = DrawnNetwork(seed: 6)
    try FileManager.default.createDirectory(
      atPath: tool.path("values"), withIntermediateDirectories: true)
    for (name, tensor) in network.inputs + network.outputs {
      let array = NumPyFile(shape: tensor.shape, values: .float32(tensor.values.map { Float($0) }))
      try array.bytes.write(to: URL(filePath: tool.path("values/\(name).npy")))
    }
    let words = ["verify", "drawn/network_6/model.onnx", "--data", "values"]
    let result = try await tool.start(words).result()
    expectDone(result)
    #expect(result.output.split(separator: "\n").count == 1 + network.outputs.count)
    try tool.write("no array", to: "values/\(network.inputs[0].name).npy")
    expectRefusal(try await tool.start(words).result(), 65, containing: "x0.npy: no NumPy file")
  }

  @Test(
    "trained networks agree with what another runtime computed",
    .enabled(if: TestFiles.data("onnx-models") != nil, "\(TestFiles.dataHint)"))
  func trained() async throws {
    let models = try #require(TestFiles.data("onnx-models"))
    let tool = try Tool()
    let result = try await tool("verify", "\(models)/resnet20-cifar10.onnx")
    expectDone(result)
    #expect(result.output.contains("resnet20-cifar10  logits  16x10"))
    expectRefusal(
      try await tool("verify", "\(models)/mnist-8.onnx", "--rtol", "0", "--atol", "1e-9"), 65,
      containing: "output 'Plus214_Output_0' of mnist-8 is ", "beyond rtol 0.0 and atol 1e-09")
  }

  @Test("words that do not belong together are refused")
  func words() async throws {
    let tool = try await drawn()
    for (words, part) in [
      ([], "give an ONNX file, or --random NETWORKS, and not both"),
      (["a.onnx", "--random", "3"], "give an ONNX file, or --random NETWORKS, and not both"),
      (["--random", "0"], "--random is 0, expected 1...1000000"),
      (["a.onnx", "--write", "x"], "--write keeps networks that --random draws"),
      (["--random", "3", "--data", "x"], "--data and --dim are for an ONNX file"),
      (["a.onnx", "--rtol", "-1"], "--rtol"),
    ] {
      expectRefusal(try await tool.start(["verify"] + words).result(), 64, containing: part)
    }
    expectRefusal(
      try await tool("verify", "missing.onnx"), 65, containing: "missing.onnx: cannot be read")
    expectRefusal(
      try await tool("verify", "drawn/network_4/model.onnx", "--data", "nowhere"), 65,
      containing: "no reference values for drawn/network_4/model.onnx in nowhere")
  }
}
