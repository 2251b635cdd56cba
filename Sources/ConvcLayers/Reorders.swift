import ConvcIR

extension CommonKernels {
  public func reorder(
    _ source: Placement, to destination: Placement, name: String, layers: [String],
    accumulates: Bool
  ) -> KernelCall {
    if source.type.element != .float32 { return copy(source, to: destination, name, layers) }
    if let call = imageReorder(source, destination, name, layers, accumulates) { return call }
    let usesGroups = source.layout == .lanes || destination.layout == .lanes
    let isMasked = source.layout != destination.layout && usesGroups
    let image = usesGroups ? "n * LANES + l" : "n"
    let element = "x" + source.reorderIndex(image: image, isGrouped: usesGroups)
    let isPartial =
      destination.layout == .blocked && source.layout != .blocked
      && source.maps.c % source.lanes != 0
    let value = isPartial ? "(c < \(source.maps.c) ? \(element) : 0.0f)" : element
    let fills = isMasked && destination.layout == .lanes
    return KernelCall(
      template: "reorder", name: name,
      title: reorderTitle(source, destination, accumulates),
      notes: (fills ? ["Lanes without an image get zeros."] : [])
        + (isPartial ? ["Lanes without a channel get zeros."] : []), layers: layers,
      constants: [ConstantRow(isPartial ? destination.laneExtents : source.channelExtents)],
      flags: [
        "maps": source.isMaps, "grouped": usesGroups,
        "skips": isMasked && destination.layout != .lanes,
      ],
      texts: [
        "outer": usesGroups ? "groups" : "batch",
        "value": fills ? "\(image) < batch ? \(value) : 0.0f" : value,
        "to": "y" + destination.reorderIndex(image: image, isGrouped: usesGroups),
        "store": accumulates ? "+=" : "=",
      ], scalars: isMasked ? [.batch, .groups] : [usesGroups ? .groups : .batch],
      arguments: [
        source.reorderArgument("x", .read, channels: isPartial ? "\(source.maps.c)" : "C"),
        destination.reorderArgument("y", accumulates ? .update : .write),
      ], work: streamingWork(source, destination, flopsPerValue: 2))
  }

  /// Copies elements that are no floats, which stand in rows.
  private func copy(
    _ source: Placement, to destination: Placement, _ name: String, _ layers: [String]
  ) -> KernelCall {
    let element = source.type.element.cName
    let count = source.type.count / source.type.shape[0]
    func argument(_ name: String, _ access: Access, _ placement: Placement) -> Argument {
      Argument(
        name, element: element, access: access, buffer: placement.buffer, dimensions: ["COUNT"],
        text: "[batch, \(count)]  \(source.type.element.rawValue)")
    }
    return KernelCall(
      template: "copy", name: name, title: "copied in the same order", layers: layers,
      constants: [ConstantRow([Constant("COUNT", count)])], scalars: [.batch],
      arguments: [argument("x", .read, source), argument("y", .write, destination)],
      work: streamingWork(source, destination))
  }

  private func reorderTitle(
    _ source: Placement, _ destination: Placement, _ accumulates: Bool
  ) -> String {
    (accumulates ? "added" : "copied")
      + (source.layout == destination.layout
        ? " in the same order" : " from \(source.orderText) to \(destination.orderText)")
      + (destination.halo.isNone ? "" : ", inside the zeros around the maps")
  }

  /// A reorder that puts images into lanes or takes them out, in whole vectors: squares of as many images as channels are
  /// turned. nil: the channels of an image do not stand in vectors, or are too few for one.
  private func imageReorder(
    _ source: Placement, _ destination: Placement, _ name: String, _ layers: [String],
    _ accumulates: Bool
  ) -> KernelCall? {
    let toLanes = destination.layout == .lanes
    guard toLanes != (source.layout == .lanes) else { return nil }
    let (image, cells) = toLanes ? (source, destination) : (destination, source)
    let lanes = source.lanes
    let isBlocked = image.layout == .blocked
    let isPlain = image.halo.isNone && cells.halo.isNone
    // In plain order all values of an image are one row, as they are in lanes.
    let count = isBlocked ? image.maps.c : image.maps.c * image.maps.pixels
    guard isBlocked ? count % lanes == 0 : isPlain && count >= lanes else { return nil }
    let hasTail = count % lanes != 0
    let isMaps = isBlocked && image.isMaps
    let pixel = isMaps ? "[h][w]" : ""
    let store = accumulates ? "+=" : "="
    let features = TensorType(shape: [image.maps.n, count])
    let (from, to) =
      isBlocked ? (source, destination) : (source.viewed(features), destination.viewed(features))
    let row = isBlocked ? "[image][m]\(pixel)" : "[image][c]"
    let cell = !toLanes && hasTail ? "MIN(c + l, C - 1)" : "c + l"
    let put =
      isBlocked
      ? "y\(row) \(store) v[l];"
      : hasTail
        ? "store_floats(&y\(row), v[l], C - c, \(accumulates ? 1 : 0));"
        : "*(loose *)&y\(row) \(store) v[l];"
    let texts = [
      "first": toLanes && hasTail ? "MIN(LANES * m, C - LANES)" : "LANES * m",
      "cell": (toLanes ? "y" : "x") + "[n][\(cell)]\(pixel)", "put": put,
      "row": isBlocked ? "x\(row)" : "*(const loose *)&x\(row)", "store": store,
    ]
    let pixels = isMaps ? [Constant("H", image.maps.h), Constant("W", image.maps.w)] : []
    return KernelCall(
      template: "reorder_images", name: name,
      title: reorderTitle(source, destination, accumulates),
      notes: toLanes ? ["Lanes without an image get zeros."] : [], layers: layers,
      constants: [
        ConstantRow(
          [Constant("C", count), Constant("BLOCKS", LanesTiles.ceil(count, lanes))] + pixels,
          comment: "channels, vectors of them")
      ],
      flags: ["maps": isMaps, "to_lanes": toLanes, "overlaps": toLanes && hasTail],
      texts: texts,
      support: ["support_transpose"] + (!toLanes && hasTail ? ["support_store_floats"] : []),
      scalars: [.batch, .groups],
      arguments: [
        from.turnedArgument("x", .read),
        to.turnedArgument("y", accumulates ? .update : .write),
      ], work: streamingWork(source, destination, flopsPerValue: 2))
  }

