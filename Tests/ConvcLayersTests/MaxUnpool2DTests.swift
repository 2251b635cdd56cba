import Convc
import ConvcReference
import ConvcTestSupport
import Testing

@Suite("MaxUnpool2D")
struct MaxUnpool2DTests {
  static let cases = [
    LayerCase(
      "maxunpool2d", MaxUnpool2D(kernelSize: 2), inputs: [3, 2, 2, 3], [3, 2, 5, 7]),
    LayerCase(
      "maxunpool2d_overlapping", MaxUnpool2D(kernelSize: 3, stride: 2), inputs: [1, 16, 2, 3],
      [1, 16, 5, 7], maximumBatch: 2),
    LayerCase(
      "maxunpool2d_padded",
      MaxUnpool2D(
        kernelSize: Size2D(height: 2, width: 3), stride: Size2D(height: 3, width: 2),
        padding: Padding(top: 0, bottom: 1, left: 2, right: 0), rounding: .ceil),
      inputs: [2, 3, 3, 3], [2, 3, 7, 5]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  private func forward(_ layer: MaxUnpool2D, _ values: DoubleTensor, _ map: DoubleTensor) throws
    -> [Double]
  {
    let graph = try InferShapes(batch: 1, memoryLimit: 1 << 28).run(
      Model("unpool") { graph in
        let inputs = [values, map].enumerated().map {
          graph.input("x\($0)", Array($1.shape.dropFirst()))
        }
        graph.output("y", graph.apply(layer, to: inputs))
      })
    return layer.forward(
      LayerCall(
        node: graph.nodes[0], inputs: [values, map], parameters: [], outputShape: map.shape,
        options: PassOptions())
    ).output.values
  }

  @Test("values go back to the winners; the first of equal cells wins")
  func winners() throws {
    let map = DoubleTensor(shape: [1, 1, 2, 4], [1, 5, 7, 7, 2, 3, 7, 0] as [Double])
    let values = DoubleTensor(shape: [1, 1, 1, 2], [10, 20] as [Double])
    #expect(try forward(MaxUnpool2D(kernelSize: 2), values, map) == [0, 10, 20, 0, 0, 0, 0, 0])
  }

  @Test("values of windows that share a winner add up")
  func overlap() throws {
    let map = DoubleTensor(shape: [1, 1, 1, 3], [1, 5, 2] as [Double])
    let values = DoubleTensor(shape: [1, 1, 1, 2], [10, 20] as [Double])
    let layer = MaxUnpool2D(kernelSize: Size2D(height: 1, width: 2), stride: 1)
    #expect(try forward(layer, values, map) == [0, 30, 0])
  }

  @Test("an encoder and decoder as SegNet's: each unpooling has the switches of its pooling layer")
  func encoderAndDecoder() async throws {
    let model = Model("segnet") { graph in
      let first = graph.input("image", [2, 8, 12]).conv2d(16, kernelSize: 3, padding: 1)
        .batchNorm().relu()
      let pooled = first.maxPool(2)
      let second = pooled.conv2d(16, kernelSize: 3, padding: 1).relu()
      let deep = second.maxPool(2)
      let up = deep.unpool(like: deep).conv2d(16, kernelSize: 3, padding: 1).relu()
      graph.output("y", up.unpool(like: pooled).conv2d(2, kernelSize: 3, padding: 1))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "target")
    }
    #expect(model.nodes.map(\.name).filter { $0.hasPrefix("unpool") } == ["unpool1", "unpool2"])
    try await expectAgreement(of: model, batch: 2)
  }

  @Test("inputs that do not go together are refused")
  func errors() {
    let layer = MaxUnpool2D(kernelSize: 2)
    #expect(
      message(of: layer, on: [1, 2, 2, 2])
        == "expects two inputs, the values and the map that the pool read, got 1")
    #expect(
      message(of: layer, on: [1, 2, 2, 2], [1, 2, 6, 4])
        == "expects equal shapes, got 1x2x3x2 and 1x2x2x2; values need a place in each window of the pool's output"
    )
    #expect(
      message(of: MaxUnpool2D(of: ReLU()), on: [1, 2, 2, 2], [1, 2, 4, 4])
        == "unpool(like:) needs the result of maxPool, whose input shows where the maxima were; give that value"
    )
  }
}
