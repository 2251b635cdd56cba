/// How a tensor's elements lie in the arena.
public enum Layout: String, Sendable, Hashable, CaseIterable {
  /// `[N, C, H, W]`.
  case nchw
  /// `[N, C/L, H, W, L]`: channels in blocks of a vector's lanes.
  case blocked
  /// `[N/L, C, H, W, L]`: images in lanes. Lanes without an image hold finite values that count nowhere.
  case lanes
}

/// Zero cells around every map, which convolutions read instead of testing borders.
public struct Halo: Sendable, Hashable {
  public let top: Int
  public let bottom: Int
  public let left: Int
  public let right: Int

  public static let none = Halo(top: 0, bottom: 0, left: 0, right: 0)

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  public var isNone: Bool { self == .none }

  /// The smallest halo that serves both.
  public func union(_ other: Halo) -> Halo {
    Halo(
      top: max(top, other.top), bottom: max(bottom, other.bottom), left: max(left, other.left),
      right: max(right, other.right))
  }
}

/// A tensor in a buffer: type, layout, halo.
public struct Placement: Sendable, Hashable {
  public let buffer: Buffer.ID
  public let type: TensorType
  public let layout: Layout
  public let halo: Halo
  /// Lanes of the target.
  public let lanes: Int

  public init(buffer: Buffer.ID, type: TensorType, layout: Layout, halo: Halo = .none, lanes: Int) {
    self.buffer = buffer
    self.type = type
    self.layout = layout
    self.halo = halo
    self.lanes = lanes
  }

  /// Extents without halo.
  public var maps: MapShape { type.maps }
  /// Whether an element in C is a vector of lanes.
  public var isVector: Bool { layout != .nchw }
  /// Entries of the outermost dimension at the largest batch: images, or groups of images.
  public var outer: Int { layout == .lanes ? (maps.n + lanes - 1) / lanes : maps.n }
  /// Maps, or blocks of maps.
  public var blocks: Int { layout == .blocked ? (maps.c + lanes - 1) / lanes : maps.c }
  /// Rows and columns of one map with its halo.
  public var rows: Int { maps.h + halo.top + halo.bottom }
  public var columns: Int { maps.w + halo.left + halo.right }
  /// Bytes of the whole buffer.
  public var bytes: Int {
    outer * blocks * rows * columns * (isVector ? lanes : 1) * type.element.size
  }
  /// Position of the first real cell, in cells, less a border that the reader wants to see.
  public func origin(top: Int = 0, left: Int = 0) -> Int {
    (halo.top - top) * columns + halo.left - left
  }

  /// Shape in words: `[N/16, 6, 14, 14, 16]`.
  public var text: String {
    let outerText = layout == .lanes ? "groups" : "batch"
    var extents = [outerText, "\(blocks)"]
    if type.shape.count > 2 { extents += ["\(rows)", "\(columns)"] }
    if isVector { extents.append("\(lanes)") }
    return "[" + extents.joined(separator: ", ") + "]"
  }
}
