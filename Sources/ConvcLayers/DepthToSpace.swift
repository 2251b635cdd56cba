import ConvcIR
import ConvcReference

/// Makes blocks of pixels of channels: sub-pixel convolution, pixel shuffle.
///
/// - Input: `[N, B·B·C, H, W]`. Output: `[N, C, B·H, B·W]`.
/// - Formula: `y[c, h·B + i, w·B + j] = x[(i·B + j)·C + c, h, w]` (dcr: depth, column, row), or `x[(c·B + i)·B + j, h, w]` (crd).
/// - Gradient: the output's, put back.
/// - Fusion: none.
/// - Errors: input not of rank 4; channels that B·B does not divide; a block size below 1.
/// - Source: ONNX `DepthToSpace`, opset 13, modes DCR and CRD; PyTorch `PixelShuffle` is crd; Shi et al. 2016.
public struct DepthToSpace: Layer {
  /// Which of the channels' digits come first.
  public enum Order: String, Sendable, Hashable, CaseIterable {
    /// The place in the block, then the channel.
    case dcr
    /// The channel, then the place in the block.
    case crd
  }

  public static let kind = "depthtospace"

  public let blockSize: Int
  public let order: Order

  public init(blockSize: Int, order: Order = .dcr) {
    self.blockSize = blockSize
    self.order = order
  }

  public var summary: String { "DepthToSpace \(blockSize), \(order.rawValue)" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    let maps = input.maps
    guard (1...256).contains(blockSize) else {
      throw .setting("a block size of \(blockSize) is out of range; 1 to 256 work")
    }
    let cells = blockSize * blockSize
    guard maps.c % cells == 0 else {
      throw .setting(
        "\(maps.c) channels do not make blocks of \(blockSize)x\(blockSize); multiples of \(cells) do, "
          + "for example \((maps.c / cells + 1) * cells)")
    }
    return input.with(shape: [maps.n, maps.c / cells, maps.h * blockSize, maps.w * blockSize])
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    .upsampling(height: 1, width: 1, verticalStride: blockSize, horizontalStride: blockSize)
  }
}

extension DepthToSpace: CellPermutation {
  func source(_ v: [String], input: TensorType, output: TensorType) -> [String] {
    DepthOrder(blockSize, order, channels: output.maps.c).deep(v)
  }

  func target(_ v: [String], input: TensorType, output: TensorType) -> [String] {
    DepthOrder(blockSize, order, channels: output.maps.c).flat(v)
  }

  func source(_ index: [Int], input: [Int], output: [Int]) -> [Int] {
    DepthOrder(blockSize, order, channels: output[0]).deep(index)
  }
}

/// Where the cells of a map stand when blocks of pixels are channels.
struct DepthOrder {
  let block: Int
  let order: DepthToSpace.Order
  /// Channels of the flat map.
  let channels: Int

  init(_ block: Int, _ order: DepthToSpace.Order, channels: Int) {
    self.block = block
    self.order = order
    self.channels = channels
  }

  /// The deep map's cell that the flat one's cell `[channel, row, column]` is, in C.
  func deep(_ v: [String]) -> [String] {
    let place = "\(v[1]) % \(block) * \(block) + \(v[2]) % \(block)"
    let channel =
      order == .dcr
      ? "(\(place)) * \(channels) + \(v[0])" : "\(v[0]) * \(block * block) + \(place)"
    return [channel, "\(v[1]) / \(block)", "\(v[2]) / \(block)"]
  }

  /// The flat map's cell that the deep one's cell `[channel, row, column]` is, in C.
  func flat(_ v: [String]) -> [String] {
    let channel =
      order == .dcr ? "\(v[0]) % \(channels)" : "\(v[0]) / \(block * block)"
    let place = order == .dcr ? "\(v[0]) / \(channels)" : "\(v[0]) % \(block * block)"
    return [
      channel, "\(v[1]) * \(block) + \(place) / \(block)",
      "\(v[2]) * \(block) + \(place) % \(block)",
    ]
  }

  /// The deep map's cell that the flat one's cell is.
  func deep(_ index: [Int]) -> [Int] {
    let place = index[1] % block * block + index[2] % block
    let channel =
      order == .dcr ? place * channels + index[0] : index[0] * block * block + place
    return [channel, index[1] / block, index[2] / block]
  }

  /// The flat map's cell that the deep one's cell is.
  func flat(_ index: [Int]) -> [Int] {
    let (channel, place) =
      order == .dcr
      ? (index[0] % channels, index[0] / channels)
      : (index[0] / (block * block), index[0] % (block * block))
    return [channel, index[1] * block + place / block, index[2] * block + place % block]
  }
}

extension Value {
  /// Applies ``DepthToSpace``.
  public func depthToSpace(
    _ blockSize: Int, _ order: DepthToSpace.Order = .dcr, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(DepthToSpace(blockSize: blockSize, order: order), name: name, file: file, line: line)
  }
}

extension SettingSpec {
  static let blockSize = SettingSpec(
    "blockSize", .integer, default: nil, "rows and columns of a block")
  static let depthOrder = SettingSpec(
    "order", .word(DepthToSpace.Order.allCases.map(\.rawValue)), default: .word("dcr"),
    "which of the channels' digits come first: the place in the block (dcr) or the channel (crd)")
}

extension DepthToSpace: RegisteredLayer {
  public static let settings: [SettingSpec] = [.blockSize, .depthOrder]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      blockSize: try settings.integer("blockSize"), order: try settings.choice("order"))
  }

  public var settingValues: [String: SettingValue] {
    ["blockSize": .integer(blockSize), "order": .word(order.rawValue)]
  }

  public static let examples = [
    LayerExample(DepthToSpace(blockSize: 2), inputs: [2, 8, 2, 3]),
    LayerExample(DepthToSpace(blockSize: 2, order: .crd), inputs: [2, 8, 2, 3]),
  ]
}
