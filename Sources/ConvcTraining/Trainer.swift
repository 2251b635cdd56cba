import ConvcIR
import ConvcRuntime

/// What a training led to.
public struct TrainingResult: Sendable {
  /// False: it was cancelled and can be resumed.
  public let isComplete: Bool
  /// The lines of the log.
  public let rows: [LogRow]
  /// The epoch of the best checkpoint; 0: the untrained network.
  public let bestEpoch: Int
  /// Its validation, or without a validation part its training metrics.
  public let best: Metrics
  /// The best checkpoint on the test part; nil: cancelled, or there is none.
  public let test: Evaluation?
}

/// Trains a network: initial validation, epochs of shuffled batches, validation after each, and
/// the test part once at the end.
///
/// It starts from the parameters that the runner holds. With a run folder it keeps there the best
/// and the last checkpoint, what a resumed training needs, the log, the recipe and a report, each
/// replaced as a whole; an older training in that folder is replaced. Best is the epoch of the
/// highest validation accuracy, then of the lowest loss; without a validation part the last one.
/// Afterwards the runner holds the best parameters, after a cancelled training the last.
///
/// A training that was cancelled and resumed ends with the same bits as one that was not.
public final class Trainer {
  let runner: any StepRunner
  let recipe: Recipe
  let data: TrainingData
  let folder: RunFolder?
  let observer: (any TrainingObserver)?
  let cancellation: Cancellation
  let stepsPerEpoch: Int
  let schedule: RateSchedule
  let evaluator: Evaluator
  /// Parameters that left their usual range, by name.
  var warned: Set<String> = []
  /// The best parameters where no folder keeps them.
  private var bestParameters: [Float] = []
  private let clock = ContinuousClock()
  private var began: ContinuousClock.Instant
  private var stepsBegan: ContinuousClock.Instant
  /// Of the training before it was resumed.
  private var secondsBefore = 0.0
  private var stepsBefore = 0

  /// - Parameters:
  ///   - folder: nil: nothing is written.
  ///   - observer: nil: nothing is shown.
  ///   - cancellation: ends the training after the current step.
  /// - Throws: a setting out of its range, or data that do not fit the network.
  public init(
    runner: any StepRunner, recipe: Recipe, data: TrainingData, folder: RunFolder? = nil,
    observer: (any TrainingObserver)? = nil, cancellation: Cancellation = Cancellation()
  ) throws {
    self.runner = runner
    self.recipe = recipe
    self.data = data
    self.folder = folder
    self.observer = observer
    self.cancellation = cancellation
    let layout = runner.layout
    try recipe.validate()
    guard layout.batches.contains(recipe.batch) else {
      throw TrainingError.batch(recipe.batch, allowed: layout.batches, model: layout.model)
    }
    try layout.check(data.train, part: "training")
    if let validation = data.validation { try layout.check(validation, part: "validation") }
    if let test = data.test { try layout.check(test, part: "test") }
    // A network of fixed batch cannot take a short last batch: those images wait for another epoch.
    let images = data.train.count
    let takesShort = layout.batches.count > 1
    stepsPerEpoch = takesShort ? recipe.stepsPerEpoch(images: images) : images / recipe.batch
    guard takesShort || stepsPerEpoch > 0 else {
      throw TrainingError.tooFewImages(images, batch: recipe.batch)
    }
    schedule = recipe.schedule(steps: recipe.epochs * stepsPerEpoch)
    evaluator = Evaluator(runner, threads: recipe.threads)
    (began, stepsBegan) = (clock.now, clock.now)
  }

  /// Trains, or goes on with the training that the folder holds.
  ///
  /// - Parameter resume: whether to go on; needs a folder.
  /// - Throws: ``TrainingError``, ``CheckpointError``, and what runner and examples throw.
  public func run(resume: Bool = false) throws -> TrainingResult {
    defer { observer?.ended() }
    began = clock.now
    guard var state = resume ? try resumed() : try started() else {
      return TrainingResult(
        isComplete: false, rows: [], bestEpoch: 0, best: Metrics(loss: .infinity, accuracy: nil),
        test: nil)
    }
    stepsBegan = clock.now
    stepsBefore = state.step
    while state.epoch <= recipe.epochs {
      observer?.began("training")
      guard try trainEpoch(&state), try closeEpoch(&state) else {
        state.seconds = seconds
        try save(state)
        return result(state, isComplete: false)
      }
    }
    return try measureTest(&state)
  }

  /// Time of the whole training.
  private var seconds: Double { secondsBefore + (clock.now - began) / .seconds(1) }

