import Convc
import ConvcTestSupport
import Testing

@Suite("Reshape")
struct ReshapeTests {
  static let cases = [
    LayerCase("reshape", Reshape([6, -1, 5]), inputs: [3, 3, 4, 5]),
    LayerCase("reshape_blocks", Reshape([4, 16, 3]), inputs: [1, 32, 2, 3], maximumBatch: 2),
    LayerCase("reshape_features", Reshape([2, 3, 4]), inputs: [2, 24]),
    LayerCase("reshape_sequence", Reshape([-1]), inputs: [2, 3, 7]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("maps read as other maps between convolutions")
  func between() async throws {
    try await expectAgreement(
      of: Model("between") { graph in
        let x = graph.input("x", [2, 4, 6]).conv2d(32, kernelSize: 3, padding: 1).relu()
        let y = x.reshape([16, 8, 6]).relu().conv2d(16, kernelSize: 3)
        graph.output("y", y)
        graph.loss(MeanSquaredError(), on: "y", target: "target")
      }, batch: 3)
  }

  @Test("shapes that do not fit are refused")
  func errors() {
    #expect(
      message(of: Reshape([2, 3]), on: [1, 7])
        == "the 7 values of an image of 1x7 do not make 2x3; the extents have to multiply to 7")
    #expect(
      message(of: Reshape([2, -1]), on: [1, 7])
        == "the 7 values of an image of 1x7 do not make 2x-1; the extents have to divide 7")
    #expect(
      message(of: Reshape([-1, -1]), on: [1, 7])
        == "[-1, -1] is no shape of an image; one to four extents of at least 1 are, of which one may be -1"
    )
  }
}
