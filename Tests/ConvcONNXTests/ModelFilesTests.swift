import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

@Suite("Models of other people")
struct ModelFilesTests {
  /// Nodes after constants are folded and dead ones removed.
  static let networks = [
    ("ch_PP-OCRv4_det_infer", 0), ("ch_ppocr_mobile_v2.0_cls_infer", 0), ("mnist-8", 0),
    ("mtcnn-onet", 0), ("mtcnn-pnet", 0), ("mtcnn-rnet", 0), ("nanodet_m", 0),
    ("resnet20-cifar10", 0), ("resnet56-cifar10", 0), ("super_resolution", 0),
    ("version-RFB-320", 0),
  ]

  @Test(
    "trained networks read, and what constants and input shapes say is folded",
    .enabled(if: TestFiles.data("onnx-models") != nil, "\(TestFiles.dataHint)"), arguments: networks
  )
  func trained(name: String, nodes: Int) throws {
    let folder = try #require(TestFiles.data("onnx-models"))
    let graph = try ONNXFile.read("\(folder)/\(name).onnx")
    let (bound, notes) = try BindDimensions(dims: [:]).run(graph)
    let folded = try FoldConstants().run(bound)
    print(name, graph.irVersion, graph.opsets, graph.nodes.count, folded.nodes.count, notes)
    print(folded.operatorCounts.map { "\($0.op) \($0.count)" }.joined(separator: ", "))
    for tensor in folded.initializers.values { _ = try tensor.bytes() }
  }
}
