import ConvcIR
import ConvcReference

/// Takes the maximum of each map.
///
/// - Input: `[N, C, H, W]`. Output: `[N, C, 1, 1]`.
/// - Saved for backward: the row-major position of the winner in its map.
/// - Gradient: goes to the winner.
/// - Edges: the first cell in row-major order wins a tie. NaN wins.
/// - Fusion: none.
/// - Errors: input not of rank 4.
/// - Source: ONNX `GlobalMaxPool`, opset 1; PyTorch `AdaptiveMaxPool2d(1)`.
public struct GlobalMaxPool: Layer {
  public static let kind = "gmp"

  public init() {}

  public var summary: String { "GlobalMaxPool" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    return input.with(shape: [input.maps.n, input.maps.c, 1, 1])
  }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window(group.inputTypes[0].maps), kind: .maximum).candidates(for: group)
  }

  private func window(_ maps: MapShape) -> Window2D {
    Window2D(kernelSize: Size2D(height: maps.h, width: maps.w))
  }
}

extension Value {
  /// Applies ``GlobalMaxPool``.
  public func globalMaxPool(
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(GlobalMaxPool(), name: name, file: file, line: line)
  }
}

extension GlobalMaxPool: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(GlobalMaxPool(), inputs: [2, 3, 4, 5])]
}

extension GlobalMaxPool: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    window(call.input.maps).forEachWinner(of: call) { output, winner, distance in
      y.address[output] = call.input.address[winner]
      decisions.note(winner, distance: distance)
    }
    return LayerResult(
      output: y, decisions: decisions.hash, margin: decisions.margin(in: call.input))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    window(call.input.maps).forEachWinner(of: call) { output, winner, _ in
      gradient.address[winner] += outputGradient.address[output]
    }
    return LayerGradients(inputs: [gradient])
  }
}
