import Testing

@testable import ConvcRuntime

@Suite("Session")
struct SessionTests {
  let sandbox: Sandbox
  static let start: [Float] = [1, 2, 3, 4, 5, 6, 0.5, -0.5, 2, 0]

  init() throws {
    sandbox = try Sandbox()
  }

  private func session(_ macros: String...) async throws -> Session {
    let toolchain = try await sandbox.toolchain()
    let library = try await toolchain.load(
      sources: TinyModel.sources,
      options: LibraryOptions(
        architecture: .baseline, openMP: false, extraFlags: macros.map { "-D\($0)" }))
    let session = try Session(Program(library: library, prefix: "tiny"))
    try session.setParameterBlock(Self.start)
    return session
  }

  // MARK: Inference

  @Test("computes any batch up to the largest")
  func forward() async throws {
    let session = try await session()
    let one = try session.forward(inputs: [.float32([1, 0, 0])], batch: 1)
    #expect(one == [.float32([3, 7])])
    let two = try session.forward(inputs: [.float32([1, 0, 0, 0, 0, 1])], batch: 2, threads: 2)
    #expect(two == [.float32([3, 7, 7, 11])])
  }

  @Test("writes outputs where the caller wants them")
  func addresses() async throws {
    let session = try await session()
    let x: [Float] = [0, 1, 0]
    var y: [Float] = [0, 0]
    try x.withUnsafeBytes { x in
      try y.withUnsafeMutableBytes { y in
        let (input, output) = (try #require(x.baseAddress), try #require(y.baseAddress))
        try session.forward(inputs: [input], outputs: [output], batch: 1)
      }
    }
    #expect(y == [5, 9])
  }

  @Test("prepares again after any change of the parameters")
  func prepares() async throws {
    let session = try await session()
    let x: [Program.Values] = [.float32([0, 0, 0])]
    #expect(try session.forward(inputs: x, batch: 1) == [.float32([1, -1])])
    try session.setParameter("bias", to: [10, 20])
    #expect(try session.forward(inputs: x, batch: 1) == [.float32([20, 40])])
    session.withParameters { $0[8] = 1 }
    #expect(try session.forward(inputs: x, batch: 1) == [.float32([10, 20])])
  }

  // MARK: Training

  /// The loss at `parameters`, in double precision.
  private func reference(_ p: [Double]) -> Double {
    let x: [Double] = [1, 2, -1]
    let goal: [Double] = [1, -1]
    var squared = 0.0
    var y: [Double] = []
    for k in 0..<2 {
      var sum = p[6 + k]
      for c in 0..<3 { sum += p[3 * k + c] * x[c] }
      y.append(p[8] * sum)
      let difference = y[k] - goal[k]
      squared += 0.5 * difference * difference
    }
    return squared - 0.5 * y[1]
  }

  private let x: [Program.Values] = [.float32([1, 2, -1])]
  private let goals: [Program.Values] = [.float32([1, -1]), .int32([1])]

  @Test("gives losses and gradients")
  func gradients() async throws {
    let session = try await session()
    let losses = try session.gradients(inputs: x, targets: goals, batch: 1)
    let p = Self.start.map(Double.init)
    #expect(session.program.total(losses) == Float(reference(p)))
    let gradient = try session.gradient("weight") + session.gradient("bias")
    for (i, value) in gradient.enumerated() {
      var (above, below) = (p, p)
      above[i] += 1e-6
      below[i] -= 1e-6
      let slope = (reference(above) - reference(below)) / 2e-6
      #expect(abs(Double(value) - slope) < 1e-3, "gradient \(i)")
    }
    #expect(try session.parameter("seen") == [1])
  }

  @Test("adds gradients across calls when asked to")
  func accumulate() async throws {
    let session = try await session()
    _ = try session.gradients(inputs: x, targets: goals, batch: 1)
    let once = try session.gradient("weight")
    _ = try session.gradients(
      inputs: x, targets: goals, batch: 1, options: StepOptions(accumulate: true))
    #expect(try session.gradient("weight") == once.map { 2 * $0 })
    _ = try session.gradients(inputs: x, targets: goals, batch: 1)
    #expect(try session.gradient("weight") == once)
  }

  @Test("steps to the same bits as gradients and update")
  func step() async throws {
    let (stepped, split) = (try await session(), try await session())
    let options = StepOptions(rate: 0.01, momentum: 0.9, weightDecay: 0.1)
    var losses: [Float] = []
    for _ in 0..<5 {
      losses.append(
        stepped.program.total(
          try stepped.step(inputs: x, targets: goals, batch: 1, options: options)))
      _ = try split.gradients(inputs: x, targets: goals, batch: 1, options: options)
      try split.update(options)
    }
    #expect(stepped.parameterBlock == split.parameterBlock)
    #expect(stepped.optimizerBlock == split.optimizerBlock)
    #expect(losses[4] < losses[0])
    #expect(try stepped.parameter("scale") == [2] && stepped.parameter("seen") == [5])
    let outputs = try stepped.forward(inputs: x, batch: 1)
    #expect(try outputs == split.forward(inputs: x, batch: 1))
  }

  @Test("goes on from a saved state as if never stopped")
  func resume() async throws {
    let (first, second) = (try await session(), try await session())
    let options = StepOptions(rate: 0.01, momentum: 0.9)
    _ = try first.step(inputs: x, targets: goals, batch: 1, options: options)
    try second.setParameterBlock(first.parameterBlock)
    try second.setOptimizerBlock(first.optimizerBlock)
    for session in [first, second] {
      _ = try session.step(inputs: x, targets: goals, batch: 1, options: options)
    }
    #expect(first.parameterBlock == second.parameterBlock)
  }

  @Test("lets the caller change gradients before the update")
  func clipping() async throws {
    let session = try await session()
    _ = try session.gradients(inputs: x, targets: goals, batch: 1)
    session.withGradients { $0.update(repeating: 0) }
    try session.update(StepOptions(rate: 1))
    #expect(session.parameterBlock.prefix(9) == Self.start.prefix(9))
  }

  // MARK: Errors

  @Test("names the range of a batch", arguments: [0, 5, -1])
  func batch(batch: Int) async throws {
    let session = try await session()
    let expected = """
      batch \(batch) given to model 'tiny' is outside 1...4; \
      give fewer, or build it with a larger batch
      """
    #expect(await message { _ = try session.forward(inputs: x, batch: batch) } == expected)
    #expect(
      await message { _ = try session.step(inputs: x, targets: goals, batch: batch) } == expected)
  }

