import ConvcABI

/// One use of a program: its parameters, gradients, optimiser state and working memory.
///
/// All start at zero; a library that has its weights in it runs with those until parameters are given. Memory is taken
/// from the system when it is first touched, so an inference session never pays for training. Kernels read a packed form
/// of the parameters; a session renews it before the next call after any change. Not for several threads at once: give
/// each its own.
///
/// Inputs, outputs and targets stand in the order of the program's lists: dense, row-major, NCHW,
/// `batch` images of each.
public final class Session {
  public let program: Program
  private let parameters: AlignedBuffer
  private let packed: AlignedBuffer
  private let gradientBlock: AlignedBuffer
  private let optimizer: AlignedBuffer
  /// Nothing in it outlives a call, so inference and training share it.
  private var workspace: AlignedBuffer?
  private var isPrepared = false
  /// Calls since the working memory was taken.
  private var calls = 0
  /// Whether the weights are those in the library, which are packed already.
  private var usesEmbedded: Bool

  /// Makes a session whose parameters are zero.
  ///
  /// - Errors: out of memory.
  public init(_ program: Program) throws(ProgramError) {
    self.program = program
    usesEmbedded = program.model.embedded_packed != nil
    parameters = try Self.block(4 * program.parameterCount, "parameters")
    packed = try Self.block(program.packedBytes, "packed parameters")
    gradientBlock = try Self.block(4 * program.gradientCount, "gradients")
    optimizer = try Self.block(4 * program.optimizerCount, "optimiser state")
  }

  private static func block(_ bytes: Int, _ name: String) throws(ProgramError) -> AlignedBuffer {
    guard let buffer = AlignedBuffer(byteCount: bytes) else {
      throw .outOfMemory(bytes: bytes, block: name)
    }
    return buffer
  }

  private func workspace(_ bytes: Int) throws(ProgramError) -> UnsafeMutableRawPointer {
    if let workspace, workspace.count >= bytes { return workspace.address }
    workspace = nil
    calls = 0
    let buffer = try Self.block(bytes, "working memory")
    workspace = buffer
    return buffer.address
  }

  /// Moves memory to large pages once a session has shown that it will be used again: the move itself can take some tenths
  /// of a second.
  private func settle(_ blocks: AlignedBuffer...) {
    calls += 1
    guard calls == 3 else { return }
    for block in blocks { block.moveToLargePages() }
    workspace?.moveToLargePages()
  }

  // MARK: Blocks

