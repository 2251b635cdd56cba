import Convc
import ConvcTestSupport
import Foundation
import Testing

@Suite("Model files")
struct ModelFileTests {
  static let text = """
    convc: 1
    name: small
    inputs:
      image: [1, 8, 8]
    preprocessing: {scale: 0.0039, mean: [0.5], deviation: [0.25]}
    classes: [zero, "no", "a: \\"b\\""]
    layers:
      conv1: {layer: Conv2D, outputChannels: 4, kernelSize: [3, 5], padding: [1, 1, 2, 2]}
      relu1: {layer: ReLU}
      add1: {layer: Add, reads: [relu1, conv1], frozen: false}
      pool1: {layer: MaxPool2D, kernelSize: 2}
      flat: {layer: Flatten}
      dense1: {layer: Dense, outputs: 3, bias: true, frozen: true}
    outputs:
      scores: dense1
    losses:
      loss: {loss: SoftmaxCrossEntropy, output: scores, target: label, weight: 0.5}

    """

  @Test("reads layers, edges and settings")
  func reads() throws {
    let model = try ModelFile.read(text: Self.text, path: "small.yaml")
    #expect(model.name == "small")
    #expect(model.inputs[0].shape == [1, 8, 8])
    #expect(model.classNames == ["zero", "no", "a: \"b\""])
    #expect(model.nodes.map(\.name) == ["conv1", "relu1", "add1", "pool1", "flat", "dense1"])
    #expect(model.nodes[2].inputs == ["relu1", "conv1"])
    #expect(model.nodes[3].inputs == ["add1"])
    #expect(model.nodes[0].layer.summary == "Conv2D 3x5, padding top 1 bottom 1 left 2 right 2")
    #expect(model.nodes[5].isFrozen)
    #expect(model.losses[0].weight == 0.5)
    #expect(model.preprocessing?.deviation == [0.25])
    _ = try model.compile(BuildOptions(batch: 2))
  }

  @Test("a network's text reads back to the same C", arguments: Preset.all.map(\.name))
  func roundTrip(_ name: String) throws {
    let preset = try #require(Preset.named(name))
    let model = preset.make()
    let text = try ModelFile.text(of: model)
    let again = try ModelFile.read(text: text, path: "\(name).yaml")
    #expect(try ModelFile.text(of: again) == text)
    guard preset.input.reduce(1, *) < 10_000 else { return }
    let options = BuildOptions(batch: 2, target: .generic)
    #expect(try again.compile(options).files() == model.compile(options).files())
  }