  private func result(
    _ state: TrainingState, isComplete: Bool, test: Evaluation? = nil
  ) -> TrainingResult {
    TrainingResult(
      isComplete: isComplete, rows: state.rows, bestEpoch: state.bestEpoch, best: state.best,
      test: test)
  }

  // MARK: Phases

  /// Measures the untrained network and saves it; nil when cancelled.
  private func started() throws -> TrainingState? {
    try folder?.create()
    try runner.setOptimizerBlock([Float](repeating: 0, count: runner.layout.optimizerCount))
    observer?.began("initial validation")
    var validation: Metrics?
    if let examples = data.validation {
      guard
        let measured = try evaluator.evaluate(
          examples, part: "validation", cancellation: cancellation)
      else { return nil }
      validation = measured.metrics
    }
    // As many training images as validation takes: the number only starts a curve.
    let limit = max(1000, data.validation?.count ?? 0)
    guard
      let train = try evaluator.evaluate(
        data.train, limit: limit, part: "training", cancellation: cancellation)
    else { return nil }
    let penalty = runner.layout.regularization(runner.parameterBlock)
    let row = LogRow(
      epoch: 0, step: 0, train: train.metrics.adding(regularization: penalty),
      validation: validation, rate: 0, imagesPerSecond: 0, seconds: seconds)
    try checkFinite(row, rate: 0)
    let state = TrainingState(
      recipe: recipe.json, objective: runner.layout.objective, data: data.name,
      trainImages: data.train.count, validationImages: data.validation?.count ?? 0,
      seconds: seconds, best: row.judged, rows: [row])
    try keepBest(state)
    try save(state)
    try folder?.write(recipe.json, to: .recipe)
    try folder?.startLog([row])
    try writeReport(state)
    observer?.finished(row, epochs: recipe.epochs)
    return state
  }

  /// Makes the epoch's remaining steps; false when cancelled.
  private func trainEpoch(_ state: inout TrainingState) throws -> Bool {
    let layout = runner.layout
    let order = order(epoch: state.epoch)
    let buffers = BatchBuffers(layout, batch: recipe.batch)
    while state.stepInEpoch < stepsPerEpoch {
      if cancellation.isCancelled { return false }
      let start = clock.now
      let first = state.stepInEpoch * recipe.batch
      let indices = order[first..<min(first + recipe.batch, order.count)]
      try data.train.write(indices, inputs: buffers.inputs, targets: buffers.targets)
      let options = StepOptions(
        rate: schedule.rate(at: state.step), momentum: Float(recipe.momentum),
        weightDecay: Float(recipe.weightDecay), threads: recipe.threads, seed: recipe.seed,
        step: UInt64(state.step))
      let losses = try runner.step(
        inputs: buffers.readInputs, targets: buffers.readTargets, batch: indices.count,
        options: options, outputs: buffers.outputs)
      let loss = layout.total(losses.map(Double.init))
      let regularization = layout.regularization(of: losses)
      guard (loss + (regularization ?? 0)).isFinite else {
        throw TrainingError.lossNotFinite(
          loss: loss.isFinite ? regularization ?? loss : loss, phase: "training",
          epoch: state.epoch, step: state.step, rate: options.rate, kept: folder?.path)
      }
      state.sums.add(
        loss: loss, regularization: regularization, buffers, layout: layout, images: indices.count)
      state.sums.seconds += (clock.now - start) / .seconds(1)
      state.stepInEpoch += 1
      state.step += 1
      observer?.advanced(to: progress(state))
    }
    return true
  }

  /// Validates after an epoch, logs it and saves; false when cancelled.
  private func closeEpoch(_ state: inout TrainingState) throws -> Bool {
    var validation: Metrics?
    if let examples = data.validation {
      observer?.began("validation")
      guard
        let measured = try evaluator.evaluate(
          examples, part: "validation", cancellation: cancellation)
      else { return false }
      validation = measured.metrics
    }
    let rate = schedule.rate(at: state.step - 1)
    let row = LogRow(
      epoch: state.epoch, step: state.step,
      train: state.sums.metrics(classifies: runner.layout.classification != nil),
      validation: validation, rate: rate, imagesPerSecond: state.sums.imagesPerSecond,
      seconds: seconds)
    try checkFinite(row, rate: rate)
    warnOfRanges(epoch: row.epoch)
    state.rows.append(row)
    if validation == nil || row.judged.isBetter(than: state.best) {
      (state.best, state.bestEpoch) = (row.judged, row.epoch)
      try keepBest(state)
    }
    state.epoch += 1
    (state.stepInEpoch, state.sums, state.seconds) = (0, EpochSums(), row.seconds)
    try save(state)
    try writeReport(state)
    // The last row waits for the test part.
    if data.test == nil || state.epoch <= recipe.epochs { try log(row) }
    return true
  }

