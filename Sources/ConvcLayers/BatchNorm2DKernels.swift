import ConvcIR

extension BatchNorm2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    // Without operands, and where backward does not read it, the output can be written again from the input.
    let members = group.group.epilogues
    var again: (@Sendable (ForwardContext) -> [KernelCall])?
    if members.allSatisfy(\.operands.isEmpty), !BatchNormKernels.backwardReadsOutput(members) {
      again = { [BatchNormForward(BatchNormKernels(layer: self, context: $0)).again()] }
    }
    return anyLayoutCandidates(
      for: group, readsSums: true, readsDeferred: true,
      deferred: { backward($0).deferredInput() },
      forward: { BatchNormForward(BatchNormKernels(layer: self, context: $0)).calls() },
      backward: { backward($0).calls() }, again: again)
  }

  private func backward(_ context: BackwardContext) -> BatchNormBackward {
    BatchNormBackward(
      kernels: BatchNormKernels(layer: self, context: context.forward), context: context)
  }
}

/// What the kernels of a batch norm that uses the statistics of its batch share: their tables and arguments.
///
/// Forward takes three steps: sums of each channel in parts that do not depend on threads, the statistics from them, and
/// the values. Backward takes three as well: sums, the parameters' gradients with two factors a channel, and the
/// gradient as an elementwise expression of the gradient after and the input.
struct BatchNormKernels {
  let layer: BatchNorm2D
  let context: ForwardContext

  var group: Group { context.context.group }
  var input: Placement { context.inputs[0] }
  var dialect: Dialect { input.isVector ? .vector : .scalar }
  var channels: Int { input.maps.c }
  var padded: Int { Self.padded(channels, lanes: input.lanes) }
  /// Entries of the outermost dimension: each gives a part of the sums.
  var parts: Int { input.outer }
  /// Cells of a map as a factor, in C.
  var pixels: String { input.isMaps ? " * \(input.maps.h) * \(input.maps.w)" : "" }

  var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a batch norm group without its anchor")
    }
    return node
  }

  /// Channels that the loops over a table take at a time.
  private static func block(lanes: Int) -> Int { max(lanes, 8) }

  /// Channels in the tables of a batch norm.
  static func padded(_ channels: Int, lanes: Int) -> Int {
    let block = block(lanes: lanes)
    return (channels + block - 1) / block * block
  }

  var tableConstants: [ConstantRow] {
    [
      ConstantRow(
        [Constant("C", channels), Constant("BLOCK", Self.block(lanes: input.lanes))],
        comment: "channels, and how many at a time")
    ]
  }

  var tableWork: Work {
    let values = Double(parts * 2 * padded)
    return Work(flops: values, bytes: values * 4, efficiency: 0.05)
  }

  // MARK: What gradients of members need

  /// The member whose gradient takes its input, which the layer's own input shows: then nobody reads the output for it.
  static func readerOfInput(_ members: [Member]) -> Member? {
    guard let first = members.first else { return nil }
    let serves = members.count == 1 && first.epilogue.gradientNeed.acceptsInput
    return serves || first.epilogue.gradientNeed == .input ? first : nil
  }

  static func backwardReadsOutput(_ members: [Member]) -> Bool {
    members.dropFirst(readerOfInput(members) == nil ? 0 : 1).contains {
      $0.epilogue.gradientNeed.trace != .nothing
    }
  }

  // MARK: Arguments

  func parameter(_ name: String, _ index: Int, _ access: Access) -> Argument {
    Argument(
      name, element: "float", access: access,
      buffer: context.buffers.masterParameter(node.parameters[index]), text: "[\(channels)]")
  }

  func partSums(
    _ buffer: Buffer.ID, _ access: Access, parts: Int? = nil, of rows: Int, asVectors: Bool
  ) -> Argument {
    let isVector = asVectors && input.layout == .blocked
    return Argument(
      "parts", element: isVector ? "lanes" : "float", access: access, buffer: buffer,
      dimensions: ["\(rows)", "\(isVector ? padded / input.lanes : padded)"],
      text: "[\(parts ?? self.parts), \(rows), \(padded)]  "
        + (rows == 3 ? "a value, sum and sum of squares around it" : "sum, and sum of products"))
  }

  /// Forward's table, which backward reads too.
  func values(_ access: Access) -> Argument {
    table("values", rows: 4, access, text: "mean, inverse deviation, scale and bias")
  }

  /// Backward's table.
  func slopes(_ access: Access) -> Argument {
    table("slopes", rows: 2, access, text: "by the centred input, and the rest")
  }

  private func table(_ name: String, rows: Int, _ access: Access, text: String) -> Argument {
    Argument(
      name, element: "float", access: access,
      buffer: context.buffers.saved(name, bytes: rows * padded * 4), dimensions: ["\(padded)"],
      text: "[\(rows), \(padded)]  \(text)")
  }

  /// A row of a table with one value for each map, as the elementwise kernels read it.
  func row(_ index: Int, of table: Argument, name: String, _ dialect: Dialect) -> Argument {
    let isVector = input.layout == .blocked && dialect == .vector
    let unit = isVector ? input.lanes : 1
    return Argument(
      "\(node.name)_\(name)", element: isVector ? "lanes" : "float", access: .read,
      buffer: table.buffer, origin: index * padded / unit, text: "[\(channels)]")
  }

  /// Mean, scale and bias.
  func normalizingRows(of values: Argument, _ dialect: Dialect) -> [Argument] {
    [(0, "mean"), (2, "scale"), (3, "bias")].map { row($0, of: values, name: $1, dialect) }
  }
}
