import Convc
import Testing

@testable import ConvcLayers

@Suite("Same padding")
struct SamePaddingTests {
  private func cells(_ kernel: Size2D, dilation: Size2D = 1) -> [Int] {
    let padding = Window2D(kernelSize: kernel, padding: .same, dilation: dilation).padding
    return [padding.top, padding.bottom, padding.left, padding.right]
  }

  @Test("odd windows get (K − 1)/2 on each side, even ones one more behind")
  func split() {
    #expect(cells(1) == [0, 0, 0, 0])
    #expect(cells(3) == [1, 1, 1, 1])
    #expect(cells(5) == [2, 2, 2, 2])
    #expect(cells(Size2D(height: 2, width: 4)) == [0, 1, 1, 2])
    #expect(cells(3, dilation: 2) == [2, 2, 2, 2])
    #expect(Window2D(kernelSize: 3, padding: .same) == Window2D(kernelSize: 3, padding: 1))
  }

  @Test("the output has ⌈W/S⌉ cells", arguments: 1...4, 1...7)
  func size(stride: Int, kernel: Int) throws {
    for width in 1...12 {
      let layer = Conv2D(
        outputChannels: 2, kernelSize: Size2D(kernel), stride: Size2D(stride), padding: .same)
      let output = try layer.output(for: [TensorType(shape: [1, 1, width, width])])
      #expect(output.shape == [1, 2, (width + stride - 1) / stride, (width + stride - 1) / stride])
    }
  }

  @Test("a transposed convolution makes S·W cells", arguments: 1...4, 1...7)
  func transposed(stride: Int, kernel: Int) throws {
    let layer = ConvTranspose2D(
      outputChannels: 2, kernelSize: Size2D(kernel), stride: Size2D(stride), padding: .same)
    let output = try layer.output(for: [TensorType(shape: [1, 1, 5, 3])])
    #expect(output.shape == [1, 2, 5 * stride, 3 * stride])
  }

  @Test("pooling keeps the size as well")
  func pooling() throws {
    let input = TensorType(shape: [1, 2, 7, 6])
    for kernel in 1...4 {
      let maximum = MaxPool2D(kernelSize: Size2D(kernel), stride: 1, padding: .same)
      #expect(try maximum.output(for: [input]) == input)
      let mean = AveragePool2D(kernelSize: Size2D(kernel), stride: 1, padding: .same)
      #expect(try mean.output(for: [input]) == input)
    }
  }

  @Test("model files say same, or the cells")
  func settings() throws {
    let values: [String: SettingValue] = [
      "outputChannels": .integer(2), "kernelSize": .integer(4), "padding": .word("same"),
      "initializer": .word("uniform 0.05"), "biasInitializer": .word("constant 1.0"),
    ]
    let layer = try Conv2D(settings: Settings(values, specs: Conv2D.settings))
    #expect(layer.window.padding == Padding(top: 1, bottom: 2, left: 1, right: 2))
    #expect(layer.initializer == .uniform(bound: 0.05))
    #expect(layer.biasInitializer == .constant(1))
    let error = #expect(throws: SettingError.self) {
      try Dense(
        settings: Settings(
          ["outputs": .integer(3), "initializer": .word("he")], specs: Dense.settings))
    }
    #expect(
      error?.description
        == "has initializer: he; zero, standard_normal, lecun_normal, glorot_normal, glorot_uniform, "
        + "he_normal, he_uniform, constant VALUE, normal DEVIATION or uniform BOUND is expected")
  }

  @Test("initializers read back from their texts")
  func texts() {
    for initializer: Initializer in [
      .zero, .constant(0.5), .standardNormal, .normal(deviation: 0.1), .uniform(bound: 0.05),
      .lecunNormal, .glorotNormal, .glorotUniform, .heNormal, .heUniform,
    ] {
      #expect(Initializer(text: initializer.text) == initializer)
    }
    #expect(Initializer(text: "uniform") == nil)
    #expect(Initializer(text: "triangular 2") == nil)
  }

  @Test("weights and bias start as the layer says, and a bad setting names the layer")
  func initializers() throws {
    let model = Model("net", input: [2, 6, 6], loss: SoftmaxCrossEntropy()) {
      Conv2D(
        outputChannels: 3, kernelSize: 3, initializer: .constant(0.25),
        biasInitializer: .constant(-1)
      ).named("conv")
      ConvTranspose2D(
        outputChannels: 2, kernelSize: 2, initializer: .uniform(bound: 0.1),
        biasInitializer: .uniform(bound: 0.5)
      ).named("up")
      Flatten()
      Dense(outputs: 3, initializer: .glorotNormal, biasInitializer: .constant(2)).named("last")
    }
    let graph = try model.compile(BuildOptions(batch: 1, target: .generic)).graph
    let block = try Initialization(seed: 3).parameters(of: graph)
    func values(_ name: String) throws -> [Float] {
      let parameter = try #require(graph.parameters.first { $0.name == name })
      return Array(block[parameter.offset..<parameter.offset + parameter.spec.count])
    }
    #expect(try values("conv.weight").allSatisfy { $0 == 0.25 })
    #expect(try values("conv.bias") == [-1, -1, -1])
    #expect(try values("up.weight").allSatisfy { abs($0) < 0.1 })
    #expect(try values("up.bias").contains { abs($0) > 0.1 })
    #expect(try values("last.bias") == [2, 2, 2])

    let wrong = Model("net", input: [4], loss: SoftmaxCrossEntropy()) {
      Dense(outputs: 3, initializer: .uniform(bound: -1)).named("fc")
    }
    let error = #expect(throws: CompileError.self) { try wrong.compile() }
    #expect(error?.diagnostics.first?.layer == "fc")
    #expect(
      error?.diagnostics.first?.message
        == "its weight: bound -1.0 of uniform initial values is out of range; a finite one above 0 "
        + "is expected, or .constant(0)")
  }
}