  /// Measures the best checkpoint on the test part and completes the log.
  private func measureTest(_ state: inout TrainingState) throws -> TrainingResult {
    let last = runner.parameterBlock
    try restoreBest()
    guard let examples = data.test, var row = state.rows.last else {
      return result(state, isComplete: true)
    }
    observer?.began("test")
    let measured: Evaluation?
    do {
      measured = try evaluator.evaluate(examples, part: "test", cancellation: cancellation)
    } catch {
      try log(row)
      throw error
    }
    guard let measured else {
      try log(row)
      try runner.setParameterBlock(last)
      return result(state, isComplete: false)
    }
    row.test = measured.metrics
    row.seconds = seconds
    state.rows[state.rows.count - 1] = row
    state.seconds = row.seconds
    try log(row)
    try folder?.saveState(state, parameters: last, runner: runner)
    try writeReport(state, test: measured)
    return result(state, isComplete: true, test: measured)
  }

  // MARK: Keeping

  private func log(_ row: LogRow) throws {
    try folder?.appendLog(row)
    observer?.finished(row, epochs: recipe.epochs)
  }

  private func keepBest(_ state: TrainingState) throws {
    guard let folder else {
      bestParameters = runner.parameterBlock
      return
    }
    let info = CheckpointInfo(state: state, row: state.rows.last, layout: runner.layout)
    try folder.save(.best, runner: runner, info: info)
  }

  private func restoreBest() throws {
    let parameters = try folder?.load(.best, layout: runner.layout).parameters ?? bestParameters
    try runner.setParameterBlock(parameters)
  }

  /// The last checkpoint, and with it what a resumed training needs.
  private func save(_ state: TrainingState) throws {
    guard let folder else { return }
    let row = state.stepInEpoch == 0 ? state.rows.last : nil
    let info = CheckpointInfo(state: state, row: row, layout: runner.layout)
    try folder.save(.last, runner: runner, info: info)
    try folder.saveState(state, parameters: runner.parameterBlock, runner: runner)
  }

  /// Takes up the training that the folder holds.
  private func resumed() throws -> TrainingState {
    guard let folder else { preconditionFailure("internal error: resumed without a folder") }
    let saved = try folder.loadState(layout: runner.layout)
    try saved.state.check(
      recipe: recipe, objective: runner.layout.objective, data: data, path: folder.path(.state))
    let hasTest = data.test != nil
    guard !saved.state.isComplete(epochs: recipe.epochs, hasTest: hasTest) else {
      throw TrainingError.alreadyComplete(epochs: recipe.epochs, folder: folder.path)
    }
    try runner.setParameterBlock(saved.parameters)
    try runner.setOptimizerBlock(saved.optimizer)
    secondsBefore = saved.state.seconds
    // A row that waits for the test part is logged with it.
    let waits = saved.state.epoch > recipe.epochs
    try folder.startLog(Array(saved.state.rows.dropLast(waits ? 1 : 0)))
    return saved.state
  }

  private func writeReport(_ state: TrainingState, test: Evaluation? = nil) throws {
    try folder?.writeReport(
      TrainingReport(
        layout: runner.layout, recipe: recipe, data: data, rows: state.rows,
        bestEpoch: state.bestEpoch, test: test))
  }

  // MARK: Small parts

  private func checkFinite(_ row: LogRow, rate: Float) throws(TrainingError) {
    for (phase, metrics) in [("training", row.train), ("validation", row.validation ?? row.train)]
    where !metrics.loss.isFinite {
      throw .lossNotFinite(
        loss: metrics.loss, phase: phase, epoch: row.epoch, step: row.step, rate: rate,
        kept: row.epoch == 0 ? nil : folder?.path)
    }
  }

  private func progress(_ state: TrainingState) -> TrainingProgress {
    let made = state.step - stepsBefore
    let perStep = (clock.now - stepsBegan) / .seconds(1) / Double(max(1, made))
    return TrainingProgress(
      epoch: state.epoch, epochs: recipe.epochs, step: state.stepInEpoch,
      stepsPerEpoch: stepsPerEpoch, loss: state.sums.meanLoss,
      regularization: state.sums.meanRegularization,
      imagesPerSecond: state.sums.imagesPerSecond,
      secondsLeft: perStep * Double(schedule.steps - state.step))
  }
}
