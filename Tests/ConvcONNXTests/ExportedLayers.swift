import Convc
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

/// A layer alone in a network that is exported: each example of the registry, and what else a layer can be.
struct ExportedLayer: Sendable, CustomTestStringConvertible {
  let name: String
  let layer: any Layer
  /// Extents with the batch first.
  let inputs: [[Int]]
  let needsPositive: Bool
  var testDescription: String { name }

  init(_ name: String, _ layer: any Layer, _ inputs: [Int]...) {
    self.init(name, layer, inputs: inputs)
  }

  private init(
    _ name: String, _ layer: any Layer, inputs: [[Int]], needsPositive: Bool = false
  ) {
    self.name = name
    self.layer = layer
    self.inputs = inputs
    self.needsPositive = needsPositive
  }

  static let all = examples + more

  private static let examples = LayerRegistry.layers.flatMap { type in
    type.examples.enumerated().map { index, example in
      ExportedLayer(
        "\(type.registeredName)-\(index + 1)", example.layer, inputs: example.inputs,
        needsPositive: example.needsPositive)
    }
  }

  private static let more = [
    ExportedLayer(
      "Conv2D-flipped",
      Conv2D(
        outputChannels: 4, kernelSize: Size2D(height: 2, width: 3),
        padding: Padding(top: 1, bottom: 0, left: 2, right: 1), groups: 2, kernel: .flipped),
      [2, 4, 5, 6]),
    ExportedLayer(
      "Conv2D-dilated",
      Conv2D(
        outputChannels: 3, kernelSize: 3, stride: Size2D(height: 2, width: 1), padding: 2,
        dilation: 2, bias: .none), [2, 2, 9, 7]),
    ExportedLayer(
      "Conv2D-places", Conv2D(outputChannels: 3, kernelSize: 2, bias: .perPosition), [2, 2, 5, 4]),
    ExportedLayer(
      "Conv1D-causal",
      Conv1D(outputChannels: 3, kernelSize: 3, padding: .causal, dilation: 2, kernel: .flipped),
      [2, 2, 9]),
    ExportedLayer(
      "ConvTranspose2D-output",
      ConvTranspose2D(
        outputChannels: 4, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2),
      [2, 4, 3, 4]),
    ExportedLayer(
      "MaxPool2D-ceil", MaxPool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil),
      [2, 3, 6, 7]),
    ExportedLayer(
      "AveragePool2D-ceil", AveragePool2D(kernelSize: 3, stride: 2, rounding: .ceil), [2, 3, 6, 8]),
    ExportedLayer(
      "AveragePool2D-padded", AveragePool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil),
      [2, 3, 6, 8]),
    ExportedLayer(
      "AveragePool2D-inside",
      AveragePool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil, countsPadding: false),
      [2, 3, 6, 7]),
    ExportedLayer(
      "MaxUnpool2D-overlap", MaxUnpool2D(kernelSize: 3, stride: 2), [2, 3, 2, 3], [2, 3, 5, 7]),
    ExportedLayer(
      "LocalResponseNorm-all",
      LocalResponseNorm(across: .channels(nil), alpha: 0.4, kappa: 2), [2, 5, 3, 4]),
    ExportedLayer(
      "LocalResponseNorm-zero", LocalResponseNorm(across: .channels(3), alpha: 0.4, kappa: 0),
      [2, 5, 3, 4]),
    ExportedLayer(
      "LocalResponseNorm-row", LocalResponseNorm(across: .space(3), alpha: 0.4), [2, 3, 7]),
    ExportedLayer("LayerNorm-features", LayerNorm(), [2, 7]),
    ExportedLayer("GroupNorm-sequence", GroupNorm(groups: 2), [2, 4, 7]),
    ExportedLayer(
      "MeanVarianceNorm-maps", MeanVarianceNorm(acrossChannels: true), [2, 3, 4, 5]),
    ExportedLayer("PReLU-shared", PReLU(isShared: true), [2, 3, 4, 5]),
    ExportedLayer("PReLU-features", PReLU(), [2, 6]),
    ExportedLayer("Softmax-maps", Softmax(axis: 1), [2, 3, 4, 5]),
    ExportedLayer("LogSoftmax-last", LogSoftmax(axis: -1), [2, 3, 4, 5]),
    ExportedLayer("Clip-above", Clip(minimum: -0.5), [2, 6]),
    ExportedLayer("Add-three", Add(), [2, 3, 4], [2, 3, 4], [2, 3, 4]),
    ExportedLayer("Multiply-three", Multiply(), [2, 3, 4, 5], [2, 3, 1, 1], [2, 3, 4, 5]),
    ExportedLayer("Slice-end", Slice(axis: 3, start: -4, end: -1, step: 2), [2, 3, 4, 5]),
    ExportedLayer("SpaceToDepth-crd", SpaceToDepth(blockSize: 2, order: .crd), [2, 3, 4, 6]),
    ExportedLayer("Upsample-row", Upsample(factor: Size2D(height: 1, width: 3)), [2, 3, 5]),
    ExportedLayer(
      "Upsample-corners",
      Upsample(
        factor: Size2D(height: 2, width: 3), interpolation: .bilinear, alignsCorners: true),
      [2, 3, 4, 5]),
    ExportedLayer(
      "Pad-sequence", Pad(padding: Padding(top: 0, bottom: 0, left: 2, right: 1)), [2, 3, 5]),
    ExportedLayer(
      "Arithmetic-constants", Arithmetic(.subtract, constants: [3, 1, 1], side: .left),
      [2, 3, 4, 5]),
    ExportedLayer("Arithmetic-tensors", Arithmetic(.add), [2, 3, 4, 5], [2, 1, 4, 1]),
    ExportedLayer("Elementary-floor", Elementary(.floor), [2, 3, 4, 5]),
    ExportedLayer("Elementary-ceil", Elementary(.ceil), [2, 3, 4, 5]),
    ExportedLayer("Elementary-round", Elementary(.round), [2, 3, 4, 5]),
    ExportedLayer("Elementary-sign", Elementary(.sign), [2, 3, 4, 5]),
  ]

  var batch: Int { inputs[0][0] }
  var isUnbatched: Bool { layer.traits.contains(.wholeShape) }

  var model: Model {
    let graph = ModelBuilder(name: "network", isUnbatched: isUnbatched)
    let values = inputs.enumerated().map { index, shape in
      graph.input("x\(index)", Array(shape.dropFirst(isUnbatched ? 0 : 1)))
    }
    graph.output("y", graph.apply(layer, to: values, name: "layer"))
    return graph.model
  }

  /// Numbers that each machine draws alike.
  var values: [[Float]] {
    var random = RandomValues(seed: UInt64(name.utf8.count))
    return inputs.map { random.uniform($0.reduce(1, *), in: needsPositive ? 0.25...2 : -2...2) }
  }

  var graph: Graph {
    get throws { try InferShapes(batch: 1, memoryLimit: 1 << 30).run(model) }
  }

  var parameters: [Float] {
    get throws {
      var random = RandomValues(seed: 11)
      return random.parameters(of: try graph)
    }
  }

  var exported: ExportedModel {
    get throws { try ConvertLayers().run(try graph, parameters: try parameters) }
  }

  /// What the layer computes, in double precision.
  var outputs: [Double] {
    get throws { try Self.outputs(of: model, parameters: parameters, values, batch: batch) }
  }

  /// What a network computes, in double precision.
  static func outputs(
    of model: Model, parameters: [Float]? = nil, _ values: [[Float]], batch: Int
  ) throws -> [Double] {
    let graph = try InferShapes(
      batch: model.isUnbatched ? 1 : batch, memoryLimit: 1 << 30
    ).run(model)
    let block = try parameters ?? Initialization(seed: 0).parameters(of: graph)
    let sample = ReferenceSample(batch: graph.batch, inputs: values)
    return try ReferenceNetwork(graph).infer(parameters: block.map(Double.init), sample)[0]
  }
}
