import Convc
import ConvcTestSupport
import Testing

@Suite("PReLU")
struct PReLUTests {
  static let cases = [
    LayerCase("prelu", PReLU(), inputs: [3, 2, 5, 7]),
    LayerCase("prelu_shared", PReLU(isShared: true), inputs: [2, 16, 3, 3], maximumBatch: 5),
    LayerCase("prelu_features", PReLU(start: 0.1), inputs: [1, 19], maximumBatch: 3),
    LayerCase("prelu_sequence", PReLU(), inputs: [17, 3, 9]),
    LayerCase("prelu_blocks", PReLU(), inputs: [2, 32, 5, 3]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("has a slope of each channel, or one")
  func slopes() {
    let input = TensorType(shape: [4, 3, 5, 5])
    #expect(PReLU().parameters(for: [input])[0].shape == [3])
    let shared = PReLU(isShared: true).parameters(for: [input])[0]
    #expect(shared.shape == [1])
    #expect(shared.initializer == .constant(0.25))
    #expect(!shared.decays)
  }

  @Test("joins the convolution before it in inference, but not in training")
  func fusion() throws {
    for (trains, frozen, isJoined) in [
      (false, false, true), (true, false, false), (true, true, false),
    ] {
      let model = Model("net") { graph in
        let x = graph.input("x", [3, 6, 6])
        graph.output("y", x.conv2d(4, kernelSize: 3).prelu(frozen: frozen))
        graph.loss(MeanSquaredError(), on: "y", target: "z")
      }
      let programs = try model.compile(BuildOptions(batch: 2, trains: trains)).stages.programs
      let groups = programs[programs.count - 1].fused.groups.map(\.name)
      #expect(groups.contains("conv1_prelu1") == isJoined, "\(trains) \(frozen)")
    }
  }

  @Test("refuses a start that is no number")
  func start() {
    #expect(
      refusal {
        _ = try PReLU(start: .nan).output(for: [TensorType(shape: [1, 2])])
      } == "start nan is no slope; a finite number is expected, 0.25 is usual")
  }

  @Test("warns of a start outside 0...1, where it is not the larger of two lines")
  func lints() {
    let input = TensorType(shape: [1, 2])
    #expect(PReLU(start: 1).lints(for: [input], in: .training) == [])
    #expect(
      PReLU(start: -0.5).lints(for: [input], in: .training) == [
        "starts with a slope of -0.5, outside 0...1: it is x above 0 and slope · x elsewhere, "
          + "which is not max(slope · x, x) then; 0.25 is usual"
      ])
  }
}
