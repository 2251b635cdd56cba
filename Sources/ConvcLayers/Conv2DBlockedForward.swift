import ConvcIR

extension BlockedKernels {
  func forward() -> KernelCall {
    let tile = tiles.forward(shape)
    let maker = PieceMaker(forward: context, dialect: .vector, names: names)
    let cells = maker.epilogues(group.beforePooling)
    let after = maker.epilogues(group.epilogues)
    let saves = group.pooling != nil && context.context.savesForBackward
    var arguments = [input, weight] + (layer.addsBias(context) ? [bias] : [])
    arguments.append(context.output.argument("y", .write, .vector, names: names))
    if saves { arguments.append(winners(.write)) }
    let cut = tile.channels < shape.channelBlocks
    let mapPart = tile.part ?? tile.maps
    let isUneven = shape.ow % tile.columns != 0
    let wide = isUneven ? [Constant("WIDE", BlockedTiles.wide(shape.ow, tile.columns))] : []
    let isPartial = shape.c % shape.channelBlock != 0
    let strips = tile.rows.map {
      [ConstantRow([Constant("TH", $0)], comment: "rows that all maps go through at a time")]
    }
    let rows = tile.rows ?? shape.oh
    let statistics = channelSums(
      rows: cut ? rows : min(rows, max(1, 1024 / shape.ow)), isCut: cut)
    arguments += statistics.arguments
    let isInStrips = tile.rows != nil || !statistics.arguments.isEmpty
    let ahead = BlockedAhead(
      shape, tile, context.context.target, row: Int(input.dimensions[2]) ?? shape.w,
      rows: tile.rows ?? shape.oh, isInStrips: isInStrips,
      operand: context.operands.isEmpty
        ? nil : after.arguments.first { $0.dimensions.count == 3 }?.name)
    return KernelCall(
      template: "conv2d_blocked_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: sizes + [
        steps(left: tile.isTrimmed),
        ConstantRow(
          [Constant("TK", tile.maps), Constant("TW", tile.columns)] + wide,
          comment: "register tile: blocks of maps x columns"
            + (isUneven ? "; columns of the widest tiles" : "")),
      ]
        + (mapPart > tile.maps
          ? [ConstantRow([Constant("PK", mapPart)], comment: "blocks of maps of a part")] : [])
        + (isPartial
          ? [ConstantRow([Constant("CHANNELS", shape.c)], comment: "not in blocks")] : [])
        + (cut ? [parts(tile)] : statistics.constants.isEmpty ? strips ?? [] : [])
        + statistics.constants + ahead.constants,
      flags: [
        "strips": isInStrips,
        "statistics": !statistics.arguments.isEmpty, "partial": isPartial,
        "bias": layer.addsBias(context), "pooled": group.pooling != nil, "winners": saves,
        "cells": !group.beforePooling.isEmpty, "map_tail": shape.blocks % tile.maps != 0,
        "uneven": isUneven, "maps_first": tile.part != nil,
        "map_parts": mapPart > tile.maps,
        "parts": cut, "padded": shape.padding != 0, "trimmed": tile.isTrimmed,
        "trims_rows": trimsRows(tile), "row_by_row": tile.isRowByRow,
        "short_blocks": !isPartial && !shape.isPlanar && !tile.isTrimmed && tiles.unrollsBlocks,
      ].merging(ahead.flags) { $1 },
      texts: poolTexts.merging(cellTexts(tile)) { $1 }
        .merging(["columns": isUneven ? "columns" : "TW"]) { $1 }.merging(ahead.texts) { $1 },
      fragments: ["epilogue": after.fragments, "cell": cells.fragments],
      support: cells.support + after.support, scalars: [.batch],
      arguments: arguments + cells.arguments + after.arguments,
      work: layer.work(context.context, 0.8))
  }

  /// Whether rows under one pooled row are told apart where one of them lies over zeros.
  private func trimsRows(_ tile: BlockedTiles.ForwardTile) -> Bool {
    let padding = shape.padding
    return tile.isTrimmed && !tile.isRowByRow && shape.pool.height == 2
      && padding.top + padding.bottom > 0
  }

  /// Where the sums of a window's cells stand: those of all its rows, or of one row.
  private func cellTexts(_ tile: BlockedTiles.ForwardTile) -> [String: String] {
    tile.isRowByRow
      ? [
        "held": "", "row": "", "at_cell": "[POOL_W * p + q]", "window": "POOL_W", "first_cell": "0",
        "pad": "",
      ]
      : [
        "held": "[POOL_H]", "row": "[i]", "at_cell": "[q / POOL_W][POOL_W * p + q % POOL_W]",
        "window": "POOL_H * POOL_W", "first_cell": "1", "pad": "   ",
      ]
  }

  /// What the kernel needs to sum each channel of what it writes, strips of rows at a time; nothing where nobody wants
  /// the sums.
  private func channelSums(rows: Int, isCut: Bool) -> (
    arguments: [Argument], constants: [ConstantRow]
  ) {
    guard context.givesSums else { return ([], []) }
    let channels = BatchNormKernels.padded(shape.k, lanes: lanes)
    let sums = context.buffers.channelSums(
      cells: rows * shape.ow, of: shape.oh * shape.ow, channels: channels)
    let count = sums.partsPerMap
    return (
      [
        Argument(
          "parts", element: "lanes", access: .write, buffer: sums.buffer,
          dimensions: ["3", "\(channels / lanes)"],
          text:
            "[batch * \(count), 3, \(channels / lanes), \(lanes)]  a value, sum and sum of squares around it"
        )
      ],
      [
        ConstantRow(
          (isCut ? [] : [Constant("TH", min(rows, shape.oh))]) + [Constant("PARTS", count)],
          comment: isCut
            ? "parts of an image's sums" : "rows of a part, and parts of an image's sums")
      ]
    )
  }

  private func parts(_ tile: BlockedTiles.ForwardTile) -> ConstantRow {
    ConstantRow(
      [
        Constant("TH", tile.rows ?? shape.oh), Constant("TC", tile.channels),
        Constant("TILES", BlockedTiles.ceil(shape.ow, tile.columns)),
      ], comment: "rows of a part; blocks of channels summed at a time; tiles of a row")
  }
}
