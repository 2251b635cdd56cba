import ConvcIR

/// The forward kernels of a batch norm: sums, unless its producer gives them, statistics, values.
struct BatchNormForward {
  private let kernels: BatchNormKernels

  init(_ kernels: BatchNormKernels) {
    self.kernels = kernels
  }

  private var context: ForwardContext { kernels.context }
  private var group: Group { kernels.group }
  private var input: Placement { kernels.input }

  func calls() -> [KernelCall] {
    if let given = context.inputSums {
      return [statistics(given, isGiven: true), normalize(part: "_forward")]
    }
    let bytes = kernels.parts * 3 * kernels.padded * 4
    let own = ChannelSums(
      buffer: context.buffers.arena("\(group.name)_sums", bytes: bytes),
      cells: input.maps.pixels, partsPerMap: 1)
    return [
      channelSums(own.buffer), statistics(own, isGiven: false), normalize(part: "_forward"),
    ]
  }

  /// The values once more, from the statistics.
  func again() -> KernelCall { normalize(part: "_again") }

  private func channelSums(_ buffer: Buffer.ID) -> KernelCall {
    ChannelSumsKernel(
      layer: kernels.node.name, source: input, argument: "x", pieces: Pieces(), factor: "v",
      sums: kernels.partSums(buffer, .write, of: 3, asVectors: true), target: context.context.target
    ).call(
      name: "\(group.name)_sums", title: "sums of each channel around one of its values")
  }

  private func statistics(_ sums: ChannelSums, isGiven: Bool) -> KernelCall {
    // Who gives sums gives them image by image; a sum of the group's own has a part for each vector of images.
    let outer = isGiven ? Scalar.batch : input.outerScalar
    let parts = (isGiven ? input.maps.n : kernels.parts) * sums.partsPerMap
    return KernelCall(
      template: "batchnorm_statistics", name: "\(group.name)_statistics",
      title: "statistics of the batch; the running ones follow them",
      layers: [kernels.node.name], constants: kernels.tableConstants,
      texts: [
        "parts": outer.rawValue + (sums.partsPerMap == 1 ? "" : " * \(sums.partsPerMap)"),
        "cells": cells(of: sums, outer), "pixels": kernels.pixels,
        "momentum": cFloat(kernels.layer.momentum), "epsilon": cFloat(kernels.layer.epsilon),
      ], scalars: outer == .batch ? [.batch] : [.batch, outer],
      arguments: [
        kernels.partSums(sums.buffer, .read, parts: parts, of: 3, asVectors: false),
        kernels.parameter("weight", 0, .read), kernels.parameter("bias", 1, .read),
        kernels.parameter("running_mean", 2, .update),
        kernels.parameter("running_var", 3, .update), kernels.values(.write),
      ], work: kernels.tableWork)
  }

  /// Cells that a part has summed, in C.
  private func cells(of sums: ChannelSums, _ outer: Scalar) -> String {
    let pixels = input.maps.pixels
    if outer == .groups { return "MIN(LANES, batch - n * LANES) * \(pixels)" }
    if sums.partsPerMap == 1 { return "\(pixels)" }
    return "MIN(\(sums.cells), \(pixels) - n % \(sums.partsPerMap) * \(sums.cells))"
  }

  private func normalize(part: String) -> KernelCall {
    let dialect = kernels.dialect
    let rows = kernels.normalizingRows(of: kernels.values(.read), dialect)
    var values = ["channel": "m"]
    for (name, argument) in zip(["mean", "scale", "bias"], rows) { values[name] = argument.name }
    var pieces = Pieces(
      fragments: [
        Fragment(
          template: "batchnorm_batch_\(dialect == .vector ? "vector" : "scalar")", values: values,
          layer: kernels.node.name)
      ], arguments: rows)
    pieces.append(PieceMaker(forward: context, dialect: dialect).epilogues(group.epilogues))
    return elementwiseCall(
      name: "\(group.name)\(part)", title: groupSummary(context.context),
      layers: layerNames(context.context), from: input, to: context.output, names: ("x", "y"),
      accumulates: false, pieces: pieces, dialect: dialect)
  }
}
