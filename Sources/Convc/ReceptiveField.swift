import ConvcIR

/// The part of the network's input that one value of a map is computed from.
///
/// Along each axis the value at place `i` sees the cells from `first + i·jump` to `last + i·jump`, padding included.
/// A layer whose window has `K` taps at distance `D`, stride `S` and padding `P` makes of a field `r`, `j`, `start`:
///
///     r' = r + (K − 1)·D·j,   j' = j·S,   start' = start + ((K − 1)·D/2 − P)·j
///
/// A layer that makes maps finer divides the jump by its stride: jumps below 1 are fractions of a pixel. A layer of several
/// inputs sees what any of them sees, at the largest of their jumps.
///
/// - Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning"; Araujo, Norris and Sim 2019,
///   "Computing receptive fields of convolutional neural networks".
public enum ReceptiveField: Sendable, Hashable {
  /// The field along one axis of the input.
  public struct Axis: Sendable, Hashable {
    /// The first and the last cell that the map's first value sees; cells of the input count from 0.
    public let first: Double
    public let last: Double
    /// Cells between the fields of neighbouring values: the product of all strides so far.
    public let jump: Double

    public init(first: Double, last: Double, jump: Double) {
      self.first = first
      self.last = last
      self.jump = jump
    }

    static let pixel = Axis(first: 0, last: 0, jump: 1)

    /// Cells that a value sees.
    public var size: Double { last - first + 1 }
    /// The centre of the first value's field.
    public var start: Double { (first + last) / 2 }

    func union(_ other: Axis) -> Axis {
      Axis(
        first: min(first, other.first), last: max(last, other.last), jump: max(jump, other.jump))
    }

    func window(_ span: Int, stride: Int, before: Int) -> Axis {
      Axis(
        first: first - Double(before) * jump, last: last + Double(span - 1 - before) * jump,
        jump: jump * Double(stride))
    }

    func upsampled(_ cells: Int, stride: Int, start: Double?) -> Axis {
      let center = start ?? Double(1 - stride) / Double(2 * stride)
      let half = Double(cells - 1) / 2
      return Axis(
        first: first + (center - half) * jump, last: last + (center + half) * jump,
        jump: jump / Double(stride))
    }
  }

  case pixels(vertical: Axis, horizontal: Axis)
  /// The whole input.
  case everything

  /// The field of every tensor of a graph, by the tensor's index.
  static func all(in graph: Graph) -> [ReceptiveField] {
    let pixel = pixels(vertical: .pixel, horizontal: .pixel)
    var fields = [ReceptiveField](repeating: pixel, count: graph.tensors.count)
    for node in graph.nodes {
      let reach = node.layer.reach(for: graph.inputTypes(of: node))
      let read = node.inputs.map { fields[$0.index] }
      guard let first = read.first else { continue }
      fields[node.output.index] = read.dropFirst().reduce(first) { $0.union($1) }
        .extended(by: reach)
    }
    return fields
  }

  private func union(_ other: ReceptiveField) -> ReceptiveField {
    guard case .pixels(let vertical, let horizontal) = self,
      case .pixels(let vertical2, let horizontal2) = other
    else { return .everything }
    return .pixels(
      vertical: vertical.union(vertical2), horizontal: horizontal.union(horizontal2))
  }

  private func extended(by reach: Reach) -> ReceptiveField {
    guard case .pixels(let vertical, let horizontal) = self else { return .everything }
    switch reach {
    case .value: return self
    case .everything: return .everything
    case .window(let rows, let columns, let down, let right, let padding):
      return .pixels(
        vertical: vertical.window(rows, stride: down, before: padding.top),
        horizontal: horizontal.window(columns, stride: right, before: padding.left))
    case .upsampling(let rows, let columns, let down, let right, let top, let left):
      return .pixels(
        vertical: vertical.upsampled(rows, stride: down, start: top),
        horizontal: horizontal.upsampled(columns, stride: right, start: left))
    }
  }
}

extension ReceptiveField: Codable {
  private enum CodingKeys: String, CodingKey {
    case size, jump, start
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard let size = try values.decodeIfPresent([Double].self, forKey: .size) else {
      self = .everything
      return
    }
    let jump = try values.decode([Double].self, forKey: .jump)
    let start = try values.decode([Double].self, forKey: .start)
    guard size.count == 2, jump.count == 2, start.count == 2 else {
      throw DecodingError.dataCorruptedError(
        forKey: .size, in: values, debugDescription: "size, jump and start take two numbers each")
    }
    func axis(_ index: Int) -> Axis {
      let half = (size[index] - 1) / 2
      return Axis(first: start[index] - half, last: start[index] + half, jump: jump[index])
    }
    self = .pixels(vertical: axis(0), horizontal: axis(1))
  }

  /// Writes `size`, `jump` and `start`, a number for each axis, rows first; all null for the whole input.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .everything:
      for key in [CodingKeys.size, .jump, .start] { try values.encodeNil(forKey: key) }
    case .pixels(let vertical, let horizontal):
      try values.encode([vertical.size, horizontal.size], forKey: .size)
      try values.encode([vertical.jump, horizontal.jump], forKey: .jump)
      try values.encode([vertical.start, horizontal.start], forKey: .start)
    }
  }
}

extension ReceptiveField: CustomStringConvertible {
  /// `14x14, jump 2, start 0.5`, or `all`.
  public var description: String {
    guard case .pixels = self else { return "all" }
    return "\(sizeText()), jump \(jumpText()), start \(startText())"
  }

  /// `14x14`, or of a sequence `14`, which has one axis.
  public func sizeText(isSequence: Bool = false) -> String {
    guard case .pixels(let vertical, let horizontal) = self else { return "all" }
    let width = Self.text(horizontal.size)
    return isSequence ? width : "\(Self.text(vertical.size))x\(width)"
  }

  /// `2`, or `2x1` where the axes differ.
  public func jumpText(isSequence: Bool = false) -> String { text(\.jump, isSequence) }

  /// `0.5`, or `0.5x0` where the axes differ.
  public func startText(isSequence: Bool = false) -> String { text(\.start, isSequence) }

  private func text(_ value: (Axis) -> Double, _ isSequence: Bool) -> String {
    guard case .pixels(let vertical, let horizontal) = self else { return "" }
    let (row, column) = (value(vertical), value(horizontal))
    return isSequence || row == column
      ? Self.text(column) : "\(Self.text(row))x\(Self.text(column))"
  }

  /// Without decimals where it is whole, else with up to three.
  private static func text(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded()
    guard value.isFinite, thousandths.magnitude < 1e15 else { return "\(value)" }
    if thousandths.truncatingRemainder(dividingBy: 1000) == 0 {
      return "\(Int(thousandths) / 1000)"
    }
    return "\(thousandths / 1000)"
  }
}
