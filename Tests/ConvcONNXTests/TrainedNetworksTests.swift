import Convc
import ConvcTestSupport
import Foundation
import Testing

/// Trained networks of other people, compiled, against what another runtime computed from the same inputs.
@Suite("Trained ONNX networks")
struct TrainedNetworksTests {
  struct Network: Sendable, CustomTestStringConvertible {
    let name: String
    /// Extents that the file leaves open.
    var dims: [String: Int] = [:]
    var outputs = 1
    var testDescription: String { name }
  }

  static let networks = [
    Network(name: "ch_PP-OCRv4_det_infer", dims: ["x.2": 192, "x.3": 384]),
    Network(name: "ch_ppocr_mobile_v2.0_cls_infer", dims: ["x.0": 2, "x.2": 48, "x.3": 192]),
    Network(name: "mnist-8"),
    Network(name: "mtcnn-onet", outputs: 3),
    Network(name: "mtcnn-pnet", outputs: 2),
    Network(name: "mtcnn-rnet", outputs: 2),
    Network(name: "nanodet_m", outputs: 6),
    Network(name: "resnet20-cifar10", dims: ["N": 16]),
    Network(name: "resnet56-cifar10", dims: ["N": 16]),
    Network(name: "super_resolution"),
    Network(name: "version-RFB-320", outputs: 2),
  ]

  @Test(
    "outputs are the stored ones within 1e-4 of the largest",
    .enabled(if: TestFiles.data("onnx-models") != nil, "\(TestFiles.dataHint)"), arguments: networks
  )
  func outputs(network: Network) async throws {
    let folder = try #require(TestFiles.data("onnx-models"))
    let graph = try ONNXFile.read("\(folder)/\(network.name).onnx")
    let input = try NumPyFile(path: "\(folder)/reference/\(network.name).input0.npy.gz")
    var dims = network.dims
    // Networks that take images of any size get the stored one's.
    for (axis, dim) in (graph.inputs[0].dims ?? []).enumerated() where axis < input.shape.count {
      switch dim {
      case .fixed: break
      case .symbol(let name): dims[name] = dims[name] ?? input.shape[axis]
      case .unknown: dims["\(graph.inputs[0].name).\(axis)"] = input.shape[axis]
      }
    }
    let imported = try ConvertOperators(dims: dims).run(graph)
    let compilation = try imported.model.compile(BuildOptions(trains: false))
    let session = try Session(try await compilation.load())
    try session.withParameters { try Initialization(seed: 0).fill($0, of: compilation.graph) }
    let batch = session.program.batches.upperBound
    let results = try session.forward(inputs: [input.values], batch: batch)
    #expect(results.count == network.outputs)
    for (index, result) in results.enumerated() {
      let expected = try NumPyFile(
        path: "\(folder)/reference/\(network.name).output\(index).npy.gz")
      #expect(session.program.outputs[index].shape == expected.shape)
      let comparison = Comparison(result.floats, expected.values.floats, atLeast: 1)
      #expect(comparison.isWithin(1e-4), "output \(index): \(comparison)")
    }
  }
}
