import ConvcIR
import Testing

@testable import ConvcTraining

@Suite("Evaluation")
struct EvaluationTests {
  @Test("counts what each class was taken for, over several batches")
  func confusion() throws {
    let runner = LinearClassifier(batches: 1...2, classNames: ["left", "right", "none"])
    // Scores: x, y and 0, so the greater positive coordinate wins.
    runner.parameterBlock = [1, 0, 0, 1, 0, 0, 0, 0, 0]
    let examples = ArrayExamples(
      images: [2, 1, 1, 2, 3, 0, -1, -1, 5, 1], shape: [2], labels: [0, 0, 0, 2, 1])
    let result = try #require(try Evaluator(runner).evaluate(examples))
    #expect(result.images == 5)
    #expect(result.confusion?.counts == [2, 1, 0, 1, 0, 0, 0, 0, 1])
    #expect(result.metrics.accuracy == 0.6)
    #expect(result.perClassAccuracy == [2.0 / 3, 0, 1])
    #expect(result.classNames == ["left", "right", "none"])
  }

  @Test("the first of equal scores wins")
  func ties() {
    #expect(BatchBuffers.winner([1, 3, 3], classes: 3) == 1)
  }

  @Test("a limit takes the first examples, a cancelled evaluation gives nothing")
  func limit() throws {
    let runner = LinearClassifier()
    #expect(try Evaluator(runner).evaluate(points(50), limit: 20)?.images == 20)
    let cancellation = Cancellation()
    cancellation.cancel()
    #expect(try Evaluator(runner).evaluate(points(50), cancellation: cancellation) == nil)
  }

  @Test("accuracy decides which of two is better, then the loss")
  func better() {
    let base = Metrics(loss: 1, accuracy: 0.5)
    #expect(Metrics(loss: 2, accuracy: 0.6).isBetter(than: base))
    #expect(!Metrics(loss: 0.5, accuracy: 0.4).isBetter(than: base))
    #expect(Metrics(loss: 0.9, accuracy: 0.5).isBetter(than: base))
    #expect(!base.isBetter(than: base))
    #expect(Metrics(loss: 0.9, accuracy: nil).isBetter(than: Metrics(loss: 1, accuracy: nil)))
  }
}
