import ConvcIR

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

/// Makes the pieces of a group's members for one kernel.
struct PieceMaker {
  let forward: ForwardContext
  let dialect: Dialect
  /// Names of the constants for the output's maps, rows and columns.
  var names: (c: String, h: String, w: String) = ("C", "H", "W")
  /// What random members draw their bits for at once; nil: the kernel has no place for such members.
  var patch: RandomPatch?

  private var graph: Graph { forward.context.graph }
  private var output: Placement { forward.output }
  private var suffix: String { dialect == .scalar ? "scalar" : "vector" }

  /// The members' work in order. Of a group's members those before its pooling have no operands.
  func epilogues(_ members: [Member]) -> Pieces {
    var pieces = Pieces()
    var operand = 0
    for member in members {
      let node = graph[member.node]
      let shared = sharedValues(
        member, node, member.epilogue.constants, member.epilogue.channelValues, &pieces)
      pieces.addSupport(member.epilogue.support.map { "support_\($0)_\(suffix)" })
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
  ///
  /// - Parameters:
  ///   - output: name of the group's output among the kernel's arguments.
  ///   - input: the value before the group's first member, for whose gradient it serves; nil: the group's output does.
  func reversed(
    _ members: [Member], output name: String = "y", input: MemberInput? = nil
  ) -> Pieces {
    var pieces = Pieces()
    for member in members.reversed() {
      guard let template = member.epilogue.backwardTemplate else { continue }
      let node = graph[member.node]
      var values = sharedValues(
        member, node, member.epilogue.backwardConstants, member.epilogue.backwardChannelValues,
        &pieces)
      pieces.addSupport(member.epilogue.backwardSupport.map { "support_\($0)_\(suffix)" })
      if member.epilogue.gradientNeed != .nothing {
        if let input, input.member == member.node {
          pieces.append(input.pieces)
          values["value"] = input.value
        } else {
          values["value"] = outputValue(member, node, name, &pieces)
        }
      }
      pieces.fragments.append(
        Fragment(template: "\(template)_\(suffix)", values: values, layer: node.name))
    }
    return pieces
  }

  /// The group's output as what a member's gradient needs.
  private func outputValue(
    _ member: Member, _ node: Node, _ name: String, _ pieces: inout Pieces
  ) -> String {
    precondition(
      member.epilogue.gradientNeed.trace != .nothing,
      "internal error: the gradient of \(node.name) needs an input that nobody stores")
    if !pieces.arguments.contains(where: { $0.name == name }) {
      pieces.arguments.append(
        output.argument(
          name, .read, dialect, names: names,
          meaning: "\(node.name) \(member.epilogue.gradientText)"))
    }
    return name + output.at(dialect)
  }

  /// The stored input of a group without an anchor, where its first member's gradient needs that.
  ///
  /// - Parameter name: the input's name among the kernel's arguments; nil: it is called after the member.
  func storedInput(_ name: String?) -> MemberInput? {
    let group = forward.context.group
    guard group.anchor == nil, let first = group.members.first,
      first.epilogue.gradientNeed == .input
    else { return nil }
    let layer = graph[first.node].name
    let name = name ?? "\(layer)_x"
    let input = forward.inputs[0]
    return MemberInput(
      member: first.node, value: name + input.at(dialect),
      pieces: Pieces(arguments: [
        input.argument(
          name, .read, dialect, names: names,
          meaning: "\(layer) \(first.epilogue.gradientText)")
      ]))
  }

  private func sharedValues(
    _ member: Member, _ node: Node, _ constants: [String: String], _ names: [String],
    _ pieces: inout Pieces
  ) -> [String: String] {
    var values = constants
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
    guard member.epilogue.isRandom else { return values }
    guard let patch else {
      preconditionFailure("internal error: \(node.name) in a kernel that draws no bits")
    }
    let bits = "\(node.name)_bits"
    values["bits"] = bits
    values["place"] = patch.place
    pieces.scalars = [.seed, .step]
    pieces.draws.append(
      Fragment(
        template: patch.template, values: ["bits": bits, "key": RandomMask.key(of: node.name)],
        layer: node.name))
    pieces.addSupport(patch.support)
    return values
  }
}

/// The value before a member, for its backward template.
struct MemberInput {
  let member: Node.ID
  /// The value in C.
  let value: String
  /// What has to stand before it.
  let pieces: Pieces
}

extension BackwardContext {
  /// From the value that a kernel reads as the output's gradient to the gradient before members: first what nobody
  /// stored, then the members' reverse.
  func prologue(
    _ members: [Member], _ dialect: Dialect, names: (c: String, h: String, w: String),
    patch: RandomPatch? = nil
  ) -> Pieces {
    var pieces = deferred?(dialect, names) ?? Pieces()
    let maker = PieceMaker(forward: forward, dialect: dialect, names: names, patch: patch)
    pieces.append(maker.reversed(members, input: maker.storedInput("x")))
    return pieces
  }

  /// The gradient before members, to be computed by who needs it.
  ///
  /// - Parameter input: the value before the group's first member, where the output does not serve; by default what is
  ///   stored of it.
  func passed(
    through members: [Member],
    input: ((Dialect, _ names: (c: String, h: String, w: String)) -> MemberInput?)? = nil
  ) -> DeferredGradient {
    let name = "\(context.graph[context.group.output].name)_y"
    return DeferredGradient(source: outputGradient) { dialect, names in
      var pieces = deferred?(dialect, names) ?? Pieces()
      let maker = PieceMaker(forward: forward, dialect: dialect, names: names)
      let before = input.map { $0(dialect, names) } ?? maker.storedInput(nil)
      pieces.append(maker.reversed(members, output: name, input: before))
      return pieces
    }
  }
}