  @Test("names the one batch of a fixed model")
  func fixedBatch() async throws {
    let session = try await session("FIXED_BATCH")
    let text = await message { _ = try session.forward(inputs: x, batch: 3) }
    #expect(
      text == """
        batch 3 given to model 'tiny', which was built for exactly 4; \
        give that many, or build it with another batch
        """)
  }

  @Test("names the label, its place, target and loss, and changes nothing", arguments: [2, -1])
  func label(label: Int) async throws {
    let session = try await session()
    let text = await message {
      _ = try session.step(
        inputs: [.float32([1, 2, 3, 4, 5, 6])],
        targets: [.float32([0, 0, 0, 0]), .int32([1, Int32(label)])], batch: 2)
    }
    #expect(
      text == """
        label \(label) at position 1 of target 'labels' is no class of loss 'pick': \
        expected 0...1; correct the label, nothing was changed
        """)
    #expect(session.parameterBlock == Self.start)
  }

  @Test("refuses another number of tensors or values, or another type")
  func values() async throws {
    let session = try await session()
    #expect(
      await message { _ = try session.forward(inputs: [], batch: 1) }
        == "expected 1 inputs (x), got 0")
    #expect(
      await message { _ = try session.forward(inputs: [.float32([1])], batch: 2) }
        == "'x' takes 6 float32 (2 x 3), got 1 float32")
    #expect(
      await message {
        _ = try session.step(
          inputs: x, targets: [.float32([0, 0]), .float32([1])], batch: 1)
      } == "'labels' takes 1 int32 (1), got 1 float32")
  }

  @Test("refuses to train a model built for inference")
  func inferenceOnly() async throws {
    let session = try await session("INFERENCE_ONLY")
    #expect(try session.forward(inputs: x, batch: 1).count == 1)
    #expect(
      await message { _ = try session.step(inputs: x, targets: goals, batch: 1) }
        == "model 'tiny' was built for inference and has no training step; build it for training")
    #expect(
      await message { try session.update() }
        == "model 'tiny' was built for inference and has no update; build it for training")
  }

  @Test(
    "maps every status of the interface to a message",
    arguments: [
      (1, "a pointer is NULL"), (2, "the batch is outside of what the model was built for"),
      (3, "memory is not aligned to 64 bytes"), (4, "a label is no class"),
      (5, "the library is newer than this convc; build it again"), (77, "status 77"),
    ])
  func status(code: Int, reason: String) async throws {
    let session = try await session("STATUS=\(code)")
    let text = await message { _ = try session.forward(inputs: x, batch: 1) }
    #expect(text == "forward refused the call: \(reason)")
  }

  @Test("knows its parameters by name")
  func parameters() async throws {
    let session = try await session()
    #expect(
      await message { _ = try session.parameter("wieght") }
        == "no parameter 'wieght'; the model has weight, bias, scale, seen")
    #expect(
      await message { try session.setParameter("bias", to: [1]) }
        == "'bias' takes 2 values, got 1 values")
    #expect(
      await message { _ = try session.gradient("scale") }
        == "parameter 'scale' has no gradient: it is frozen or a running statistic")
    #expect(
      await message { try session.setParameterBlock([]) }
        == "'the parameter block' takes 10 values, got 0 values")
  }

  @Test("says so when there is not enough memory")
  func memory() {
    #expect(AlignedBuffer(byteCount: 1 << 47) == nil)
    #expect(
      "\(ProgramError.outOfMemory(bytes: 1 << 47, block: "gradients"))"
        == "not enough memory for the gradients: 140737488355328 bytes; take a smaller batch")
  }

  @Test("starts every block at a multiple of 64 bytes, with zeros")
  func alignment() throws {
    for size in [0, 1, 100, 5000] {
      let buffer = try #require(AlignedBuffer(byteCount: size))
      #expect(Int(bitPattern: buffer.address) % 64 == 0)
      #expect(buffer.floats.allSatisfy { $0 == 0 })
    }
  }
}
