import Convc
import ConvcTestSupport
import Testing

/// Compiled networks against PyTorch, from the same weights on the same images (Tests/Fixtures).
@Suite("Agreement with PyTorch")
struct PyTorchTests {
  @Test(
    "logits before the first step, the loss over 20 steps", arguments: TrainingFixture.names,
    runnableTargets)
  func agree(name: String, target: Target) async throws {
    let fixture = try TrainingFixture(name)
    let training = try await Training(
      fixture.model, BuildOptions(batch: fixture.batch, target: target))
    try training.session.setParameterBlock(try fixture.parameters(of: training.graph))
    let before = try run(fixture, training, step: 0)
    let logits = Comparison(before, fixture.inferenceLogits)
    #expect(logits.isWithin(1e-5), "\(logits)")

    var losses: [Double] = []
    for step in fixture.losses.indices {
      let (inputs, targets) = values(fixture, step)
      let loss = try training.session.step(
        inputs: inputs, targets: targets, batch: fixture.batch,
        options: StepOptions(
          rate: fixture.rate, momentum: fixture.momentum, threads: 2, step: UInt64(step)))
      losses.append(Double(loss[0]))
    }
    for (step, (mine, theirs)) in zip(losses, fixture.losses).enumerated() {
      #expect(abs(mine - theirs) <= 1e-4 * theirs, "step \(step): \(mine), PyTorch \(theirs)")
    }
    #expect(losses[losses.count - 1] < 0.7 * losses[0])
  }

  private func values(_ fixture: TrainingFixture, _ step: Int) -> (
    [Program.Values], [Program.Values]
  ) {
    let sample = fixture.sample(step: step)
    let targets = sample.targets.map { target -> Program.Values in
      switch target {
      case .labels(let labels): .int32(labels)
      case .values(let values): .float32(values)
      }
    }
    return (sample.inputs.map { .float32($0) }, targets)
  }

  private func run(_ fixture: TrainingFixture, _ training: Training, step: Int) throws -> [Float] {
    let (inputs, _) = values(fixture, step)
    return try training.session.forward(inputs: inputs, batch: fixture.batch)[0].floats
  }
}
