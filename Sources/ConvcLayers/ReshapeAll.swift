import ConvcIR
import ConvcReference

/// Reads all values of a tensor, axis 0 with them, as another shape.
///
/// Networks that change the number of images, or put another axis in their place, do it here; the network has to be an
/// unbatched one: `unbatched: true` in a model file.
///
/// - Input: any shape. Output: `shape`, of as many values.
/// - Gradient: the output's, in the input's shape.
/// - Fusion: a view of values in rows; it costs nothing there.
/// - Errors: extents below 1 or that do not multiply to the input's values; a network whose axis 0 is the batch.
/// - Source: ONNX `Reshape`, opset 13; PyTorch `view`.
public struct ReshapeAll: Layer {
  public static let kind = "reshape_all"

  /// All extents.
  public let shape: [Int]

  public init(_ shape: [Int]) { self.shape = shape }

  public var summary: String { "ReshapeAll \(shape.map(String.init).joined(separator: "x"))" }
  public var traits: LayerTraits { [.wholeShape, .anyElement] }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    let type = input.with(shape: shape)
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      count = overflow || extent < 1 ? -1 : product
      if count < 0 { break }
    }
    guard !shape.isEmpty, count == input.count else {
      throw .setting(
        "\(shape) does not hold the \(input.count) values of \(input.shapeText); the extents have to multiply to them"
      )
    }
    return type
  }

  public func reach(for inputs: [TensorType]) -> Reach { .everything }
  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }
  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
}

extension Value {
  /// Applies ``ReshapeAll``.
  public func reshapeAll(
    _ shape: [Int], name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(ReshapeAll(shape), name: name, file: file, line: line)
  }
}

extension ReshapeAll: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("shape", .integers, default: nil, "all extents, axis 0 with them")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(try settings.integers("shape"))
  }

  public var settingValues: [String: SettingValue] { ["shape": SettingValue(shape)] }

  public static let examples = [
    LayerExample(ReshapeAll([6, 4, 5]), inputs: [2, 3, 4, 5]),
    LayerExample(ReshapeAll([1, 3, 4, 2]), inputs: [4, 6]),
  ]
}

extension ReshapeAll: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: call.input.reshaped(shape))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [outputGradient.reshaped(call.input.shape)])
  }
}
