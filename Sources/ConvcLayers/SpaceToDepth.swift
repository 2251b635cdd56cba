import ConvcIR
import ConvcReference

/// Makes channels of blocks of pixels: the reverse of ``DepthToSpace``.
///
/// - Input: `[N, C, B·H, B·W]`. Output: `[N, B·B·C, H, W]`.
/// - Formula: `y[(i·B + j)·C + c, h, w] = x[c, h·B + i, w·B + j]` (dcr), or `y[(c·B + i)·B + j, h, w]` (crd).
/// - Gradient: the output's, put back.
/// - Fusion: none.
/// - Errors: input not of rank 4; heights or widths that B does not divide; a block size below 1.
/// - Source: ONNX `SpaceToDepth`, opset 13, is dcr; PyTorch `PixelUnshuffle` is crd.
public struct SpaceToDepth: Layer {
  public static let kind = "spacetodepth"

  public let blockSize: Int
  public let order: DepthToSpace.Order

  public init(blockSize: Int, order: DepthToSpace.Order = .dcr) {
    self.blockSize = blockSize
    self.order = order
  }

  public var summary: String { "SpaceToDepth \(blockSize), \(order.rawValue)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    let maps = input.maps
    guard (1...256).contains(blockSize) else {
      throw .setting("a block size of \(blockSize) is out of range; 1 to 256 work")
    }
    guard maps.h % blockSize == 0, maps.w % blockSize == 0 else {
      throw .setting(
        "maps of \(maps.h)x\(maps.w) do not fall into blocks of \(blockSize)x\(blockSize); pad or slice them to "
          + "multiples of \(blockSize)")
    }
    return input.with(shape: [
      maps.n, maps.c * blockSize * blockSize, maps.h / blockSize, maps.w / blockSize,
    ])
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    .window(
      height: blockSize, width: blockSize, verticalStride: blockSize, horizontalStride: blockSize)
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }
}

extension SpaceToDepth: CellPermutation {
  func source(_ v: [String], input: TensorType, output: TensorType) -> [String] {
    DepthOrder(blockSize, order, channels: input.maps.c).flat(v)
  }

  func target(_ v: [String], input: TensorType, output: TensorType) -> [String] {
    DepthOrder(blockSize, order, channels: input.maps.c).deep(v)
  }

  func source(_ index: [Int], input: [Int], output: [Int]) -> [Int] {
    DepthOrder(blockSize, order, channels: input[0]).flat(index)
  }
}

extension Value {
  /// Applies ``SpaceToDepth``.
  public func spaceToDepth(
    _ blockSize: Int, _ order: DepthToSpace.Order = .dcr, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(SpaceToDepth(blockSize: blockSize, order: order), name: name, file: file, line: line)
  }
}

extension SpaceToDepth: RegisteredLayer {
  public static let settings: [SettingSpec] = [.blockSize, .depthOrder]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      blockSize: try settings.integer("blockSize"), order: try settings.choice("order"))
  }

  public var settingValues: [String: SettingValue] {
    ["blockSize": .integer(blockSize), "order": .word(order.rawValue)]
  }

  public static let examples = [
    LayerExample(SpaceToDepth(blockSize: 2), inputs: [2, 3, 4, 6])
  ]
}