  @Test("an unbatched network reads back as one, with what works on axis 0")
  func unbatched() throws {
    let graph = ModelBuilder(name: "whole", isUnbatched: true)
    let x = graph.input("x", [4, 6]).relu(name: "relu")
    graph.output("y", x.reshapeAll([1, 24], name: "joined"))
    let text = try ModelFile.text(of: graph.model)
    #expect(text.contains("\nunbatched: true\ninputs:\n  x: [4, 6]\n"))
    #expect(text.contains("\n  joined: {layer: ReshapeAll, shape: [1, 24]}\n"))
    let again = try ModelFile.read(text: text, path: "whole.yaml")
    let options = BuildOptions(trains: false, target: .generic)
    #expect(try again.compile(options).files() == graph.model.compile(options).files())
    let batched = text.replacing("unbatched: true\n", with: "")
    #expect {
      _ = try ModelFile.read(text: batched, path: "whole.yaml").compile(options)
    } throws: {
      "\($0)".contains(
        "works on axis 0, which is the batch here; make the network an unbatched one")
    }
  }

  @Test(
    "an error names the line and the way out",
    arguments: [
      (
        "relu1: {layer: ReLU}", "relu1: {layer: Relu6}",
        "9: unknown layer 'Relu6' of relu1; did you mean 'ReLU6'?"
      ),
      (
        "outputs: 3, bias", "output: 3, bias",
        "13: unknown setting 'output' of Dense (dense1); did you mean 'outputs'? there are outputs, bias, initializer, biasInitializer, dropConnect"
      ),
      (
        "kernelSize: 2}", "kernelSize: two}",
        "11: kernelSize is 'two'; a whole number, or [height, width] is expected"
      ),
      ("outputs: 3, ", "", "13: dense1 lacks the setting outputs: a whole number is expected"),
      ("bias: true", "bias: yes", "13: bias has to be true or false, got 'yes'"),
      (
        "loss: SoftmaxCrossEntropy", "loss: Softmax",
        "17: unknown loss 'Softmax' of loss; did you mean 'SoftmaxCrossEntropy'?"
      ),
      ("  relu1: {layer: ReLU}", "  conv1: {layer: ReLU}", "has two entries called conv1"),
      ("inputs:\n", "input:\n", "3: unknown key 'input' of a model file; did you mean 'inputs'?"),
      ("convc: 1", "convc: 9", "1: version 9 of the form is not known; this convc reads 1"),
      ("layer: ReLU", "layer: [", "is not YAML"),
      (
        "[1, 8, 8]", String(repeating: "[", count: 50_000),
        "4: is nested too deep; a network needs four levels"
      ),
      ("name: small\n", "", "1: the file lacks 'name'; write for example 'name: lenet5'"),
    ])
  func errors(_ old: String, _ new: String, _ expected: String) {
    let text = Self.text.replacingOccurrences(of: old, with: new)
    #expect(text != Self.text)
    do {
      _ = try ModelFile.read(text: text, path: "small.yaml")
      Issue.record("read \(new.prefix(60))")
    } catch {
      #expect("\(error)".contains(expected), "\(error)")
      #expect("\(error)".hasPrefix("small.yaml:"))
      #expect(!"\(error)".contains("\n"))
    }
  }

  @Test("penalties and initial values read back")
  func training() throws {
    let model = Model(
      "small", input: [2, 5, 5], loss: SoftmaxCrossEntropy(), regularizer: Regularizer(l2: 1e-4)
    ) {
      Conv2D(
        outputChannels: 3, kernelSize: 4, padding: .same, initializer: .uniform(bound: 0.05),
        biasInitializer: .constant(0.1)
      ).regularized(l1: 1e-5, l2: 2e-4, includingBiases: true)
      ReLU()
      Flatten()
      Dense(outputs: 3, initializer: .glorotNormal).regularized()
    }
    let text = try ModelFile.text(of: model)
    #expect(text.contains("\nregularizer: {l1: 0.0, l2: 0.0001}\n"))
    #expect(text.contains("regularizer: {l1: 1e-05, l2: 0.0002, biases: true}"))
    #expect(text.contains("initializer: \"uniform 0.05\", biasInitializer: \"constant 0.1\""))
    #expect(text.contains("initializer: glorot_normal"))
    let again = try ModelFile.read(text: text, path: "small.yaml")
    #expect(again.regularizer == model.regularizer)
    #expect(again.nodes.map(\.regularizer) == model.nodes.map(\.regularizer))
    let options = BuildOptions(batch: 2, target: .generic)
    let (read, written) = (try again.compile(options), try model.compile(options))
    #expect(read.files() == written.files())
    #expect(read.graph.parameters == written.graph.parameters)
  }

  @Test("a regularizer's mistakes name the line")
  func regularizerErrors() {
    func error(_ regularizer: String) -> String {
      let text = Self.text.replacingOccurrences(
        of: "conv1: {layer: Conv2D,", with: "conv1: {layer: Conv2D, regularizer: \(regularizer),")
      do {
        _ = try ModelFile.read(text: text, path: "small.yaml").compile(BuildOptions(batch: 1))
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(
      error("{l3: 1}")
        == "small.yaml:8: unknown key 'l3' of the regularizer of conv1; did you mean 'l1'? there are "
        + "l1, l2, biases")
    #expect(
      error("{l2: -1}")
        == "conv1 (small.yaml:8): l2 -1.0 of its regularizer is out of range; a finite factor of at "
        + "least 0 is expected")
  }

  @Test("mistakes that shapes show name the file's line")
  func shapes() throws {
    let text = Self.text.replacingOccurrences(of: "kernelSize: 2}", with: "kernelSize: 20}")
    let model = try ModelFile.read(text: text, path: "small.yaml")
    #expect {
      _ = try model.compile(BuildOptions(batch: 1))
    } throws: {
      "\($0)".hasPrefix("pool1 (small.yaml:11): ")
    }
  }

  @Test("a layer of the program's own cannot be written")
  func ownLayer() {
    struct Own: Layer {
      static let kind = "own"
      func output(for inputs: [TensorType]) throws(LayerError) -> TensorType { inputs[0] }
      func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
    }
    let model = Model("m", input: [1]) { Own() }
    #expect(
      throws: ModelFileError.cannotWrite(
        layer: "own1",
        problem:
          "Own is a layer of the program's own; model files know those of the registry alone")
    ) { try ModelFile.text(of: model) }
  }

  @Test("the committed schema is the registry's")
  func schema() throws {
    try expectRecorded(ModelFile.schema, at: "Docs/model-file.schema.json")
  }
}
