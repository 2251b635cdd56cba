import Convc
import ConvcTestSupport
import Testing

@Suite("Multiply")
struct MultiplyTests {
  static let cases = [
    LayerCase("multiply", Multiply(), inputs: [3, 2, 5, 7], [3, 2, 5, 7]),
    LayerCase(
      "multiply_gate", Multiply(), inputs: [1, 16, 3, 5], [1, 16, 1, 1], maximumBatch: 3),
    LayerCase(
      "multiply_three", Multiply(), inputs: [2, 3, 1, 1], [2, 3, 4, 3], [2, 3, 4, 3]),
    LayerCase("multiply_features", Multiply(), inputs: [5, 19], [5, 19]),
    LayerCase("multiply_sequence", Multiply(), inputs: [2, 4, 1], [2, 4, 9]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("the square of a value: both factors' gradients add up")
  func square() async throws {
    try await expectAgreement(
      of: Model("square") { graph in
        let x = graph.input("x", [2, 3, 4]).positionBias()
        graph.output("y", x.multiply(x))
        graph.loss(MeanSquaredError(), on: "y", target: "target")
      }, batch: 3)
  }

  @Test("squeeze and excitation: gates scale the maps that they were made from")
  func squeezeAndExcitation() async throws {
    try await expectAgreement(
      of: Model("excitation") { graph in
        let x = graph.input("x", [3, 6, 5]).conv2d(16, kernelSize: 3)
        let gates = x.globalAveragePool().conv2d(4, kernelSize: 1).relu().conv2d(16, kernelSize: 1)
        graph.output("y", x.multiply(gates.sigmoid()))
        graph.loss(MeanSquaredError(), on: "y", target: "target")
      }, batch: 2)
  }

  @Test("the largest input gives the shape")
  func shape() {
    #expect(outputShape(of: Multiply(), on: [2, 3, 1, 1], [2, 3, 4, 5]) == [2, 3, 4, 5])
  }

  @Test("inputs that do not go together are refused")
  func errors() {
    #expect(message(of: Multiply(), on: [2, 3]) == "expects at least two inputs, got 1")
    #expect(
      message(of: Multiply(), on: [2, 3, 4, 5], [2, 3, 4, 1])
        == "expects equal shapes, got 2x3x4x5 and 2x3x4x1; bring both to one shape, or one of them to a value a map, "
        + "as global pooling does")
  }
}
