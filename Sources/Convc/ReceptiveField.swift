import ConvcIR

/// The part of the network's input that one value of a map is computed from.
public enum ReceptiveField: Sendable, Hashable {
  /// So many pixels, padding included; a neighbour's part lies `jump` pixels further. A map finer than the input counts as
  /// one of the same size.
  case pixels(height: Int, width: Int, verticalJump: Int, horizontalJump: Int)
  /// The whole input.
  case everything

  /// The field of every tensor of a graph, by the tensor's index.
  ///
  /// A layer of several inputs has the largest of their fields.
  ///
  /// - Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks".
  static func all(in graph: Graph) -> [ReceptiveField] {
    let pixel = pixels(height: 1, width: 1, verticalJump: 1, horizontalJump: 1)
    var fields = [ReceptiveField](repeating: pixel, count: graph.tensors.count)
    for node in graph.nodes {
      let reach = node.layer.reach(for: graph.inputTypes(of: node))
      let read = node.inputs.map { fields[$0.index] }.reduce(pixel) { $0.union($1) }
      fields[node.output.index] = read.extended(by: reach)
    }
    return fields
  }

  private func union(_ other: ReceptiveField) -> ReceptiveField {
    guard case .pixels(let height, let width, let vertical, let horizontal) = self,
      case .pixels(let height2, let width2, let vertical2, let horizontal2) = other
    else { return .everything }
    return .pixels(
      height: max(height, height2), width: max(width, width2),
      verticalJump: max(vertical, vertical2), horizontalJump: max(horizontal, horizontal2))
  }

  private func extended(by reach: Reach) -> ReceptiveField {
    guard case .pixels(let height, let width, let vertical, let horizontal) = self else {
      return .everything
    }
    switch reach {
    case .value: return self
    case .everything: return .everything
    case .window(let rows, let columns, let verticalStride, let horizontalStride):
      return .pixels(
        height: height + (rows - 1) * vertical, width: width + (columns - 1) * horizontal,
        verticalJump: vertical * verticalStride, horizontalJump: horizontal * horizontalStride)
    case .upsampling(let rows, let columns, let verticalStride, let horizontalStride):
      return .pixels(
        height: height + (rows - 1) * vertical, width: width + (columns - 1) * horizontal,
        verticalJump: max(1, vertical / verticalStride),
        horizontalJump: max(1, horizontal / horizontalStride))
    }
  }
}

extension ReceptiveField: Codable {
  private enum CodingKeys: String, CodingKey {
    case size, jump
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard let size = try values.decodeIfPresent([Int].self, forKey: .size) else {
      self = .everything
      return
    }
    let jump = try values.decode([Int].self, forKey: .jump)
    guard size.count == 2, jump.count == 2 else {
      throw DecodingError.dataCorruptedError(
        forKey: .size, in: values, debugDescription: "size and jump take two numbers each")
    }
    self = .pixels(
      height: size[0], width: size[1], verticalJump: jump[0], horizontalJump: jump[1])
  }

  /// Writes `size` and `jump`, both null for the whole input.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .everything:
      try values.encodeNil(forKey: .size)
      try values.encodeNil(forKey: .jump)
    case .pixels(let height, let width, let vertical, let horizontal):
      try values.encode([height, width], forKey: .size)
      try values.encode([vertical, horizontal], forKey: .jump)
    }
  }
}

extension ReceptiveField: CustomStringConvertible {
  /// `14x14, jump 2`, or `all`.
  public var description: String {
    guard case .pixels(let height, let width, let vertical, let horizontal) = self else {
      return "all"
    }
    let jump = vertical == horizontal ? "\(vertical)" : "\(vertical)x\(horizontal)"
    return "\(height)x\(width), jump \(jump)"
  }
}
