import ConvcIR
import ConvcReference

/// Takes the mean of each map.
///
/// - Input: `[N, C, H, W]`. Output: `[N, C, 1, 1]`.
/// - Gradient: the output's, divided by the number of cells, for each cell.
/// - Errors: input not of rank 4.
/// - Source: ONNX `GlobalAveragePool`, opset 1.
public struct GlobalAveragePool: Layer {
  public static let kind = "gap"

  public init() {}

  public var summary: String { "GlobalAveragePool" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    return input.with(shape: [input.maps.n, input.maps.c, 1, 1])
  }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    let maps = group.inputTypes[0].maps
    let window = Window2D(kernelSize: Size2D(height: maps.h, width: maps.w))
    return Pool2DKernels(window: window, kind: .average).candidates(for: group)
  }
}

extension Value {
  /// Applies ``GlobalAveragePool``.
  public func globalAveragePool(
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(GlobalAveragePool(), name: name, file: file, line: line)
  }
}

extension GlobalAveragePool: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(GlobalAveragePool(), inputs: [2, 3, 4, 5])]
}

extension GlobalAveragePool: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let maps = call.input.maps
    let y = DoubleTensor(shape: call.outputShape)
    for n in 0..<maps.n {
      for c in 0..<maps.c {
        y.address[n * maps.c + c] = sum(call.input.map(n, c)) / Double(maps.pixels)
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let maps = call.input.maps
    let inputGradient = DoubleTensor(shape: call.input.shape)
    for n in 0..<maps.n {
      for c in 0..<maps.c {
        inputGradient.map(n, c).address.update(
          repeating: outputGradient.address[n * maps.c + c] / Double(maps.pixels),
          count: maps.pixels)
      }
    }
    return LayerGradients(inputs: [inputGradient])
  }
}
