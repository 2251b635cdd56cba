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

  /// Writes a model and its inputs where Tests/Fixtures/onnx/make_layers.py runs them; nowhere, if no folder is given.
  ///
  /// - Parameter outputs: what it computes, where the script compares.
  private func keep(
    _ model: ExportedModel, _ name: String, inputs: [[Float]], outputs: [[Double]] = []
  ) throws {
    guard let folder = ProcessInfo.processInfo.environment["CONVC_ONNX_EXPORTS"] else { return }
    try model.write(to: "\(folder)/\(name).onnx")
    let arrays =
      inputs.enumerated().map { ("x\($0.offset)", $0.element) }
      + outputs.enumerated().map { ("y\($0.offset)", $0.element.map(Float.init)) }
    for (array, values) in arrays {
      try values.withUnsafeBytes { Data($0) }.write(
        to: URL(filePath: "\(folder)/\(name).\(array).bin"))
    }
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
    try keep(try layer.exported, layer.name, inputs: layer.values)
    let fixture = try TensorFile(path: TestFiles.fixtures + "onnx/layers.safetensors")
    let expected = try fixture[layer.name].values.map(Double.init)
    #expect(difference(try layer.outputs, expected) < 1e-5)
  }

  @Test("an exported layer that is imported is the same function", arguments: ExportedLayer.all)
  func roundTrip(_ layer: ExportedLayer) throws {
    let graph = try read(layer.exported)
    // Scattering is no operator that is read.
    guard layer.name != "MaxUnpool2D-overlap" else { return }
    let model = try ConvertOperators(dims: layer.isUnbatched ? [:] : ["N": layer.batch])
      .run(graph).model
    // Places of maxima count through all images.
    #expect(model.isUnbatched == (layer.isUnbatched || layer.layer is MaxUnpool2D))
    let outputs = try ExportedLayer.outputs(of: model, layer.values, batch: layer.batch)
    #expect(difference(outputs, try layer.outputs) < 1e-6)
  }

  @Test("random networks come back as the same functions", arguments: 0..<40 as Range<UInt64>)
  func randomNetwork(seed: UInt64) throws {
    let network = try RandomNetwork(seed: seed)
    // Loop nests, which random networks have as well, are refused by name.
    guard network.model.nodes.allSatisfy({ $0.layer is any ExportableLayer }) else { return }
    let graph = try InferShapes(batch: 1, memoryLimit: 1 << 30).run(network.model)
    let exported = try ConvertLayers().run(graph, parameters: network.parameters)
    let inputs = network.sample.inputs
    try keep(exported, "random-\(seed)", inputs: inputs, outputs: network.inferred)
    guard !network.model.nodes.contains(where: { $0.layer is MaxUnpool2D }) else { return }
    let batch = network.sample.batch
    let isUnbatched = network.model.isUnbatched
    let imported = try ConvertOperators(dims: isUnbatched ? [:] : ["N": batch])
      .run(try read(exported)).model
    #expect(imported.isUnbatched == isUnbatched)
    let again = try InferShapes(batch: batch, memoryLimit: 1 << 30).run(imported)
    let parameters = try Initialization(seed: 0).parameters(of: again).map(Double.init)
    let outputs = try ReferenceNetwork(again).infer(
      parameters: parameters, ReferenceSample(batch: batch, inputs: inputs))
    for (found, expected) in zip(outputs, network.inferred) {
      #expect(difference(found, expected) < 1e-5, "\(network)")
    }
  }

  // MARK: Presets

  /// Images that make a preset's round trip quick.
  private static let sizes: [String: [Int]] = [
    "vgg16": [3, 32, 32], "alexnet": [3, 67, 67], "fcn-alexnet": [3, 67, 67],
  ]

  @Test(
    "a preset that is exported and imported has the same layers and weights", arguments: Preset.all)
  func preset(_ preset: Preset) throws {
    let model = preset.make(Self.sizes[preset.name])
    let exported = try model.onnx(seed: 5)
    // Its unpooling is written by the places of maxima.
    guard preset.name != "segnet" else { return }
    let imported = try ConvertOperators().run(try read(exported)).model
    #expect(lines(of: imported) == lines(of: model))
    let (before, after) = (try block(of: model), try block(of: imported))
    #expect(before.allSatisfy { after[$0.key] == $0.value })
  }

  @Test(
    "its C is the same text", arguments: ["lenet5", "resnet8-digits", "resnet50", "mobilenetv2"])
  func code(name: String) throws {
    let preset = try #require(Preset.named(name))
    let size = preset.input[1] > 64 ? [3, 64, 64] : preset.input
    func text(_ model: Model) throws -> [String] {
      let options = BuildOptions(batch: 2, trains: false, target: .x86v4)
      return try model.compile(options).files().all.map(\.text)
    }
    let model = preset.make(size)
    let imported = try ConvertOperators().run(try read(model.onnx())).model
    #expect(try text(imported) == text(model))
  }

  /// A network's layers with their names and inputs, without those that do nothing in inference. Mean-variance
  /// normalisation of maps comes back as instance norm that scales by 1.
  private func lines(of model: Model) -> [String] {
    let dropped = Dictionary(
      model.nodes.filter { $0.layer is Dropout }.map { ($0.name, $0.inputs[0]) },
      uniquingKeysWith: { first, _ in first })
    func source(_ name: String) -> String { dropped[name].map(source) ?? name }
    let nodes = model.nodes.filter { !($0.layer is Dropout) }.map { node in
      "\(node.name): \(summary(node.layer)) of \(node.inputs.map(source).joined(separator: ", "))"
    }
    return nodes + model.outputs.map { "\($0.label ?? $0.name): \(source($0.node))" }
  }

  private func summary(_ layer: any Layer) -> String {
    switch layer {
    case is MeanVarianceNorm: InstanceNorm().summary
    // An extent that follows from the others is a number in the file.
    case is Reshape: Reshape.kind
    default: layer.summary
    }
  }

  /// Bits of all parameters.
  private func block(of model: Model) throws -> [String: Int] {
    let graph = try InferShapes(batch: 1, memoryLimit: 8 << 30).run(model)
    let values = try Initialization(seed: 5).parameters(of: graph)
    return Dictionary(
      graph.parameters.map { parameter in
        let range = parameter.offset..<parameter.offset + parameter.spec.count
        var hasher = Hasher()
        values[range].withUnsafeBytes { hasher.combine(bytes: $0) }
        return (parameter.name, hasher.finalize())
      }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: Files

  @Test("names, types and versions of a file")
  func file() throws {
    let model = Model("net") { graph in
      let x = graph.input("x", [2, 4, 4], label: "pixels/0")
      let a = x.conv2d(3, kernelSize: 3, name: "first").relu(name: "x2")
      graph.output("y", a.flatten().dense(2, name: "last"), label: "scores: all")
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "labels")
    }
    let bytes = try model.onnx(batch: .symbol("images")).bytes
    let proto = try Onnx_ModelProto(serializedBytes: bytes)
    #expect(proto.opsetImport.map(\.version) == [20])
    #expect(proto.irVersion == 9)
    #expect(proto.graph.input.map(\.name) == ["pixels/0"])
    #expect(proto.graph.output.map(\.name) == ["scores: all"])
    #expect(proto.graph.input[0].type.tensorType.shape.dim[0].dimParam == "images")
    #expect(proto.graph.node.map(\.opType) == ["Conv", "Relu", "Flatten", "Gemm"])
    #expect(
      proto.graph.initializer.map(\.name) == [
        "first.weight", "first.bias", "last.weight", "last.bias",
      ])
    #expect(proto.graph.valueInfo.map(\.name) == ["first", "x2", "flatten1"])
    // The same network gives the same bytes.
    #expect(try model.onnx(batch: .symbol("images")).bytes == bytes)
    let fixed = try Onnx_ModelProto(serializedBytes: model.onnx(batch: .fixed(4)).bytes)
    #expect(fixed.graph.output[0].type.tensorType.shape.dim.map(\.dimValue) == [4, 2])
  }

  @Test("names that meet are told apart, and a tensor can be an output twice")
  func names() throws {
    let model = Model("net") { graph in
      let x = graph.input("x", [3])
      let a = x.dense(2, name: "y")
      graph.output("first", a)
      graph.output("second", a, label: "y.weight")
      graph.output("third", a.relu(), label: "y")
    }
    let proto = try Onnx_ModelProto(serializedBytes: model.onnx().bytes)
    #expect(proto.graph.output.map(\.name) == ["first", "y.weight", "y"])
    #expect(proto.graph.initializer.map(\.name) == ["y.weight_2", "y.bias"])
    #expect(proto.graph.node.map(\.opType) == ["Gemm", "Relu", "Identity"])
  }

  @Test("a network with whole shapes keeps them")
  func unbatched() throws {
    let builder = ModelBuilder(name: "whole", isUnbatched: true)
    let x = builder.input("x", [2, 3, 4])
    builder.output("y", builder.apply(ReshapeAll([6, 4]), to: [x]))
    let proto = try Onnx_ModelProto(serializedBytes: builder.model.onnx().bytes)
    #expect(proto.graph.input[0].type.tensorType.shape.dim.map(\.dimValue) == [2, 3, 4])
    #expect(proto.graph.output[0].type.tensorType.shape.dim.map(\.dimValue) == [6, 4])
  }

  private struct Unknown: Layer {
    static let kind = "unknown"
    func output(for inputs: [TensorType]) throws(LayerError) -> TensorType { inputs[0] }
    func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
  }

  @Test("layers without operators are named, all at once")
  func unknownLayers() {
    let model = Model("net") { graph in
      let x = graph.input("x", [3])
      graph.output("y", x.apply(Unknown(), name: "a").relu().apply(Unknown(), name: "b"))
    }
    #expect(
      message { _ = try model.onnx() }
        == "net: has layers that cannot be written as operators of ONNX: a (Unknown), b (Unknown); "
        + "replace them, or build C of the network")
  }

  @Test("weights beyond what a file holds are refused")
  func tooLarge() {
    var model = Onnx_ModelProto()
    model.graph.name = "huge"
    let tensor = ExportedTensor(
      name: "w", dims: [1 << 29], values: .parameters(0..<1 << 29))
    #expect(
      message { _ = try ExportedModel(model, tensors: [tensor], parameters: []) }
        == "huge: takes 2048 MiB, an ONNX file holds up to 2047; export a smaller network, "
        + "or keep its weights as safetensors")
  }
}
