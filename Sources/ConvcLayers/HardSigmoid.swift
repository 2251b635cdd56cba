import ConvcIR
import ConvcReference

/// Takes each value to slope · x + offset, cut off at 0 and 1; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: the slope where the output lies between 0 and 1, else 0.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: a slope that is not above 0 and finite, or an offset that is not finite.
/// - Source: Courbariaux et al. 2015; ONNX `HardSigmoid`, opset 6. The defaults are those of PyTorch and MobileNetV3.
public struct HardSigmoid: Layer {
  public static let kind = "hardsigmoid"

  public let slope: Float
  public let offset: Float

  public init(slope: Float = 1 / 6, offset: Float = 0.5) {
    self.slope = slope
    self.offset = offset
  }

  public var summary: String { "HardSigmoid \(slope) \(offset)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard slope > 0, slope.isFinite, offset.isFinite else {
      throw .setting(
        "slope \(slope) and offset \(offset) have to be finite and the slope above 0, as 1/6 and 0.5"
      )
    }
    return try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "hardsigmoid", backwardTemplate: "hardsigmoid_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .output(.value),
        constants: ["slope": cFloat(slope), "offset": cFloat(offset)],
        backwardConstants: ["slope": cFloat(slope)]))
  }
}

extension HardSigmoid: ReferenceActivation {
  package var kinks: [Double] {
    let (slope, offset) = (Double(slope), Double(offset))
    return [-offset / slope, (1 - offset) / slope]
  }
  package func value(_ x: Double) -> Double { min(max(Double(slope) * x + Double(offset), 0), 1) }
  package func derivative(_ x: Double) -> Double {
    value(x) > 0 && value(x) < 1 ? Double(slope) : 0
  }
}
