import ConvcIR
import ConvcRuntime

/// What can make training steps: a compiled network with its parameters.
///
/// Addresses stand in the order of the layout's lists; each tensor is dense and row-major, the
/// parts of `batch` images one after another.
public protocol StepRunner: AnyObject {
  var layout: ModelLayout { get }

  /// The whole parameter block.
  var parameterBlock: [Float] { get }
  func setParameterBlock(_ values: [Float]) throws

  /// The optimiser's state.
  var optimizerBlock: [Float] { get }
  func setOptimizerBlock(_ values: [Float]) throws

  /// Makes a training step: forward, backward, update.
  ///
  /// - Returns: the mean of each loss over the batch, before its weight and before the update.
  func step(
    inputs: [UnsafeRawPointer], targets: [UnsafeRawPointer], batch: Int, options: StepOptions,
    outputs: [UnsafeMutableRawPointer]?
  ) throws -> [Float]

  /// Runs inference.
  func forward(
    inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], batch: Int, threads: Int
  ) throws
}

/// A session of a compiled program, with what the graph knows beyond the program.
public final class SessionRunner: StepRunner {
  public let session: Session
  public let layout: ModelLayout

  /// - Parameters:
  ///   - session: a session of the program that was compiled from `graph`.
  public init(session: Session, graph: Graph) {
    self.session = session
    layout = ModelLayout(
      graph: graph, modelHash: session.program.modelHash, batches: session.program.batches,
      optimizerCount: session.program.optimizerCount)
  }

  public var parameterBlock: [Float] { session.parameterBlock }
  public var optimizerBlock: [Float] { session.optimizerBlock }

  public func setParameterBlock(_ values: [Float]) throws {
    try session.setParameterBlock(values)
  }

  public func setOptimizerBlock(_ values: [Float]) throws {
    try session.setOptimizerBlock(values)
  }

  public func step(
    inputs: [UnsafeRawPointer], targets: [UnsafeRawPointer], batch: Int, options: StepOptions,
    outputs: [UnsafeMutableRawPointer]?
  ) throws -> [Float] {
    try session.step(
      inputs: inputs, targets: targets, batch: batch, options: options, outputs: outputs)
  }

  public func forward(
    inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], batch: Int, threads: Int
  ) throws {
    try session.forward(inputs: inputs, outputs: outputs, batch: batch, threads: threads)
  }
}
