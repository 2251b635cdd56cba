import Convc
import Testing

/// Outputs that do not fit their loss are refused with the way out.
@Suite("Outputs and losses have to fit")
struct LossLintTests {
  /// What the compiler says of a network of a dense layer and another one.
  private func message(_ loss: any Loss, after layer: (any Layer)?) -> String? {
    let model = Model("pair", input: [4], loss: loss) {
      if let layer {
        [Dense(outputs: 3).named("scores"), layer.named("last")]
      } else {
        [Dense(outputs: 3).named("scores")]
      }
    }
    do {
      _ = try model.compile(BuildOptions(batch: 2, target: .generic))
      return nil
    } catch {
      return error.diagnostics.map { "\($0.layer): \($0.message)" }.joined(separator: "; ")
    }
  }

  /// A layer that says of its output what a test wants.
  struct Says: Layer {
    static let kind = "says"
    let outputKind: OutputKind
    func output(for inputs: [TensorType]) throws(LayerError) -> TensorType { inputs[0] }
    func role(in mode: Mode, frozen: Bool) -> FusionRole {
      Sigmoid().role(in: mode, frozen: frozen)
    }
  }

  @Test(
    "probabilities before a loss of scores",
    arguments: [
      (
        SoftmaxCrossEntropy(), .probabilities,
        "scores (logits), but last gives probabilities; leave last out, "
          + "or judge by NegativeLogLikelihood(form: .probabilities)"
      ),
      (
        SoftmaxCrossEntropy(), .logProbabilities,
        "scores (logits), but last gives log-probabilities; leave last out, "
          + "or judge by NegativeLogLikelihood()"
      ),
      (
        SoftmaxCrossEntropy(), .shares,
        "scores (logits), but last gives values between 0 and 1; leave last out, "
          + "or judge by BinaryCrossEntropy(form: .probabilities)"
      ),
      (
        MultiClassHinge(), .probabilities,
        "scores (logits), but last gives probabilities; leave last out, "
          + "or judge by NegativeLogLikelihood(form: .probabilities)"
      ),
      (
        BinaryCrossEntropy(), .shares,
        "scores (logits), but last gives values between 0 and 1; leave last out, "
          + "or judge by BinaryCrossEntropy(form: .probabilities)"
      ),
      (
        CategoricalCrossEntropy(form: .probabilities), .logProbabilities,
        "probabilities, but last gives log-probabilities; put Softmax() in the place of last, "
          + "or judge by CategoricalCrossEntropy(form: .logProbabilities)"
      ),
      (
        NegativeLogLikelihood(), .probabilities,
        "log-probabilities, but last gives probabilities; put LogSoftmax() in the place of last, "
          + "or judge by NegativeLogLikelihood(form: .probabilities)"
      ),
      (
        KLDivergence(), .probabilities,
        "log-probabilities, but last gives probabilities; put LogSoftmax() in the place of last, "
          + "or judge by KLDivergence(form: .probabilities)"
      ),
      (
        Poisson(), .shares,
        "scores (logits), but last gives values between 0 and 1; leave last out, "
          + "or judge by Poisson(isLogarithmic: false)"
      ),
    ] as [(any Loss, OutputKind, String)])
  func tooMuch(_ loss: any Loss, kind: OutputKind, expected: String) {
    #expect(message(loss, after: Says(outputKind: kind)) == "loss_output: expects \(expected)")
  }

  @Test(
    "scores before a loss of probabilities",
    arguments: [
      (
        BinaryCrossEntropy(form: .probabilities),
        "probabilities, but scores gives scores of any size; put Sigmoid() behind scores, "
          + "or judge by BinaryCrossEntropy(form: .logits)"
      ),
      (
        NegativeLogLikelihood(),
        "log-probabilities, but scores gives scores of any size; put LogSoftmax() behind scores, "
          + "or judge by SoftmaxCrossEntropy()"
      ),
      (
        CategoricalCrossEntropy(form: .probabilities),
        "probabilities, but scores gives scores of any size; put Softmax() behind scores, "
          + "or judge by CategoricalCrossEntropy(form: .logits)"
      ),
      (
        KLDivergence(),
        "log-probabilities, but scores gives scores of any size; put LogSoftmax() behind scores, "
          + "or judge by CategoricalCrossEntropy(), which differs by a constant alone"
      ),
      (
        MultiLabelCrossEntropy(form: .probabilities),
        "probabilities, but scores gives scores of any size; put Sigmoid() behind scores, "
          + "or judge by MultiLabelCrossEntropy(form: .logits)"
      ),
      (
        Poisson(isLogarithmic: false),
        "rates of at least 0, but scores gives scores of any size; put Softplus() behind scores, "
          + "or judge by Poisson()"
      ),
    ] as [(any Loss, String)])
  func tooLittle(_ loss: any Loss, expected: String) {
    #expect(message(loss, after: nil) == "loss_output: expects \(expected)")
  }

  @Test("the sigmoid is found behind layers that change the shape alone")
  func views() {
    let model = Model("view") { graph in
      let x = graph.input("x", [2, 1, 2]).apply(Conv2D(outputChannels: 1, kernelSize: 1))
      graph.output("y", x.apply(Sigmoid()).apply(Flatten()))
      graph.loss(BinaryHinge(), on: "y", target: "t")
    }
    let error = #expect(throws: CompileError.self) { try model.compile() }
    #expect(
      error?.diagnostics.first?.message
        == "expects scores (logits), but sigmoid1 gives values between 0 and 1; leave sigmoid1 out, "
        + "or judge by BinaryCrossEntropy(form: .probabilities)")
  }

  @Test("pairs that fit compile, and outputs that the caller passes are taken as they are")
  func fit() throws {
    #expect(message(BinaryCrossEntropy(form: .probabilities), after: Sigmoid()) == nil)
    #expect(message(Poisson(isLogarithmic: false), after: Softplus()) == nil)
    #expect(message(SoftmaxCrossEntropy(), after: ReLU()) == nil)
    #expect(message(MeanSquaredError(), after: Sigmoid()) == nil)
    #expect(message(NegativeLogLikelihood(), after: Says(outputKind: .logProbabilities)) == nil)
    let passed = Model("passed") { graph in
      graph.output("y", graph.input("x", [3]).apply(Flatten()))
      graph.loss(NegativeLogLikelihood(), on: "y", target: "t")
    }
    _ = try passed.compile(BuildOptions(batch: 1, trains: false, target: .generic))
  }
}
