import Convc
import Foundation
import FoundationXML
import Testing

@Suite("inspect")
struct InspectTests {
  @Test("it shows shapes, parameters, work, receptive fields, memory and fusion")
  func table() async throws {
    let result = try await Tool()("inspect", "lenet5", "--batch", "2", "--target", "generic")
    expectDone(result)
    let lines = result.output.split(separator: "\n")
    #expect(
      lines.first
        == "lenet5, batch 2, target generic: 61,706 parameters (61,706 trainable), 416,520 multiply-adds an image, depth 5, width 400"
    )
    let conv = try #require(lines.first { $0.hasPrefix("conv2") })
    for part in ["Conv2D 5x5", "pool1", "16x10x10", "CxHxW", "2,400", "240,000", "6,400", "14x14"] {
      #expect(conv.contains(part))
    }
    #expect(lines.contains { $0.hasPrefix("dense1") && $0.contains("  all  ") })
    #expect(lines.contains { $0.hasPrefix("training ") && $0.contains("241.0 KiB") })
    #expect(lines.contains { $0.contains("runs inside conv1's loops") })
    let arena = try #require(lines.firstIndex { $0.hasPrefix("arena ") })
    for mode in 1...2 {
      let numbers = lines[arena + mode].split(separator: " ").dropFirst()
        .prefix(2).compactMap { Int($0.filter(\.isNumber)) }
      #expect(numbers.count == 2 && numbers[0] >= numbers[1] && numbers[1] > 0)
    }
  }

  @Test("lost pixels are counted, and what is not fused is explained")
  func residual() async throws {
    let result = try await Tool()("inspect", "resnet8-digits")
    expectDone(result)
    #expect(result.output.contains("1 row, 1 column"))
    #expect(result.output.contains("bn6 is computed later"))
  }

  @Test("the JSON form has the same numbers")
  func json() async throws {
    let result = try await Tool()("inspect", "lenet5", "--json")
    expectDone(result)
    let inspection = try JSONDecoder().decode(Inspection.self, from: Data(result.output.utf8))
    #expect(inspection.parameters == 61_706)
    #expect(inspection.multiplyAdds == 416_520)
    #expect(inspection.layers.count == 12)
    #expect(inspection.layers[2].shape == [6, 14, 14])
    #expect(inspection.layers[2].group == "conv1_relu1_pool1")
    let axis = ReceptiveField.Axis(first: -2, last: 11, jump: 2)
    #expect(inspection.layers[3].receptiveField == .pixels(vertical: axis, horizontal: axis))
    #expect(inspection.layers[3].axes == ["C", "H", "W"])
    #expect(inspection.layers[3].weights == 2_400 && inspection.layers[3].biases == 16)
    #expect(inspection.layers[3].parameterFormula == "5·5·6·16 + 16")
    #expect(
      inspection.layers[0].sizeFormula == [
        "height 1 + (28 − 5 + 2 + 2)/1 = 28", "width 1 + (28 − 5 + 2 + 2)/1 = 28",
      ])
    #expect(inspection.depth == 5 && inspection.width == 400)
    #expect(inspection.layers[7].receptiveField == .everything)
    #expect(inspection.memory.map(\.mode) == ["inference", "training"])
    #expect(inspection.memory.allSatisfy { $0.arena >= $0.lowerBound && $0.lowerBound > 0 })
    #expect(inspection.memory[1].gradients == 4 * 61_706)
  }

  @Test("the JSON form has the documented keys and no others")
  func keys() async throws {
    let result = try await Tool()("inspect", "lenet5", "--json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(
      object.keys.sorted() == [
        "batch", "depth", "fusion", "inputs", "layers", "memory", "model", "multiply_adds",
        "output_bytes", "outputs", "parameters", "target", "trainable", "width",
      ])
    let layers = try #require(object["layers"] as? [[String: Any]])
    #expect(
      layers[0].keys.sorted() == [
        "axes", "biases", "depth", "family", "frozen", "group", "inputs", "lost_pixels",
        "multiply_adds", "name", "output_bytes", "parameter_formula", "parameters",
        "receptive_field", "settings", "shape", "size_formula", "statistics", "training_group",
        "weights",
      ])
    let field = try #require(layers[0]["receptive_field"] as? [String: Any])
    #expect(field.keys.sorted() == ["jump", "size", "start"])
  }

  @Test("picture and page are files that need nothing else")
  func files() async throws {
    let tool = try Tool()
    let result = try await tool(
      "inspect", "resnet8-digits", "--svg", "pictures/net.svg", "--html", "net.html", "--quiet")
    expectDone(result)
    for text in [try tool.text("pictures/net.svg"), try tool.text("net.html")] {
      #expect(text.contains("<svg xmlns"))
      #expect(text.contains(">conv1</text>"))
      for outside in ["href", " src=", "url(", "@import", "fetch("] {
        #expect(!text.contains(outside))
      }
    }
    #expect(XMLParser(data: Data(try tool.text("pictures/net.svg").utf8)).parse())
    let page = try tool.text("net.html")
    #expect(page.contains("<table>"))
    #expect(page.contains("height 1 + (8 − 3 + 1 + 1)/1 = 8"))
    #expect(page.contains("what the middle value of conv2 sees"))
    #expect(page.matches(of: /<section class="detail"/).count == 32)
  }

  @Test("what is seldom meant is a warning on standard error, with line and way out")
  func warnings() async throws {
    let tool = try Tool()
    try tool.write(
      """
      convc: 1
      name: net
      inputs: {image: [6]}
      layers:
        fc1: {layer: Dense, outputs: 5}
        fc2: {layer: Dense, outputs: 3}
      outputs: {scores: fc2}
      losses:
        loss: {loss: SoftmaxCrossEntropy, output: scores, target: label}

      """, to: "net.yaml")
    let warning =
      "warning: fc2 (net.yaml:6): follows fc1 without an activation between: together they are one "
      + "linear map; put ReLU() between them, or leave fc1 out"
    let inspect = try await tool("inspect", "net.yaml")
    #expect(inspect.status == 0)
    #expect(inspect.errorLines == [warning])
    let build = try await tool("build", "net.yaml", "-o", "out", "--target", "generic")
    #expect(build.status == 0 && build.errorLines.contains(warning), "\(build)")
    expectDone(try await tool("inspect", "net.yaml", "--quiet"))
  }

  @Test("files that cannot be written, and one name for two")
  func badFiles() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("inspect", "lenet5", "--svg", "a", "--html", "a"), 64,
      "--svg and --html name one file; name two; see 'convc inspect --help'")
    try tool.write("x", to: "file")
    expectRefusal(
      try await tool("inspect", "lenet5", "--svg", "net.svg", "--html", "file/net.html"), 73,
      containing: "file/net.html cannot be written")
    #expect(tool.folder.names == ["file"])
  }
}

