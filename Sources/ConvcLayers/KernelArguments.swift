import ConvcIR

/// How a template sees an element: one float, or a vector of lanes.
enum Dialect {
  /// Floats, with the lane as a last index where the layout has one.
  case scalar
  /// Vectors of lanes.
  case vector
}

extension Placement {
  /// The tensor as an argument.
  ///
  /// - Parameters:
  ///   - origin: cells from the first real cell back to the first one that the kernel sees.
  ///   - names: names of the constants for maps, rows and columns; extents that a halo widens stand as numbers.
  func argument(
    _ name: String, _ access: Access, _ dialect: Dialect,
    names: (c: String, h: String, w: String) = ("C", "H", "W"), top: Int = 0, left: Int = 0,
    meaning: String = ""
  ) -> Argument {
    let isFloats = dialect == .scalar || !isVector
    var dimensions = [names.c]
    if isMaps {
      dimensions.append(rows == maps.h ? names.h : "\(rows)")
      dimensions.append(columns == maps.w ? names.w : "\(columns)")
    }
    if isFloats, isVector { dimensions.append("LANES") }
    let unit = isFloats && isVector ? lanes : 1
    return Argument(
      name, element: isFloats ? "float" : "lanes", access: access, buffer: buffer,
      origin: origin(top: top, left: left) * unit, dimensions: dimensions,
      text: meaning.isEmpty ? text : "\(text)  \(meaning)")
  }

  /// Whether images are maps, not features.
  var isMaps: Bool { type.shape.count > 2 }
  /// Index of the value at hand.
  func at(_ dialect: Dialect) -> String {
    "[n][m]" + (isMaps ? "[h][w]" : "") + (dialect == .scalar && isVector ? "[l]" : "")
  }
  /// The run-time value that bounds the outermost loop.
  var outerScalar: Scalar { layout == .lanes ? .groups : .batch }
  /// Channel of the value at hand, for values that exist once a channel.
  var channel: String { layout == .blocked ? "m * LANES + l" : "m" }
  /// Image of the value at hand.
  var image: String { layout == .lanes ? "n * LANES + l" : "n" }

  /// Constants of the loops: maps or blocks of maps, rows, columns.
  func extents(c: String = "C", h: String = "H", w: String = "W") -> [Constant] {
    isMaps
      ? [Constant(c, blocks), Constant(h, maps.h), Constant(w, maps.w)] : [Constant(c, blocks)]
  }

  /// What a vector's lanes hold, for the comment of an argument.
  var lanesText: String {
    switch layout {
    case .nchw: ""
    case .blocked: "\(lanes) maps in lanes"
    case .lanes: "\(lanes) images in lanes"
    }
  }
}

/// Pieces of a kernel that come from the members of its group.
struct Pieces {
  var fragments: [Fragment] = []
  var arguments: [Argument] = []
  var scalars: [Scalar] = []
  var support: [String] = []

  /// Adds what comes after.
  mutating func append(_ other: Pieces) {
    fragments += other.fragments
    arguments += other.arguments.filter { argument in
      !arguments.contains { $0.name == argument.name }
    }
    scalars += other.scalars.filter { !scalars.contains($0) }
    support += other.support.filter { !support.contains($0) }
  }
}

/// Makes the pieces of a group's members for one kernel.
struct PieceMaker {
  let forward: ForwardContext
  let dialect: Dialect
  /// Names of the constants for the output's maps, rows and columns.
  var names: (c: String, h: String, w: String) = ("C", "H", "W")

  private var graph: Graph { forward.context.graph }
  private var output: Placement { forward.output }
  private var suffix: String { dialect == .scalar ? "scalar" : "vector" }

  /// The members' work in order. Of a group's members those before its pooling have no operands.
  func epilogues(_ members: [Member]) -> Pieces {
    var pieces = Pieces()
    var operand = 0
    for member in members {
      let node = graph[member.node]
      let shared = sharedValues(member, node, member.epilogue.channelValues, &pieces)
      let template = "\(member.epilogue.template)_\(suffix)"
      guard !member.operands.isEmpty else {
        pieces.fragments.append(Fragment(template: template, values: shared, layer: node.name))
        continue
      }
      for index in member.operands.indices {
        let name = member.operands.count == 1 ? "\(node.name)_x" : "\(node.name)_x\(index + 1)"
        pieces.arguments.append(
          forward.operands[operand].argument(
            name, .read, dialect, names: names,
            meaning: "\(node.name)'s other operand"))
        operand += 1
        var values = shared
        values["operand"] = name
        values["at"] = output.at(dialect)
        pieces.fragments.append(Fragment(template: template, values: values, layer: node.name))
      }
    }
    return pieces
  }

  /// The members' reverse: from the gradient after the last to the gradient before the first.
  func reversed(_ members: [Member]) -> Pieces {
    var pieces = Pieces()
    for member in members.reversed() {
      guard let template = member.epilogue.backwardTemplate else { continue }
      let node = graph[member.node]
      var values = sharedValues(
        member, node, member.epilogue.backwardChannelValues, &pieces)
      if member.epilogue.mask != .nothing {
        values["at"] = output.at(dialect)
        if !pieces.arguments.contains(where: { $0.name == "y" }) {
          let place = member.epilogue.mask == .sign ? "is positive" : "lies between its bounds"
          pieces.arguments.append(
            output.argument(
              "y", .read, dialect, names: names,
              meaning: "\(node.name) lets gradients through where it \(place)"))
        }
      }
      pieces.fragments.append(
        Fragment(template: "\(template)_\(suffix)", values: values, layer: node.name))
    }
    return pieces
  }

  private func sharedValues(
    _ member: Member, _ node: Node, _ names: [String], _ pieces: inout Pieces
  ) -> [String: String] {
    var values = member.epilogue.constants
    if !names.isEmpty {
      let buffers = node.layer.channelValues(
        of: node, in: graph, buffers: forward.buffers, lanes: output.lanes)
      for (name, buffer) in zip(member.epilogue.channelValues, buffers) where names.contains(name) {
        let argument = "\(node.name)_\(name)"
        values[name] = argument
        let isVector = dialect == .vector && output.layout == .blocked
        guard !pieces.arguments.contains(where: { $0.name == argument }) else { continue }
        pieces.arguments.append(
          Argument(
            argument, element: isVector ? "lanes" : "float", access: .read, buffer: buffer,
            text: "[\(output.maps.c)]"))
      }
      values["channel"] = dialect == .vector ? "m" : output.channel
    }
    if member.epilogue.isRandom {
      let maps = output.maps
      let channel = "((uint64_t)(\(output.image)) * \(maps.c) + (\(output.channel)))"
      values["index"] = output.isMaps ? "(\(channel) * \(maps.h) + h) * \(maps.w) + w" : channel
      values["key"] = "0x" + String(fnv1a32(node.name), radix: 16) + "u"
      pieces.scalars = [.seed, .step]
      pieces.support = ["support_random"]
    }
    return values
  }
}

/// FNV-1a, 32 bits, of a text's bytes.
func fnv1a32(_ text: String) -> UInt32 {
  text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
}
