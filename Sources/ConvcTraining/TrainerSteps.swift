import ConvcIR

extension Trainer {
  /// The order in which an epoch takes the training images: a permutation that seed and epoch
  /// select.
  func order(epoch: Int) -> [Int] {
    var order = Array(0..<data.train.count)
    var generator = SplitMix64(
      seed: SplitMix64.seed(recipe.seed, name: "order of epoch \(epoch)"))
    generator.shuffle(&order)
    return order
  }

  /// Tells of parameters that left their usual range, of each once.
  func warnOfRanges(epoch: Int) {
    let watched = runner.layout.parameters.filter { $0.spec.usual != nil }
    guard let observer, !watched.isEmpty else { return }
    let block = runner.parameterBlock
    for parameter in watched where !warned.contains(parameter.name) {
      guard let usual = parameter.spec.usual else { continue }
      let values = block[parameter.offset..<parameter.offset + parameter.spec.count]
      guard let outside = values.first(where: { !usual.values.contains($0) }) else { continue }
      warned.insert(parameter.name)
      observer.warned(
        "\(parameter.name) has a value of \(outside) after epoch \(epoch), which is outside of "
          + "\(usual.values): \(usual.consequence)")
    }
  }
}

extension EpochSums {
  /// Adds a step.
  ///
  /// - Parameters:
  ///   - loss: the mean over the batch.
  ///   - regularization: the penalty on weights before the update; nil: there is none.
  ///   - buffers: hold the step's outputs and targets.
  mutating func add(
    loss: Double, regularization: Double?, _ buffers: BatchBuffers, layout: ModelLayout,
    images count: Int
  ) {
    self.loss += loss * Double(count)
    if let regularization {
      self.regularization = (self.regularization ?? 0) + regularization * Double(count)
    }
    images += count
    guard let judged = layout.classification else { return }
    var (found, counted) = (0, 0)
    buffers.forEachLabel(of: judged, layout, images: count) {
      found += $0 == $1 ? 1 : 0
      counted += 1
    }
    let labels = layout.targets[judged.target].count
    // Places that are left out are no mistakes.
    correct +=
      counted == labels * count
      ? Double(found) / Double(labels) : Double(found * count) / Double(max(1, counted))
  }
}

extension TrainingState {
  /// Checks that a training can go on with a recipe and data: all but the threads has to agree.
  func check(
    recipe given: Recipe, objective: String, data: TrainingData, path: String
  ) throws(TrainingError) {
    guard let changes = try? Recipe.Changes(text: recipe) else {
      throw .badState(path: path, reason: "its recipe cannot be read")
    }
    let saved = Recipe().applying(changes)
    for (old, new) in zip(saved.settings, given.settings)
    where old != new && old.name != "threads" {
      throw .resumeDiffers(
        saved: "\(old.name) \(old.value)", given: "\(new.name) \(new.value)", path: path)
    }
    let facts = [
      ("the loss \(self.objective)", objective, self.objective == objective),
      ("data set '\(self.data)'", "'\(data.name)'", self.data == data.name),
      ("\(trainImages) training images", "\(data.train.count)", trainImages == data.train.count),
      (
        "\(validationImages) validation images", "\(data.validation?.count ?? 0)",
        validationImages == data.validation?.count ?? 0
      ),
    ]
    for (old, new, isSame) in facts where !isSame {
      throw .resumeDiffers(saved: old, given: new, path: path)
    }
  }
}
