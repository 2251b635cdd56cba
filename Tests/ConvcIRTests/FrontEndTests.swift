import ConvcIR
import ConvcLayers
import Testing

@Suite("Front end")
struct FrontEndTests {
  @Test("a list and a graph give the same model")
  func listAndGraphAgree() {
    let list = Model("small", input: [1, 8, 8], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 4, kernelSize: 3)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Flatten()
      Dense(outputs: 10)
    }
    let graph = Model("small") { graph in
      let image = graph.input("image", [1, 8, 8])
      let maps = image.conv2d(4, kernelSize: 3).relu().maxPool(2)
      graph.output("output", maps.flatten().dense(10))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
    #expect(list.description == graph.description)
  }

  @Test("layers without a name are numbered by kind, past names that are taken")
  func numbering() {
    let model = Model("names", input: [1, 4, 4]) {
      Conv2D(outputChannels: 1, kernelSize: 1)
      Conv2D(outputChannels: 1, kernelSize: 1).named("conv2")
      Conv2D(outputChannels: 1, kernelSize: 1)
      for _ in 0..<2 { ReLU() }
    }
    #expect(model.nodes.map(\.name) == ["conv1", "conv2", "conv3", "relu1", "relu2"])
  }

  @Test("each layer knows the line that made it")
  func locations() {
    let line = #line
    let model = Model("lines", input: [1, 4, 4]) {
      ReLU()
      Conv2D(outputChannels: 1, kernelSize: 1).named("last")
    }
    #expect(model.nodes.map(\.location?.line) == [line + 2, line + 3])
    #expect(model.nodes[0].location?.file == "ConvcIRTests/FrontEndTests.swift")
  }

  @Test("layers can be frozen in both forms")
  func frozen() {
    let list = Model("frozen", input: [4]) { Dense(outputs: 2).frozen().named("head") }
    #expect(list.nodes[0].isFrozen && list.nodes[0].name == "head")
    let graph = Model("frozen") { graph in
      graph.output("y", graph.input("x", [4]).dense(2, frozen: true))
    }
    #expect(graph.nodes[0].isFrozen)
  }
}
