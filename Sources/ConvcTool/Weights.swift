import ArgumentParser
import Convc

/// Weights for verbs that can do without a file of them.
struct WeightsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A safetensors file of weights; without it they are drawn from the seed.", valueName: "FILE"))
  var weights: String?

  @Option(help: "Seed of the initial weights.")
  var seed: UInt64 = 0

  var source: WeightsSource { WeightsSource(path: weights, seed: seed) }
}

/// Where a network's weights come from.
struct WeightsSource {
  /// A safetensors file; nil: they are drawn.
  let path: String?
  /// What they are drawn from.
  let seed: UInt64

  /// The weights of a network, which need not be compiled yet.
  ///
  /// Preprocessing and class names that the file has become the network's, unless it has its own.
  func checkpoint(for model: inout Model, memoryLimit: Int) throws -> Checkpoint {
    let graph = try InferShapes(batch: 1, memoryLimit: memoryLimit).run(model)
    let hash = modelHash(of: graph)
    guard let path else {
      return Checkpoint(
        parameters: try Initialization(seed: seed).parameters(of: graph),
        info: CheckpointInfo(
          model: graph.name, modelHash: hash, preprocessing: graph.preprocessing,
          classNames: graph.classNames))
    }
    let shape = graph.inputs.first.map { graph[$0].type.shape } ?? []
    let checkpoint = try Checkpoint(
      path: path, layout: graph.parameters, model: graph.name,
      modelHashes: [hash] + trainedHash(of: model),
      channels: shape.count == 4 ? shape[1] : nil)
    model.preprocessing = model.preprocessing ?? checkpoint.info.preprocessing
    if model.classNames.isEmpty { model.classNames = checkpoint.info.classNames }
    return checkpoint
  }

  /// The hash of a network without a loss as it is trained: without the softmax at its end.
  private func trainedHash(of model: Model) -> [String] {
    guard model.losses.isEmpty, let trained = try? model.judgingClasses(),
      let graph = try? InferShapes(batch: 1, memoryLimit: .max).run(trained)
    else { return [] }
    return [modelHash(of: graph)]
  }
}
