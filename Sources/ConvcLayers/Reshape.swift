import ConvcIR
import ConvcReference

/// Reads the values of an image, in NCHW order, as another shape.
///
/// - Input: any rank. Output: `[N] + shape`; one extent may be −1: what the others leave.
/// - Gradient: the output's, in the input's shape.
/// - Fusion: a view; it costs nothing where the layout keeps NCHW order within an image.
/// - Errors: extents that do not multiply to the image's values; more than one −1; more than four extents.
/// - Source: ONNX `Reshape`, opset 13, that keeps the batch; PyTorch `unflatten`, `view`.
public struct Reshape: Layer {
  public static let kind = "reshape"

  /// Extents of one image.
  public let shape: [Int]

  public init(_ shape: [Int]) { self.shape = shape }

  public var summary: String { "Reshape \(text)" }
  public var traits: LayerTraits { .anyElement }

  private var text: String { shape.map(String.init).joined(separator: "x") }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (1...4).contains(shape.count), shape.allSatisfy({ $0 == -1 || $0 >= 1 }),
      shape.filter({ $0 == -1 }).count <= 1
    else {
      throw .setting(
        "\(shape) is no shape of an image; one to four extents of at least 1 are, of which one may be -1"
      )
    }
    let values = input.shape.dropFirst().reduce(1, *)
    var known = 1
    for extent in shape where extent != -1 {
      let (product, overflow) = known.multipliedReportingOverflow(by: extent)
      known = overflow ? .max : product
    }
    let fits = shape.contains(-1) ? values % known == 0 : values == known
    guard fits else {
      throw .setting(
        "the \(values) values of an image of \(input.shapeText) do not make \(text); the extents have to "
          + (shape.contains(-1) ? "divide" : "multiply to") + " \(values)")
    }
    return input.with(shape: [input.shape[0]] + shape.map { $0 == -1 ? values / known : $0 })
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    let places = (try? output(for: inputs))?.shape.dropFirst(2)
    return places == inputs[0].shape.dropFirst(2) ? .value : .everything
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
}

extension Value {
  /// Applies ``Reshape``.
  public func reshape(
    _ shape: [Int], name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Reshape(shape), name: name, file: file, line: line)
  }
}

extension Reshape: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("shape", .integers, default: nil, "extents of one image; -1: what is left")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(try settings.integers("shape"))
  }

  public var settingValues: [String: SettingValue] { ["shape": SettingValue(shape)] }

  public static let examples = [
    LayerExample(Reshape([6, -1, 5]), inputs: [2, 3, 4, 5]),
    LayerExample(Reshape([-1, 1, 1]), inputs: [2, 6]),
  ]
}

extension Reshape: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: call.input.reshaped(call.outputShape))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [outputGradient.reshaped(call.input.shape)])
  }
}
