import Convc
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

/// Networks become ONNX models: what onnxruntime makes of them, what import makes of them, and what their files say.
@Suite("Export")
struct ExportTests {
  /// The largest difference, relative to the largest value.
  private func difference(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let largest = b.reduce(1e-30) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
  }

  private func read(_ model: ExportedModel) throws -> ONNXGraph {
    try ONNXFile.read(bytes: model.bytes)
  }

  // MARK: Layers

  @Test("each layer of the registry can be exported")
  func registry() {
    for type in LayerRegistry.layers {
      #expect(type is any ExportableLayer.Type, "\(type.registeredName)")
    }
  }

  @Test(
    "a layer's operators compute in onnxruntime what the layer does", arguments: ExportedLayer.all)
  func layer(_ layer: ExportedLayer) throws {
    // For Tests/Fixtures/onnx/make_layers.py, which runs the models.
    if let folder = ProcessInfo.processInfo.environment["CONVC_ONNX_EXPORTS"] {
      try layer.exported.write(to: "\(folder)/\(layer.name).onnx")
      for (index, values) in layer.values.enumerated() {
        try values.withUnsafeBytes { Data($0) }.write(
          to: URL(filePath: "\(folder)/\(layer.name).x\(index).bin"))
      }
    }
    let fixture = try TensorFile(path: TestFiles.fixtures + "onnx/layers.safetensors")
    let expected = try fixture[layer.name].values.map(Double.init)
    #expect(difference(try layer.outputs, expected) < 1e-5)
  }

  @Test("an exported layer that is imported is the same function", arguments: ExportedLayer.all)
  func roundTrip(_ layer: ExportedLayer) throws {
    let graph = try read(layer.exported)
    let conversion = ConvertOperators(dims: ["N": layer.batch])
    if let problem = layer.importProblem {
      #expect(throws: ONNXError.self, "\(problem)") { try conversion.run(graph) }
      return
    }
    let model = try conversion.run(graph).model
    #expect(!model.isUnbatched)
    let outputs = try ExportedLayer.outputs(of: model, layer.values, batch: layer.batch)
    #expect(difference(outputs, try layer.outputs) < 1e-6)
  }
}
