import ConvcData
import ConvcIR
import ConvcONNX
import ConvcPasses
import ConvcTraining

extension Model {
  /// The network with its weights as an ONNX model that infers: losses and penalties are left out.
  ///
  /// - Parameters:
  ///   - weights: nil: the network's own, as an imported network has them; what it has not is drawn from `seed`.
  ///   - batch: the extent of axis 0, a number of images or a name for any. Networks with whole shapes keep theirs.
  ///   - memoryLimit: bytes of tensors and parameters above which a network is refused.
  /// - Throws: ``CompileError`` where shapes do not fit; ``ONNXError`` for layers that ONNX has no operators for, and weights
  ///   of more than 2 GiB.
  public func onnx(
    weights: Checkpoint? = nil, seed: UInt64 = 0, batch: ONNXDimension = .symbol("N"),
    memoryLimit: Int = 16 << 30
  ) throws -> ExportedModel {
    let graph = try InferShapes(batch: 1, memoryLimit: memoryLimit).run(self)
    let parameters = try weights?.parameters ?? Initialization(seed: seed).parameters(of: graph)
    return try ConvertLayers(batch: batch).run(graph, parameters: parameters)
  }
}

extension ExportedModel {
  /// Writes the file, which appears as a whole or not at all.
  ///
  /// - Throws: ``OutputError``; an older file is as it was then.
  public func write(to path: String) throws(OutputError) {
    let failure: AtomicFile.Failure? = withPieces { pieces in
      do throws(AtomicFile.Failure) {
        try AtomicFile.write(pieces, to: path)
        return nil
      } catch { return error }
    }
    if let failure { throw OutputError(path: path, reason: failure.reason) }
  }
}