@Suite("The picture of a network")
struct InspectionPictureTests {
  private func inspection(_ name: String) throws -> Inspection {
    let model = Model(name) { graph in
      let image = graph.input("image", [4, 9, 7])
      let left = image.conv2d(4, kernelSize: Size2D(height: 3, width: 1), padding: 0)
      let right = image.conv2d(4, kernelSize: Size2D(height: 3, width: 1), stride: 1)
      graph.output("output", left.add(right).relu())
    }
    return Inspection(
      try model.compile(BuildOptions(batch: 2, trains: false, target: .generic, name: "net")))
  }

  @Test("names are escaped in every form")
  func escapes() throws {
    let inspection = try inspection("<b>&\"'\u{1}")
    for text in [inspection.svg, inspection.html] {
      #expect(!text.contains("<b>"))
      #expect(text.contains("&lt;b&gt;&amp;&quot;&#39;"))
      #expect(!text.contains("\u{1}"))
    }
  }

  @Test("branches stand side by side, and windows count each axis by itself")
  func branches() throws {
    let inspection = try inspection("net")
    let layers = inspection.svg.matches(of: /<g class="layer f-([a-z]+)"/).map { String($0.1) }
    #expect(layers == ["input", "convolution", "convolution", "merge", "activation"])
    #expect(inspection.layers[0].receptiveField.sizeText() == "3x1")
    #expect(inspection.memory.count == 1)
  }

  @Test("an activation is drawn with its derivative")
  func activation() async throws {
    let tool = try Tool()
    let result = try await tool("inspect", "sigmoid", "--svg", "sigmoid.svg")
    #expect(result.status == 0)
    #expect(result.output.contains("Sigmoid"))
    #expect(result.output.contains("0.0000  0.5000      0.2500"))
    #expect(try tool.text("sigmoid.svg").contains("Sigmoid and its derivative"))
    let refused = try await tool("inspect", "sigmoid", "--json")
    #expect(refused.status == 64)
  }
}
