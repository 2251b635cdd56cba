import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

@Suite("Models of other people")
struct ModelFilesTests {
  /// Nodes in the file, and those left when constants are folded and dead ones removed.
  static let networks = [
    ("ch_PP-OCRv4_det_infer", 672, 330),
    ("ch_ppocr_mobile_v2.0_cls_infer", 566, 239),
    ("mnist-8", 12, 11),
    ("mtcnn-onet", 24, 24),
    ("mtcnn-pnet", 13, 13),
    ("mtcnn-rnet", 19, 19),
    ("nanodet_m", 225, 225),
    ("resnet20-cifar10", 73, 73),
    ("resnet56-cifar10", 199, 199),
    ("super_resolution", 12, 10),
    ("version-RFB-320", 242, 195),
  ]

  @Test(
    "trained networks read, and what constants and input shapes say is folded",
    .enabled(if: TestFiles.data("onnx-models") != nil, "\(TestFiles.dataHint)"), arguments: networks
  )
  func trained(name: String, nodes: Int, left: Int) throws {
    let folder = try #require(TestFiles.data("onnx-models"))
    let graph = try ONNXFile.read("\(folder)/\(name).onnx")
    #expect(graph.nodes.count == nodes)
    let folded = try FoldConstants().run(try BindDimensions(dims: [:]).run(graph).graph)
    #expect(folded.nodes.count == left)
    for tensor in folded.initializers.values { _ = try tensor.bytes() }
  }
}
