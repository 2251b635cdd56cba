import ConvcIR

extension BatchNorm2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    // Without operands and with a mask that the input shows, the output can be written again from the input.
    let isAlone = group.group.epilogues.isEmpty || BatchNormKernels.isReLU(group.group.epilogues)
    var again: (@Sendable (ForwardContext) -> [KernelCall])?
    if isAlone {
      again = { [BatchNormKernels(layer: self, context: $0).normalize(part: "_again")] }
    }
    return anyLayoutCandidates(
      for: group, readsSums: true, readsDeferred: true,
      deferred: { BatchNormKernels(layer: self, context: $0.forward).deferred($0) },
      forward: { BatchNormKernels(layer: self, context: $0).forward() },
      backward: { BatchNormKernels(layer: self, context: $0.forward).backward($0) },
      again: again)
  }
}

/// The kernels of a batch norm that uses the statistics of its batch.
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
  private var suffix: String { dialect == .vector ? "vector" : "scalar" }

  private var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a batch norm group without its anchor")
    }
    return node
  }

  private var channels: Int { input.maps.c }
  /// Channels that the statistics' loops take at a time.
  private var block: Int { max(input.lanes, 8) }
  private var padded: Int { Self.padded(channels, lanes: input.lanes) }

  /// Channels in the tables of a batch norm.
  static func padded(_ channels: Int, lanes: Int) -> Int {
    let block = max(lanes, 8)
    return (channels + block - 1) / block * block
  }
  /// Entries of the outermost dimension: each gives a part of the sums.
  private var parts: Int { input.outer }

  // MARK: Arguments

  private func parameter(_ name: String, _ index: Int, _ access: Access) -> Argument {
    Argument(
      name, element: "float", access: access,
      buffer: context.buffers.masterParameter(node.parameters[index]), text: "[\(channels)]")
  }

  private func partSums(
    _ buffer: Buffer.ID, _ access: Access, parts: Int? = nil, of rows: Int, asVectors: Bool
  ) -> Argument {
    let isVector = asVectors && input.layout == .blocked
    return Argument(
      "parts", element: isVector ? "lanes" : "float", access: access, buffer: buffer,
      dimensions: ["\(rows)", "\(isVector ? padded / input.lanes : padded)"],
      text: "[\(parts ?? self.parts), \(rows), \(padded)]  "
        + (rows == 3 ? "a value, sum and sum of squares around it" : "sum, and sum of products"))
  }

  private func table(_ name: String, rows: Int, _ access: Access, text: String) -> Argument {
    Argument(
      name, element: "float", access: access,
      buffer: context.buffers.saved(name, bytes: rows * padded * 4), dimensions: ["\(padded)"],
      text: "[\(rows), \(padded)]  \(text)")
  }

  private func values(_ access: Access) -> Argument {
    table("values", rows: 4, access, text: "mean, inverse deviation, scale and bias")
  }

  private func slopes(_ access: Access) -> Argument {
    table("slopes", rows: 2, access, text: "by the centred input, and the rest")
  }

  /// A row of a table with one value for each map, as the elementwise kernels read it.
  private func row(
    _ index: Int, of table: Argument, name: String, _ dialect: Dialect
  ) -> Argument {
    let isVector = input.layout == .blocked && dialect == .vector
    let unit = isVector ? input.lanes : 1
    return Argument(
      "\(node.name)_\(name)", element: isVector ? "lanes" : "float", access: .read,
      buffer: table.buffer, origin: index * padded / unit, text: "[\(channels)]")
  }

  // MARK: Forward

  func forward() -> [KernelCall] {
    let given = context.inputSums
    let sums =
      given
      ?? ChannelSums(
        buffer: context.buffers.arena("\(group.name)_sums", bytes: parts * 3 * padded * 4),
        cells: input.maps.pixels, partsPerMap: 1)
    return (given == nil ? [channelSums(sums.buffer)] : []) + [
      statistics(sums, isGiven: given != nil),
      normalize(part: "_forward"),
    ]
  }

  /// The values, from the statistics.
  func normalize(part: String) -> KernelCall {
    var pieces = normalizing
    pieces.append(PieceMaker(forward: context, dialect: dialect).epilogues(group.epilogues))
    return elementwiseCall(
      name: "\(group.name)\(part)", title: groupSummary(context.context),
      layers: layerNames(context.context), from: input, to: context.output, names: ("x", "y"),
      accumulates: false, pieces: pieces, dialect: dialect)
  }

  /// Whether nothing but a ReLU follows.
  static func isReLU(_ members: [Member]) -> Bool {
    members.count == 1 && members[0].epilogue.backwardTemplate == "relu_backward"
  }

  private func channelSums(_ sums: Buffer.ID) -> KernelCall {
    sumsCall(
      name: "\(group.name)_sums", title: "sums of each channel around one of its values",
      from: input, as: "x", pieces: Pieces(), factor: "v",
      into: partSums(sums, .write, of: 3, asVectors: true))
  }

  private func sumsCall(
    name: String, title: String, from source: Placement, as argument: String, pieces: Pieces,
    factor: String, into sums: Argument
  ) -> KernelCall {
    let isLanes = source.layout == .lanes
    let isCentred = sums.dimensions[0] == "3"
    let scalars = (isLanes ? [.batch, .groups] : [Scalar.batch])
    let first = "\(argument)[n][m]" + (source.isMaps ? "[0][0]" : "")
    // Lanes are images: one value for all of them, in every lane.
    let centre = isLanes ? "(lanes){0} + \(first)[0]" : first
    return KernelCall(
      template: "channel_sums", name: name, title: title,
      notes: isLanes ? ["Lanes without an image count nowhere."] : [],
      layers: [node.name], constants: [ConstantRow(source.extents())],
      flags: ["maps": source.isMaps, "lanes": isLanes, "centred": isCentred],
      texts: [
        "outer": source.outerScalar.rawValue, "type": source.isVector ? "lanes" : "float",
        "zero": source.isVector ? "{0}" : "0.0f", "from": argument, "at": source.at(.vector),
        "factor": factor, "first": centre, "row": isCentred ? "1" : "0",
        "next": isCentred ? "2" : "1",
      ], fragments: ["prologue": pieces.fragments],
      support: (isLanes ? ["support_images"] : []) + pieces.support,
      scalars: scalars + pieces.scalars.filter { !scalars.contains($0) },
      arguments: [source.argument(argument, .read, .vector, meaning: source.lanesText)]
        + pieces.arguments + [sums],
      work: streamingWork(source, flopsPerValue: 4))
  }

  private func statistics(_ sums: ChannelSums, isGiven: Bool) -> KernelCall {
    // Who gives sums gives them image by image; a sum of the group's own has a part for each vector of images.
    let outer = isGiven ? Scalar.batch : input.outerScalar
    let pixels = input.maps.pixels
    let cells =
      if outer == .groups {
        "MIN(LANES, batch - n * LANES) * \(pixels)"
      } else if sums.partsPerMap == 1 {
        "\(pixels)"
      } else {
        "MIN(\(sums.cells), \(pixels) - n % \(sums.partsPerMap) * \(sums.cells))"
      }
    return KernelCall(
      template: "batchnorm_statistics", name: "\(group.name)_statistics",
      title: "statistics of the batch; the running ones follow them", layers: [node.name],
      constants: tableConstants,
      texts: [
        "parts": outer.rawValue + (sums.partsPerMap == 1 ? "" : " * \(sums.partsPerMap)"),
        "cells": cells, "pixels": self.pixels, "momentum": cFloat(layer.momentum),
        "epsilon": cFloat(layer.epsilon),
      ], scalars: outer == .batch ? [.batch] : [.batch, outer],
      arguments: [
        partSums(
          sums.buffer, .read, parts: (isGiven ? input.maps.n : parts) * sums.partsPerMap, of: 3,
          asVectors: false),
        parameter("weight", 0, .read), parameter("bias", 1, .read),
        parameter("running_mean", 2, .update), parameter("running_var", 3, .update),
        values(.write),
      ], work: tableWork)
  }

  private var tableConstants: [ConstantRow] {
    [
      ConstantRow(
        [Constant("C", channels), Constant("BLOCK", block)],
        comment: "channels, and how many at a time")
    ]
  }
  private var pixels: String { input.isMaps ? " * \(input.maps.h) * \(input.maps.w)" : "" }
  private var partScalars: [Scalar] { input.layout == .lanes ? [.batch, .groups] : [.batch] }
  private var tableWork: Work {
    let values = Double(parts * 2 * padded)
    return Work(flops: values, bytes: values * 4, efficiency: 0.05)
  }

  private var normalizing: Pieces {
    let table = values(.read)
    let rows = [(0, "mean"), (2, "scale"), (3, "bias")].map {
      row($0, of: table, name: $1, dialect)
    }
    var values = ["channel": "m"]
    for (name, argument) in zip(["mean", "scale", "bias"], rows) { values[name] = argument.name }
    var pieces = Pieces()
    pieces.fragments = [
      Fragment(template: "batchnorm_batch_\(suffix)", values: values, layer: node.name)
    ]
    pieces.arguments = rows
    return pieces
  }

  // MARK: Backward

  func backward(_ backward: BackwardContext) -> [KernelCall] {
    let sums = context.buffers.arena("\(group.name)_d_sums", bytes: parts * 2 * padded * 4)
    var pieces = after(backward, x: "x", values(.read)).pieces(dialect, ("C", "H", "W"))
    let mean = row(0, of: values(.read), name: "mean", dialect)
    let x = input.argument("x", .read, dialect, meaning: "input of \(node.name)")
    pieces.append(Pieces(arguments: [x, mean]))
    var calls = [
      sumsCall(
        name: "\(group.name)_backward_sums",
        title: "sums of each channel's gradients, and of their products with the centred input",
        from: backward.outputGradient, as: "d_y", pieces: pieces,
        factor: "(x\(input.at(dialect)) - \(mean.name)[m])",
        into: partSums(sums, .write, of: 2, asVectors: true)),
      parameterGradients(backward, sums),
    ]
    if let gradient = backward.inputGradients[0] {
      calls.append(
        elementwiseCall(
          name: "\(group.name)_backward_data", title: "gradient of the input",
          layers: layerNames(context.context), from: backward.outputGradient,
          to: gradient.placement, names: ("d_y", "d_x"), accumulates: gradient.accumulates,
          pieces: deferred(backward, x: "x").pieces(dialect, ("C", "H", "W")),
          dialect: dialect))
    }
    return calls + operandGradients(backward)
  }

  private func parameterGradients(_ backward: BackwardContext, _ sums: Buffer.ID) -> KernelCall {
    let wantsData = backward.inputGradients[0] != nil || backward.defersInput
    let gradients = ["d_weight", "d_bias"].enumerated().map { index, name in
      Argument(
        name, element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[index]), text: "[\(channels)]")
    }
    return KernelCall(
      template: "batchnorm_slopes", name: "\(group.name)_backward_parameters",
      title: "gradients of weight and bias"
        + (wantsData ? ", and the slopes of the input's gradient" : ""),
      layers: [node.name], constants: tableConstants, flags: ["data": wantsData],
      texts: ["parts": input.outerScalar.rawValue, "pixels": pixels],
      scalars: partScalars + [.accumulate],
      arguments: [
        partSums(sums, .read, of: 2, asVectors: false), values(.read),
      ] + gradients + (wantsData ? [slopes(.write)] : []), work: tableWork)
  }

  /// The gradient of the input as an expression of the gradient that is stored after the group.
  ///
  /// - Parameter name: name of the input among the arguments of the kernel that computes it.
  func deferred(_ backward: BackwardContext, x name: String? = nil) -> DeferredGradient {
    // Buffers are this group's: they are named now, not when a reader asks.
    let tables = (values: values(.read), slopes: slopes(.read))
    let x = name ?? "\(node.name)_x"
    let after = after(backward, x: x, tables.values)
    return DeferredGradient(source: after.source) { dialect, names in
      var pieces = after.pieces(dialect, names)
      pieces.append(inputGradient(dialect, names: names, x: x, tables))
      return pieces
    }
  }

  /// The gradient right after the normalisation. A ReLU's mask shows in the input: the output is not read for it.
  private func after(_ backward: BackwardContext, x name: String, _ values: Argument)
    -> DeferredGradient
  {
    guard Self.isReLU(group.epilogues) else {
      return backward.passed(through: group.epilogues)
    }
    let before = backward.passed(through: [])
    let layer = context.context.graph[group.epilogues[0].node].name
    return DeferredGradient(source: before.source) { dialect, names in
      let rows = [(0, "mean"), (2, "scale"), (3, "bias")].map {
        row($0, of: values, name: $1, dialect)
      }
      let texts = [
        "channel": dialect == .vector ? "m" : input.channel, "x": name, "at": input.at(dialect),
        "mean": rows[0].name, "scale": rows[1].name, "bias": rows[2].name,
        "y": "\(layer)_x",
      ]
      var pieces = before.pieces(dialect, names)
      pieces.append(
        Pieces(
          fragments: [
            Fragment(
              template: "batchnorm_relu_backward_\(dialect == .vector ? "vector" : "scalar")",
              values: texts, layer: layer)
          ],
          arguments: [
            input.argument(
              name, .read, dialect, names: names, meaning: "input of \(node.name)")
          ] + rows))
      return pieces
    }
  }

  private func inputGradient(
    _ dialect: Dialect, names: (c: String, h: String, w: String), x name: String,
    _ tables: (values: Argument, slopes: Argument)
  ) -> Pieces {
    let rows = [
      row(0, of: tables.values, name: "mean", dialect),
      row(2, of: tables.values, name: "scale", dialect),
      row(0, of: tables.slopes, name: "slope", dialect),
      row(1, of: tables.slopes, name: "offset", dialect),
    ]
    let x = input.argument(
      name, .read, dialect, names: names, meaning: "input of \(node.name)")
    var texts = [
      "channel": dialect == .vector ? "m" : input.channel, "x": name, "at": input.at(dialect),
      "centred": "\(node.name)_centred",
    ]
    for (name, argument) in zip(["mean", "scale", "slope", "offset"], rows) {
      texts[name] = argument.name
    }
    let suffix = dialect == .vector ? "vector" : "scalar"
    var pieces = Pieces(
      fragments: [
        Fragment(
          template: "batchnorm_batch_backward_\(suffix)", values: texts, layer: node.name)
      ], arguments: [x] + rows)
    if input.layout == .lanes {
      let masked =
        dialect == .vector
        ? "of_images(v, batch - n * LANES)" : "n * LANES + l < batch ? v : 0.0f"
      pieces.append(
        Pieces(
          fragments: [
            Fragment(template: "batchnorm_images", values: ["masked": masked], layer: node.name)
          ], scalars: [.batch], support: dialect == .vector ? ["support_images"] : []))
    }
    return pieces
  }
}
