import Foundation
import Testing

@testable import ConvcTraining

@Suite("Trainer")
struct TrainerTests {
  private func trainer(
    _ runner: LinearClassifier, recipe: Recipe = .quick, data: TrainingData = .corners,
    folder: String? = nil, observer: (any TrainingObserver)? = nil,
    cancellation: Cancellation = Cancellation()
  ) throws -> Trainer {
    try Trainer(
      runner: runner, recipe: recipe, data: data, folder: folder.map(RunFolder.init),
      observer: observer, cancellation: cancellation)
  }

  @Test("learns, keeps the best epoch by validation, and measures the test part once")
  func learns() throws {
    let runner = LinearClassifier()
    let result = try trainer(runner).run()
    #expect(result.isComplete)
    #expect(result.rows.map(\.epoch) == [0, 1, 2, 3])
    #expect(result.rows.map(\.step) == [0, 5, 10, 15])
    #expect(result.rows.map { $0.test != nil } == [false, false, false, true])
    #expect(result.rows[3].train.loss < result.rows[0].train.loss / 2)
    #expect(result.best == result.rows[result.bestEpoch].validation)
    #expect(result.test?.images == 21)
    #expect(result.test?.metrics == result.rows[3].test)
    #expect((result.test?.metrics.accuracy ?? 0) > 0.9)
  }

  @Test("sees every image once an epoch, the last batch being short, in another order each time")
  func batches() throws {
    let runner = LinearClassifier()
    let trainer = try trainer(runner)
    _ = try trainer.run()
    #expect(runner.steps.prefix(5).map(\.batch) == [16, 16, 16, 16, 6])
    #expect(trainer.order(epoch: 1).sorted() == Array(0..<70))
    #expect(trainer.order(epoch: 1) != trainer.order(epoch: 2))
    #expect(trainer.order(epoch: 1) == trainer.order(epoch: 1))
  }

  @Test("a network of fixed batch never gets another, and its test counts no image twice")
  func fixedBatch() throws {
    let runner = LinearClassifier(batches: 16...16)
    let result = try trainer(runner).run()
    #expect(runner.steps.allSatisfy { $0.batch == 16 })
    #expect(result.rows.last?.step == 12)
    #expect(result.test?.confusion?.total == 21)
  }

  @Test("passes rate, momentum, decay, seed and number to every step")
  func options() throws {
    let runner = LinearClassifier()
    var recipe = Recipe.quick
    recipe.weightDecay = 0.01
    _ = try trainer(runner, recipe: recipe).run()
    let schedule = recipe.schedule(steps: 15)
    for (step, made) in runner.steps.enumerated() {
      #expect(made.options.rate == schedule.rate(at: step))
      #expect(made.options.momentum == 0.5)
      #expect(made.options.weightDecay == 0.01)
      #expect(made.options.seed == 7)
      #expect(made.options.step == UInt64(step))
      #expect(made.options.threads == 1)
    }
  }

  @Test("the run folder holds checkpoints, log, recipe and report, and nothing else")
  func folder() throws {
    try withFolder { folder in
      let runner = LinearClassifier()
      let result = try trainer(runner, folder: folder + "/new/run/").run()
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/new/run").sorted()
      #expect(
        names == [
          "best.safetensors", "last.safetensors", "last.state.safetensors", "log.jsonl",
          "recipe.json", "report.html",
        ])
      #expect(try text(folder + "/new/run/recipe.json") == Recipe.quick.json)
      #expect(try LogRow.rows(of: text(folder + "/new/run/log.jsonl")) == result.rows)
      let best = try RunFolder(folder + "/new/run").load(.best, layout: runner.layout)
      #expect(best.info.epoch == result.bestEpoch)
      #expect(best.info.validation == result.best)
      #expect(best.parameters == runner.parameterBlock)
    }
  }

  @Test("without a validation part the last epoch is the best")
  func noValidation() throws {
    let data = TrainingData(name: "corners", train: points(30))
    let result = try trainer(LinearClassifier(), data: data).run()
    #expect(result.bestEpoch == 3)
    #expect(result.rows.allSatisfy { $0.validation == nil && $0.test == nil })
  }

  @Test("an infinite loss stops the training, names the place, and leaves the checkpoints")
  func divergence() throws {
    try withFolder { folder in
      let runner = LinearClassifier()
      runner.beforeStep = { if $0 == 7 { runner.parameterBlock[0] = .nan } }
      let text = message { _ = try trainer(runner, folder: folder).run() }
      let rate = Recipe.quick.schedule(steps: 15).rate(at: 7)
      #expect(
        text == "the training loss is NaN in epoch 2 at step 7 (rate \(rate)); lower the rate or "
          + "lengthen the warm-up, the checkpoints in \(folder) are from before")
      let last = try RunFolder(folder).load(.last, layout: runner.layout)
      #expect(last.info.epoch == 1)
    }
  }

  @Test("an infinite loss before the first step is blamed on weights or data")
  func badStart() throws {
    let runner = LinearClassifier()
    runner.parameterBlock[0] = .infinity
    #expect(
      message { _ = try trainer(runner).run() }
        == "the training loss of the untrained network is NaN; "
        + "check its initial weights and the data's preprocessing")
  }

  @Test("data that do not fit are refused before anything runs")
  func fit() throws {
    let wide = ArrayExamples(images: [1, 2, 3], shape: [3], labels: [0])
    #expect(
      message { _ = try trainer(LinearClassifier(), data: TrainingData(name: "d", train: wide)) }
        == "the training part has inputs 3, the model takes 2; "
        + "choose data or a model that fit each other")
    let values = ArrayExamples(images: [1, 2], shape: [2], values: [1], valueShape: [1])
    #expect(
      message { _ = try trainer(LinearClassifier(), data: TrainingData(name: "d", train: values)) }
        == "the training part has targets 1, the model takes one value of int32; "
        + "choose data or a model that fit each other")
    let none = TrainingData(name: "d", train: points(3), validation: points(0))
    #expect(
      message { _ = try trainer(LinearClassifier(), data: none) }
        == "the validation part has no images; "
        + "give more data or another validation_fraction")
    #expect(
      message { _ = try trainer(LinearClassifier(), recipe: Recipe(batch: 64)) }
        == "batch 64 is not what model 'linear' was built for, 1...16; "
        + "build it with batch 64 or train with a batch in that range")
    let few = TrainingData(name: "d", train: points(3))
    #expect(
      message {
        _ = try trainer(LinearClassifier(batches: 16...16), data: few)
      } == "3 training images do not fill a batch of 16, which the model is fixed to; "
        + "give more images or build it with a smaller batch")
  }

  @Test("a label that is no class is named")
  func label() throws {
    let bad = ArrayExamples(images: [1, 2, 3, 4], shape: [2], labels: [0, 3])
    let data = TrainingData(name: "d", train: points(9), validation: bad)
    #expect(
      message { _ = try trainer(LinearClassifier(), data: data).run() }
        == "label 3 of example 1 in the validation part is no class: expected 0...2; "
        + "correct the label or give the model more outputs")
  }

  @Test("an unwritable folder is named")
  func unwritable() throws {
    try withFolder { folder in
      try "".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
      let text = message { _ = try trainer(LinearClassifier(), folder: folder + "/file/run").run() }
      #expect(text.hasPrefix("cannot write \(folder)/file/run: "))
      #expect(text.hasSuffix("; free space or choose another folder with -o"))
    }
  }
}
