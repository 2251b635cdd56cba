import ConvcLayers
import Foundation
import Testing

@testable import ConvcTraining

@Suite("Resuming a training")
struct ResumeTests {
  private func trainer(
    _ runner: LinearClassifier, folder: String, recipe: Recipe = .quick,
    data: TrainingData = .corners, cancellation: Cancellation = Cancellation()
  ) throws -> Trainer {
    try Trainer(
      runner: runner, recipe: recipe, data: data, folder: RunFolder(folder),
      cancellation: cancellation)
  }

  /// Rows without what depends on the clock.
  private func timeless(_ rows: [LogRow]) -> [LogRow] {
    rows.map { row in
      var row = row
      (row.seconds, row.imagesPerSecond) = (0, 0)
      return row
    }
  }

  @Test(
    "cancelled anywhere and resumed, a training ends with the same bits",
    arguments: [1, 4, 5, 7, 14, 15])
  func sameBits(cancelledAfter steps: Int) throws {
    try withFolder { folder in
      let whole = LinearClassifier()
      let expected = try trainer(whole, folder: folder + "/whole").run()

      let cancellation = Cancellation()
      let first = LinearClassifier()
      first.beforeStep = { if $0 == steps - 1 { cancellation.cancel() } }
      let cut = try trainer(first, folder: folder + "/cut", cancellation: cancellation).run()
      #expect(!cut.isComplete)
      #expect(first.steps.count == steps)

      let second = LinearClassifier()
      let result = try trainer(second, folder: folder + "/cut").run(resume: true)
      #expect(result.isComplete)
      #expect(second.steps.count == 15 - steps)
      #expect(second.parameterBlock == whole.parameterBlock)
      #expect(timeless(result.rows) == timeless(expected.rows))
      #expect(
        try timeless(LogRow.rows(of: text(folder + "/cut/log.jsonl"))) == timeless(expected.rows))
      for file in ["best.safetensors", "last.safetensors"] {
        #expect(try bytes("\(folder)/cut/\(file)") == bytes("\(folder)/whole/\(file)"))
      }
    }
  }

  @Test("cancelled while the test part is measured, only that is made up for")
  func cancelledInTest() throws {
    try withFolder { folder in
      let cancellation = Cancellation()
      let first = LinearClassifier()
      let phases = Phases { if $0 == "test" { cancellation.cancel() } }
      let trainer = try Trainer(
        runner: first, recipe: .quick, data: .corners, folder: RunFolder(folder), observer: phases,
        cancellation: cancellation)
      let cut = try trainer.run()
      #expect(!cut.isComplete)
      #expect(try LogRow.rows(of: text(folder + "/log.jsonl")).map(\.epoch) == [0, 1, 2, 3])

      let second = LinearClassifier()
      let result = try self.trainer(second, folder: folder).run(resume: true)
      #expect(second.steps.isEmpty)
      #expect(result.rows.last?.test != nil)
      #expect(try LogRow.rows(of: text(folder + "/log.jsonl")) == result.rows)
    }
  }

  @Test("cancelled before the first step, nothing is left but the folder")
  func cancelledAtOnce() throws {
    try withFolder { folder in
      let cancellation = Cancellation()
      cancellation.cancel()
      let result = try trainer(LinearClassifier(), folder: folder, cancellation: cancellation).run()
      #expect(!result.isComplete)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      #expect(
        message { _ = try trainer(LinearClassifier(), folder: folder).run(resume: true) }
          == "no training to resume: \(folder)/last.state.safetensors is missing; "
          + "leave out --resume to start one")
    }
  }

  @Test("goes on with the same settings, model and data alone; threads may differ")
  func differences() throws {
    try withFolder { folder in
      let cancellation = Cancellation()
      let first = LinearClassifier()
      first.beforeStep = { _ in cancellation.cancel() }
      _ = try trainer(first, folder: folder, cancellation: cancellation).run()
      let state = folder + "/last.state.safetensors"

      var longer = Recipe.quick
      longer.epochs = 5
      #expect(
        message {
          _ = try trainer(LinearClassifier(), folder: folder, recipe: longer).run(resume: true)
        } == "\(state) was saved by a training with epochs 3, this one has epochs 5; "
          + "resume with the same, or start a new run with --init last.safetensors")
      #expect(
        message {
          _ = try trainer(LinearClassifier(loss: MultiClassHinge()), folder: folder)
            .run(resume: true)
        } == "\(state) was saved by a training with the loss softmax-cross-entropy, this one has "
          + "multi-class-hinge; resume with the same, or start a new run with --init last.safetensors"
      )
      let other = TrainingData(name: "corners", train: points(60), validation: points(20))
      #expect(
        message {
          _ = try trainer(LinearClassifier(), folder: folder, data: other).run(resume: true)
        } == "\(state) was saved by a training with 70 training images, this one has 60; "
          + "resume with the same, or start a new run with --init last.safetensors")
      #expect(
        message {
          _ = try trainer(LinearClassifier(name: "cubic"), folder: folder).run(resume: true)
        } == "\(state) holds weights of model 'linear', expected those of 'cubic'; "
          + "give a file that cubic was trained to, or choose model linear")

      var threaded = Recipe.quick
      threaded.threads = 2
      #expect(
        try trainer(LinearClassifier(), folder: folder, recipe: threaded).run(resume: true)
          .isComplete)
      #expect(
        message { _ = try trainer(LinearClassifier(), folder: folder).run(resume: true) }
          == "the training in \(folder) is complete after 3 epochs; "
          + "start a new run with --init \(folder)/best.safetensors to train on")
    }
  }
}

/// Calls a closure at the beginning of each phase.
final class Phases: TrainingObserver {
  private let action: (String) -> Void

  init(_ action: @escaping (String) -> Void) { self.action = action }

  func began(_ phase: String) { action(phase) }
  func advanced(to progress: TrainingProgress) {}
  func finished(_ row: LogRow, epochs: Int) {}
  func ended() {}
}
