import ConvcIR
import ConvcReference

/// Takes each value to x / (1 + |x|), between −1 and 1; NaN passes through.
///
/// - Input and output: any shape.
/// - Gradient: (1 − |y|)², from the output y alone.
/// - Fusion: an epilogue of the layer before; pooling may move in front of it.
/// - Errors: none.
/// - Source: Bergstra et al. 2009; ONNX `Softsign`, opset 1.
public struct Softsign: Layer {
  public static let kind = "softsign"

  public init() {}

  public var summary: String { "Softsign" }

  public var traits: LayerTraits { .saturating }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    .elementwise(
      Epilogue(
        template: "softsign", backwardTemplate: "softsign_backward", hasVectorForm: true,
        isMonotone: true, gradientNeed: .output(.value), keeps: .sign))
  }
}

extension Value {
  /// Applies ``Softsign``.
  public func softsign(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Softsign(), name: name, file: file, line: line)
  }
}

extension Softsign: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [LayerExample(Softsign(), inputs: [2, 3, 4, 5])]
}

extension Softsign: ReferenceActivation {
  package func value(_ x: Double) -> Double { x / (1 + x.magnitude) }
  package func derivative(_ x: Double) -> Double { 1 / ((1 + x.magnitude) * (1 + x.magnitude)) }
}
