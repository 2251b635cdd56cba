import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcReference

@Suite("Reference against PyTorch")
struct PyTorchTests {
  /// A case of `layers.json`.
  struct LayerCase: Decodable, CustomTestStringConvertible {
    let kind: String
    let input: [Int]
    let output: [Int]
    let kernel: [Int]
    let stride: [Int]
    let padding: [Int]
    let dilation: [Int]?
    let groups: Int?
    let outputPadding: [Int]?
    let ceil: Bool?

    var testDescription: String { "\(kind) \(kernel), stride \(stride), padding \(padding)" }

    static func all() throws -> [LayerCase] {
      let data = try Data(contentsOf: URL(filePath: TestFiles.fixtures + "layers.json"))
      return try JSONDecoder().decode([LayerCase].self, from: data)
    }

    var layer: any ReferenceLayer {
      let kernelSize = Size2D(height: kernel[0], width: kernel[1])
      let stride = Size2D(height: stride[0], width: stride[1])
      let padding = Padding(
        top: padding[0], bottom: padding[1], left: padding[2], right: padding[3])
      let rounding: Rounding = ceil == true ? .ceil : .floor
      switch kind {
      case "conv":
        return Conv2D(
          outputChannels: output[1], kernelSize: kernelSize, stride: stride, padding: padding,
          dilation: Size2D(height: dilation?[0] ?? 1, width: dilation?[1] ?? 1),
          groups: groups ?? 1)
      case "transposed":
        return ConvTranspose2D(
          outputChannels: output[1], kernelSize: kernelSize, stride: stride, padding: padding,
          outputPadding: Size2D(height: outputPadding?[0] ?? 0, width: outputPadding?[1] ?? 0),
          groups: groups ?? 1)
      case "max":
        return MaxPool2D(
          kernelSize: kernelSize, stride: stride, padding: padding, rounding: rounding)
      default:
        return AveragePool2D(
          kernelSize: kernelSize, stride: stride, padding: padding, rounding: rounding,
          countsPadding: kind == "average")
      }
    }
  }

  @Test("layers with unusual settings", arguments: try LayerCase.all().enumerated().map { $0 })
  func layer(_ number: Int, _ layerCase: LayerCase) throws {
    let file = try TensorFile(path: TestFiles.fixtures + "layers.safetensors")
    let model = Model("one", input: Array(layerCase.input.dropFirst())) {
      layerCase.layer.named("it")
    }
    let graph = try InferShapes(batch: layerCase.input[0], memoryLimit: 1 << 20).run(model)
    #expect(graph[graph.outputs[0].tensor].type.shape == layerCase.output)
    let parameters = try graph.parameters.flatMap {
      try file["\(number).\($0.spec.name)"].values.map(Double.init)
    }
    let sample = ReferenceSample(
      batch: layerCase.input[0], inputs: [try file["\(number).x"].values])
    let outputs = try ReferenceNetwork(graph).infer(parameters: parameters, sample)
    let comparison = Comparison(outputs[0], try file["\(number).y"].values)
    #expect(comparison.isWithin(1e-6), "\(comparison)")
  }

  @Test("logits before the first step", arguments: TrainingFixture.names)
  func logits(_ name: String) throws {
    let fixture = try TrainingFixture(name)
    let graph = try InferShapes(batch: fixture.batch, memoryLimit: 1 << 30).run(fixture.model)
    let reference = try ReferenceNetwork(graph)
    let parameters = try fixture.parameters(of: graph).map(Double.init)
    let inferred = reference.infer(parameters: parameters, fixture.sample(step: 0))
    let inference = Comparison(inferred[0], fixture.inferenceLogits)
    #expect(inference.isWithin(1e-6), "\(inference)")
    let trained = reference.train(parameters: parameters, fixture.sample(step: 0))
    let training = Comparison(trained.outputs[0], fixture.trainingLogits)
    #expect(training.isWithin(1e-6), "\(training)")
    #expect(abs(trained.losses[0] / fixture.losses[0] - 1) < 1e-6)
  }

  /// Twenty steps of LeNet-5, and as many of the residual network as take a second.
  @Test("losses of training steps", arguments: [("lenet5", 20), ("resnet8-digits", 2)])
  func training(_ name: String, _ steps: Int) throws {
    let fixture = try TrainingFixture(name)
    let graph = try InferShapes(batch: fixture.batch, memoryLimit: 1 << 30).run(fixture.model)
    let reference = try ReferenceNetwork(graph)
    var parameters = try fixture.parameters(of: graph).map(Double.init)
    var velocity = [Double](repeating: 0, count: graph.trainableCount)
    for step in 0..<steps {
      let result = reference.train(parameters: parameters, fixture.sample(step: step))
      let error = abs(result.total / fixture.losses[step] - 1)
      #expect(error < 2e-5, "step \(step): \(result.total), PyTorch \(fixture.losses[step])")
      for (index, gradient) in result.gradients.enumerated() {
        velocity[index] = Double(fixture.momentum) * velocity[index] + gradient
        parameters[index] -= Double(fixture.rate) * velocity[index]
      }
      parameters.replaceSubrange(graph.trainableCount..., with: result.untrained)
    }
    guard steps == fixture.losses.count else { return }
    let logits = reference.infer(parameters: parameters, fixture.sample(step: 0))
    let comparison = Comparison(logits[0], fixture.finalLogits)
    #expect(comparison.isWithin(1e-4), "\(comparison)")
  }
}