  public func clearHalo(of placement: Placement, name: String, layers: [String]) -> KernelCall {
    let halo = placement.halo
    let inside = placement.outer * placement.blocks * placement.maps.pixels
    let zeros = placement.bytes - inside * (placement.isVector ? placement.lanes : 1) * 4
    let whole = Placement(
      buffer: placement.buffer,
      type: placement.type.with(shape: [
        placement.maps.n, placement.maps.c, placement.rows, placement.columns,
      ]), layout: placement.layout, lanes: placement.lanes)
    return KernelCall(
      template: "clear_halo", name: name, title: "zeros around the maps",
      notes: [
        "Other buffers use the same memory at other times, so every run writes the zeros anew."
      ],
      layers: layers,
      constants: [
        ConstantRow(
          [
            Constant("C", placement.blocks), Constant("H", placement.rows),
            Constant("W", placement.columns),
          ], comment: "with the halo"),
        ConstantRow([
          Constant("TOP", halo.top), Constant("BOTTOM", halo.bottom),
          Constant("LEFT", halo.left), Constant("RIGHT", halo.right),
        ]),
      ], flags: ["vector": placement.isVector],
      texts: ["outer": placement.outerScalar.rawValue, "lane": placement.isVector ? "[l]" : ""],
      scalars: [placement.outerScalar],
      arguments: [whole.argument("y", .halo, .scalar, meaning: placement.lanesText)],
      work: Work(flops: 0, bytes: Double(zeros), efficiency: 1))
  }

  public func copyParameters(
    _ ranges: [ParameterRange], from master: Buffer.ID, to packed: Buffer.ID
  ) -> KernelCall {
    let count = ranges.reduce(0) { $0 + $1.count }
    let items = ranges.map { "{\($0.source), \($0.destination), \($0.count)}," }
    let isOne = ranges.count == 1
    let rows = stride(from: 0, to: items.count, by: 3).map { first in
      items[first..<min(first + 3, items.count)].joined(separator: " ")
    }
    return KernelCall(
      template: isOne ? "copy_parameters" : "copy_parameter_ranges", name: "copy_parameters",
      title: "copies parameters that inference reads as they are into the packed block", layers: [],
      constants: isOne
        ? [ConstantRow([Constant("FIRST", ranges[0].source), Constant("COUNT", count)])] : [],
      texts: isOne ? [:] : ["ranges": rows.joined(separator: "\n")],
      scalars: [],
      arguments: [
        Argument(
          "parameters", element: "float", access: .read, buffer: master,
          text: "the parameter block"),
        Argument("copy", element: "float", access: .write, buffer: packed, text: "[\(count)]"),
      ], isParallel: count > 4096,
      work: Work(flops: 0, bytes: Double(count * 8), efficiency: 1))
  }
}

extension Placement {
  /// The order of the elements, in words.
  fileprivate var orderText: String {
    switch layout {
    case .nchw: "plain order"
    case .blocked: "vectors of \(lanes) maps"
    case .lanes: "vectors of \(lanes) images"
    }
  }

  /// Channels, not blocks of them: reorders count in channels.
  fileprivate var channelExtents: [Constant] {
    isMaps
      ? [Constant("C", maps.c), Constant("H", maps.h), Constant("W", maps.w)]
      : [Constant("C", maps.c)]
  }

  /// Lanes of the blocks, which may be more than channels.
  fileprivate var laneExtents: [Constant] {
    [Constant("C", blocks * lanes)]
      + (isMaps ? [Constant("H", maps.h), Constant("W", maps.w)] : [])
  }

  fileprivate func reorderIndex(image: String, isGrouped: Bool) -> String {
    let pixel = isMaps ? "[h][w]" : ""
    switch layout {
    case .nchw: return "[\(image)][c]\(pixel)"
    case .blocked: return "[\(image)][c / LANES]\(pixel)[c % LANES]"
    case .lanes: return "[n][c]\(pixel)[l]"
    }
  }

  /// The same memory as features.
  fileprivate func viewed(_ type: TensorType) -> Placement {
    Placement(buffer: buffer, type: type, layout: layout, lanes: lanes)
  }

  fileprivate func turnedArgument(_ name: String, _ access: Access) -> Argument {
    argument(
      name, access, .vector, names: (layout == .blocked ? "BLOCKS" : "C", "H", "W"),
      meaning: lanesText)
  }

  fileprivate func reorderArgument(_ name: String, _ access: Access, channels: String = "C")
    -> Argument
  {
    argument(
      name, access, .scalar, names: (layout == .blocked ? "\(blocks)" : channels, "H", "W"),
      meaning: lanesText)
  }
}