  /// Gives the parameter block to `body`, which may change it.
  public func withParameters<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    isPrepared = false
    usesEmbedded = false
    return try body(floats(parameters, program.parameterCount))
  }

  /// The parameter block, to be read: its packed form stays valid.
  var readOnlyParameters: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(floats(parameters, program.parameterCount))
  }

  /// Gives the gradient block to `body`, which may change it, as clipping and reduction over
  /// machines do between ``gradients(inputs:targets:batch:options:outputs:)`` and ``update(_:)``.
  public func withGradients<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    try body(floats(gradientBlock, program.gradientCount))
  }

  /// Gives the optimiser's state to `body`, which may change it.
  public func withOptimizer<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    try body(floats(optimizer, program.optimizerCount))
  }

  private func floats(_ buffer: AlignedBuffer, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: buffer.floats[..<count])
  }

  // MARK: Calls

  /// Renews the packed form of the parameters now, instead of in the next call that needs it.
  public func prepare() throws(ProgramError) {
    try check(program.model.prepare(parameters.floats.baseAddress, packed.address), "prepare")
    isPrepared = true
  }

  /// Runs inference.
  ///
  /// - Parameters:
  ///   - inputs: the addresses of the inputs.
  ///   - outputs: the addresses of the outputs, all of which are written.
  ///   - batch: images in each.
  ///   - threads: 0: as many as OpenMP takes by default.
  /// - Errors: batch out of range; another number of inputs or outputs; out of memory.
  public func forward(
    inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], batch: Int, threads: Int = 0
  ) throws(ProgramError) {
    try checkBatch(batch)
    try checkCount("inputs", inputs.count, program.inputs)
    try checkCount("outputs", outputs.count, program.outputs)
    if !usesEmbedded, !isPrepared { try prepare() }
    let weights = usesEmbedded ? program.model.embedded_packed : UnsafeRawPointer(packed.address)
    let space = try workspace(program.inferenceWorkspaceBytes)
    settle(packed)
    let status = inputs.map(Optional.some).withUnsafeBufferPointer { inputs in
      outputs.map(Optional.some).withUnsafeBufferPointer { outputs in
        program.model.forward(
          weights, inputs.baseAddress, outputs.baseAddress, Int32(batch),
          Int32(clamping: max(0, threads)), space)
      }
    }
    try check(status, "forward")
  }

  /// Takes the gradients of the total loss into the gradient block, and brings running statistics
  /// up to date.
  ///
  /// - Parameters:
  ///   - inputs: the addresses of the inputs.
  ///   - targets: the addresses of the targets.
  ///   - batch: images in each.
  ///   - options: accumulate, threads, seed and step matter here.
  ///   - outputs: nil, or the addresses of the outputs of the forward pass.
  /// - Returns: each loss's mean over the batch, before its weight; see ``Program/total(_:)``.
  /// - Errors: a label that is no class, which changes nothing; batch out of range; another number
  ///   of tensors; a model built for inference; out of memory.
  public func gradients(
    inputs: [UnsafeRawPointer], targets: [UnsafeRawPointer], batch: Int,
    options: StepOptions = StepOptions(), outputs: [UnsafeMutableRawPointer]? = nil
  ) throws(ProgramError) -> [Float] {
    let call = TrainingCall(inputs: inputs, targets: targets, outputs: outputs, batch: batch)
    let losses = try run(call, "gradients") { pointers, losses, space in
      var options = options.abi
      return program.model.gradients(
        parameters.floats.baseAddress, packed.address, pointers.inputs, pointers.targets,
        Int32(batch), &options, gradientBlock.floats.baseAddress, losses, pointers.outputs, space)
    }
    // Running statistics may be part of what inference packs.
    if program.hasStatistics { isPrepared = false }
    return losses
  }

  /// Changes the parameters by the gradient block.
  ///
  /// - Parameter options: rate, momentum and weight decay matter here.
  /// - Errors: a model built for inference.
  public func update(_ options: StepOptions = StepOptions()) throws(ProgramError) {
    guard program.canTrain else { throw .inferenceOnly(model: program.name, call: "update") }
    isPrepared = false
    var options = options.abi
    let status = program.model.update(
      parameters.floats.baseAddress, gradientBlock.floats.baseAddress,
      optimizer.floats.baseAddress, &options)
    try check(status, "update")
  }

  /// Gradients, update and prepare in one call, with the same bits as the three.
  ///
  /// Parameters, result and errors are those of
  /// ``gradients(inputs:targets:batch:options:outputs:)``; all options matter.
  public func step(
    inputs: [UnsafeRawPointer], targets: [UnsafeRawPointer], batch: Int,
    options: StepOptions = StepOptions(), outputs: [UnsafeMutableRawPointer]? = nil
  ) throws(ProgramError) -> [Float] {
    let call = TrainingCall(inputs: inputs, targets: targets, outputs: outputs, batch: batch)
    return try run(call, "training step") { pointers, losses, space in
      var options = options.abi
      return program.model.train_step(
        parameters.floats.baseAddress, packed.address, pointers.inputs, pointers.targets,
        Int32(batch), &options, gradientBlock.floats.baseAddress, optimizer.floats.baseAddress,
        losses, pointers.outputs, space)
    }
  }

  // MARK: Training calls

  private struct TrainingCall {
    let inputs: [UnsafeRawPointer]
    let targets: [UnsafeRawPointer]
    let outputs: [UnsafeMutableRawPointer]?
    let batch: Int
  }

  private struct Pointers {
    let inputs: UnsafePointer<UnsafeRawPointer?>?
    let targets: UnsafePointer<UnsafeRawPointer?>?
    let outputs: UnsafePointer<UnsafeMutableRawPointer?>?
  }

  /// Checks a call, prepares, and gives `function` pointers to pointers as C wants them.
  private func run(
    _ call: TrainingCall, _ name: String,
    _ function: (Pointers, UnsafeMutablePointer<Float>?, UnsafeMutableRawPointer) -> Int32
  ) throws(ProgramError) -> [Float] {
    guard program.canTrain else { throw .inferenceOnly(model: program.name, call: name) }
    try checkBatch(call.batch)
    try checkCount("inputs", call.inputs.count, program.inputs)
    try checkCount("targets", call.targets.count, program.targets)
    if let outputs = call.outputs { try checkCount("outputs", outputs.count, program.outputs) }
    if !isPrepared { try prepare() }
    let space = try workspace(program.trainingWorkspaceBytes)
    settle(parameters, packed, gradientBlock, optimizer)
    var losses = [Float](repeating: 0, count: program.lossEntries)
    let status = call.inputs.map(Optional.some).withUnsafeBufferPointer { inputs in
      call.targets.map(Optional.some).withUnsafeBufferPointer { targets in
        (call.outputs ?? []).map(Optional.some).withUnsafeBufferPointer { outputs in
          losses.withUnsafeMutableBufferPointer { losses in
            let pointers = Pointers(
              inputs: inputs.baseAddress, targets: targets.baseAddress,
              outputs: call.outputs == nil ? nil : outputs.baseAddress)
            return function(pointers, losses.baseAddress, space)
          }
        }
      }
    }
    if status == CONVC_ERROR_LABEL { throw badLabel(call) }
    try check(status, name)
    return losses
  }

  /// Finds the label that the compiled code refused.
  private func badLabel(_ call: TrainingCall) -> ProgramError {
    for loss in program.losses {
      let target = program.targets[loss.target]
      let shape = program.outputs[loss.output].shape
      guard target.element == .int32, shape.count > 1 else { continue }
      let labels = UnsafeBufferPointer(
        start: call.targets[loss.target].assumingMemoryBound(to: Int32.self),
        count: call.batch * target.elementsPerImage)
      // One score separates two classes.
      let classes = max(2, shape[1])
      let wrong = labels.indices.filter { labels[$0] < 0 || labels[$0] >= classes }
      // A loss may leave out places with a label of its own, which is no mistake and stands there often.
      let counts = Dictionary(grouping: wrong) { labels[$0] }
      func rank(_ position: Int) -> (Int, Int) { (counts[labels[position]]?.count ?? 0, position) }
      if let position = wrong.min(by: { rank($0) < rank($1) }) {
        return .label(
          Int(labels[position]), position: position, target: target.name, loss: loss.name,
          classes: classes)
      }
    }
    return .unknownLabel(model: program.name)
  }

  // MARK: Checks

  func checkBatch(_ batch: Int) throws(ProgramError) {
    guard program.batches.contains(batch) else {
      throw .batch(batch, allowed: program.batches, model: program.name)
    }
  }

  func checkCount(
    _ what: String, _ given: Int, _ tensors: [Program.Tensor]
  ) throws(ProgramError) {
    guard given == tensors.count else {
      throw .count(of: what, given: given, expected: tensors.map(\.name))
    }
  }

  private func check(_ status: Int32, _ function: String) throws(ProgramError) {
    let reasons: [Int: String] = [
      CONVC_ERROR_NULL: "a pointer is NULL",
      CONVC_ERROR_BATCH: "the batch is outside of what the model was built for",
      CONVC_ERROR_ALIGNMENT: "memory is not aligned to \(CONVC_ALIGNMENT) bytes",
      CONVC_ERROR_LABEL: "a label is no class",
      CONVC_ERROR_OPTIONS: "the library is newer than this convc; build it again",
    ]
    guard Int(status) != CONVC_OK else { return }
    throw .refused(function: function, reason: reasons[Int(status)] ?? "status \(status)")
  }
}
