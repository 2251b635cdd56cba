import ConvcData
import ConvcIR
import ConvcRuntime
import ConvcTraining

/// A network after training: what it reached, and the session that holds its best parameters.
public struct TrainedModel {
  public let compilation: Compilation
  public let session: Session
  public let result: TrainingResult
}

extension Model {
  /// Compiles the network, gives it the weights that it brings, or else seeded initial ones, and trains it on a data set.
  ///
  /// Pixels become inputs as ``preprocessing`` says, else so that the training images have mean 0 and deviation 1.
  /// The network has one input of the images' size and a loss on class labels. For one's own batches take a ``Trainer``
  /// with an ``ExampleSource``, or ``Session/step(inputs:targets:batch:options:)``.
  ///
  /// - Parameters:
  ///   - folder: receives checkpoints, log and report; nil: nothing is written.
  ///   - observer: is told of the progress; nil: nobody is.
  /// - Throws: ``CompileError``, ``ToolchainError``, ``TrainingError`` and what reading and writing files throws.
  public func train(
    on dataset: Dataset, _ recipe: Recipe = Recipe(), folder: RunFolder? = nil,
    observer: (any TrainingObserver)? = nil
  ) async throws -> TrainedModel {
    var model = self
    model.preprocessing = preprocessing ?? dataset.fittedPreprocessing()
    model.classNames = dataset.classNames
    let compilation = try model.compile(BuildOptions(batch: recipe.batch))
    let session = try Session(try await compilation.load())
    try session.withParameters {
      try Initialization(seed: recipe.seed).fill($0, of: compilation.graph)
    }
    let data = try TrainingData(
      dataset: dataset, validationFraction: recipe.validationFraction, seed: recipe.seed,
      preprocessing: model.preprocessing)
    let trainer = try Trainer(
      runner: SessionRunner(session: session, graph: compilation.graph), recipe: recipe,
      data: data, folder: folder, observer: observer)
    return TrainedModel(
      compilation: compilation, session: session, result: try trainer.run())
  }
}
