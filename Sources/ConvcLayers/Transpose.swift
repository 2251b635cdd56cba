import ConvcIR
import ConvcReference

/// Puts the axes behind the batch into another order.
///
/// - Input: rank 2 to 4.
/// - Output: axis i of the output is axis `permutation[i − 1]` of the input; `[2, 3, 1]` takes NCHW to NHWC.
/// - Gradient: the output's, with the axes back in order.
/// - Fusion: none.
/// - Errors: input of another rank; a permutation that does not name each axis behind the batch once.
/// - Source: ONNX `Transpose`, opset 13, whose `perm` begins with the batch's 0; PyTorch `permute`.
public struct Transpose: Layer {
  public static let kind = "transpose"

  /// Axes of the input, counted with the batch, in the order of the output; the batch's 0 is left out.
  public let permutation: [Int]

  public init(_ permutation: [Int]) { self.permutation = permutation }

  public var summary: String { "Transpose \(permutation)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleOfAxes()
    let axes = Array(1..<input.shape.count)
    guard permutation.sorted() == axes else {
      throw .setting(
        "\(permutation) does not order the axes of \(input.shapeText); each of \(axes) has to stand in it once, "
          + "the batch stays first")
    }
    return input.with(shape: [input.shape[0]] + permutation.map { input.shape[$0] })
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    permutation == permutation.sorted() ? .value : .everything
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }
}

extension Transpose: CellPermutation {
  func source(_ variables: [String], input: TensorType, output: TensorType) -> [String] {
    reordered(variables)
  }

  func target(_ variables: [String], input: TensorType, output: TensorType) -> [String] {
    permutation.map { variables[$0 - 1] }
  }

  func source(_ index: [Int], input: [Int], output: [Int]) -> [Int] { reordered(index) }

  /// From the output's order to the input's.
  private func reordered<T>(_ values: [T]) -> [T] {
    zip(permutation, values).sorted { $0.0 < $1.0 }.map(\.1)
  }
}

extension Value {
  /// Applies ``Transpose``.
  public func transpose(
    _ permutation: [Int], name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Transpose(permutation), name: name, file: file, line: line)
  }
}

extension Transpose: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec(
      "permutation", .integers, default: nil,
      "axes of the input, counted with the batch, in the order of the output")
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(try settings.integers("permutation"))
  }

  public var settingValues: [String: SettingValue] {
    ["permutation": SettingValue(permutation)]
  }

  public static let examples = [LayerExample(Transpose([2, 3, 1]), inputs: [2, 3, 4, 5])]
}
