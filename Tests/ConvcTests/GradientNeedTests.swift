import ConvcReference
import ConvcTestSupport
import Testing

@testable import Convc

/// An activation with ReLU's values, which says that its gradient needs its input, as GELU's and SiLU's do.
private struct InputReLU: ReferenceLayer {
  static let kind = "act"

  var summary: String { "InputReLU" }

  func output(for inputs: [TensorType]) throws(LayerError) -> TensorType { inputs[0] }

  func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "relu", backwardTemplate: "relu_backward", hasVectorForm: true,
        gradientNeed: .input))
  }

  func forward(_ call: LayerCall) -> LayerResult { ReLU().forward(call) }

  func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    ReLU().backward(call, outputGradient: outputGradient)
  }
}

@Suite("Gradients that need the input of an activation")
struct GradientNeedTests {
  private static func model(_ name: String, body: (Value) -> Value) -> Model {
    Model(name) { graph in
      let x = body(graph.input("x", [3, 6, 6]).conv2d(16, kernelSize: 3, padding: 1))
      graph.output("y", x.globalAveragePool().flatten().dense(3))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "label")
    }
  }

  private static let afterConvolution = model("after_convolution") { x in
    x.apply(InputReLU()).dropout(0.25).conv2d(16, kernelSize: 3, padding: 1)
  }

  private static let afterNormalisation = model("after_normalisation") { x in
    x.batchNorm().apply(InputReLU()).add(x).conv2d(16, kernelSize: 1)
  }

  private func groups(_ model: Model, _ mode: Mode) throws -> [String] {
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 30).run(model)
    return Fuse(mode: mode).run(graph).groups.map(\.name)
  }

  @Test("it begins a group whose input is stored, and what follows joins it")
  func ownGroup() throws {
    #expect(
      try groups(Self.afterConvolution, .training).prefix(3)
        == ["conv1", "act1_dropout1", "conv2"])
    #expect(try groups(Self.afterConvolution, .inference).prefix(2) == ["conv1_act1", "conv2"])
  }

  @Test("it joins a batch norm, which computes its output again")
  func afterBatchNorm() throws {
    #expect(
      try groups(Self.afterNormalisation, .training).prefix(3)
        == ["conv1", "bn1_act1_add1", "conv2"])
  }

  @Test("values and gradients are the reference's in every way to compile")
  func values() async throws {
    try await RandomNetworkTests().expectAgreement([
      ("conv", try RandomNetwork(Self.afterConvolution, batch: 3)),
      ("norm", try RandomNetwork(Self.afterNormalisation, batch: 17)),
    ])
  }
}
