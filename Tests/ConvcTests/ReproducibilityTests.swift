import Convc
import ConvcTestSupport
import Testing

@Suite("The same bits")
struct ReproducibilityTests {
  static let models = [
    LeNet5.model(), ResNet8Digits.model(), twoOfEach,
  ]

  @Test(
    "after 10 steps at 1, 2 and 5 threads and without OpenMP", arguments: models.indices,
    runnableTargets)
  func threads(model index: Int, target: Target) async throws {
    let model = Self.models[index]
    // A short batch, and for vectors of images a group that is not full.
    let options = BuildOptions(batch: 24, target: target)
    let expected = try await Training(model, options).parameters(
      afterSteps: 10, batch: 21, threads: 1)
    let isFinite = expected.allSatisfy(\.isFinite)
    #expect(isFinite)
    for threads in [2, 5] {
      let other = try await Training(model, options).parameters(
        afterSteps: 10, batch: 21, threads: threads)
      #expect(same(expected, other), "\(threads) threads")
    }
    let serial = try await Training(model, options, openMP: false).parameters(
      afterSteps: 10, batch: 21, threads: 0)
    #expect(same(expected, serial), "without OpenMP")
  }

  @Test("of a dense layer that takes over a millisecond, at 5 threads", arguments: runnableTargets)
  func longKernel(target: Target) async throws {
    let model = Model("long", input: [1024], loss: MeanSquaredError()) { Dense(outputs: 2048) }
    let training = try await Training(
      model, BuildOptions(batch: 64, trains: false, target: target))
    let (inputs, _) = training.batch(64, seed: 5)
    let expected = try training.session.forward(inputs: inputs, batch: 64, threads: 1)
    // More threads than cores: some are held up, which is when parts change hands.
    for _ in 0..<20 {
      let outputs = try training.session.forward(inputs: inputs, batch: 64, threads: 5)
      let isEqual = same(expected[0].floats, outputs[0].floats)
      #expect(isEqual)
    }
  }

  @Test("train_step gives what gradients, update and prepare give", arguments: runnableTargets)
  func threeCalls(target: Target) async throws {
    let options = BuildOptions(batch: 8, target: target)
    let whole = try await Training(twoOfEach, options)
    let expected = try whole.parameters(afterSteps: 3, batch: 8, threads: 2)
    let parts = try await Training(twoOfEach, options)
    for step in 0..<3 {
      let (inputs, targets) = parts.batch(8, seed: UInt64(step + 1))
      let settings = StepOptions(
        rate: 0.05, momentum: 0.9, weightDecay: 1e-3, threads: 2, seed: 7, step: UInt64(step))
      _ = try parts.session.gradients(
        inputs: inputs, targets: targets, batch: 8, options: settings)
      try parts.session.update(settings)
    }
    let actual = parts.session.parameterBlock
    #expect(same(expected, actual))
  }

  @Test("a frozen layer keeps its weights; running statistics move", arguments: runnableTargets)
  func frozen(target: Target) async throws {
    let training = try await Training(twoOfEach, BuildOptions(batch: 8, target: target))
    let before = training.session.parameterBlock
    let after = try training.parameters(afterSteps: 2, batch: 5, threads: 1)
    for parameter in training.program.parameters {
      let isEqual = same(Array(before[parameter.range]), Array(after[parameter.range]))
      let isFrozen = parameter.name.hasPrefix("stem.")
      #expect(isEqual == isFrozen, "\(parameter.name)")
    }
  }

  @Test("gradients of two half batches add up to those of the whole", arguments: runnableTargets)
  func accumulate(target: Target) async throws {
    // Without batch norm, whose statistics are those of a batch.
    let model = LeNet5.model(size: 12)
    let training = try await Training(model, BuildOptions(batch: 20, target: target))
    let (inputs, targets) = training.batch(20, seed: 3)
    _ = try training.session.gradients(
      inputs: inputs, targets: targets, batch: 20, options: StepOptions())
    let whole = training.session.withGradients { Array($0) }
    for part in 0..<2 {
      let half = inputs.map { $0.part(part, of: 2) }
      let labels = targets.map { $0.part(part, of: 2) }
      _ = try training.session.gradients(
        inputs: half, targets: labels, batch: 10, options: StepOptions(accumulate: part == 1))
    }
    let sum = training.session.withGradients { Array($0) }
    let largest = whole.map(abs).max() ?? 0
    for (a, b) in zip(whole, sum) { #expect(abs(a - b / 2) <= 1e-5 * largest) }
  }

  @Test("a batch gives what its images give one by one", arguments: runnableTargets)
  func stacked(target: Target) async throws {
    let training = try await Training(
      LeNet5.model(size: 12), BuildOptions(batch: 4, trains: false, target: target))
    let (inputs, _) = training.batch(4, seed: 5)
    let all = try training.session.forward(inputs: inputs, batch: 4)
    for image in 0..<4 {
      let one = try training.session.forward(
        inputs: inputs.map { $0.part(image, of: 4) }, batch: 1)
      #expect(same(all[0].part(image, of: 4).floats, one[0].floats))
    }
  }
}
