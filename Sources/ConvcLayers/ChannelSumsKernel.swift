import ConvcIR

/// A kernel that sums each channel of a tensor in parts, one for each entry of the outermost dimension.
///
/// Two rows a part, the sum of the values and of their products with a factor; or three, a value of the part and the
/// same sums of the values less that one, with the values themselves as the factor.
struct ChannelSumsKernel {
  /// Layer that wants the sums.
  let layer: String
  let source: Placement
  /// The source's name among the arguments.
  let argument: String
  /// What turns a value that was read into the one that is summed.
  let pieces: Pieces
  /// What the values are multiplied by, in C.
  let factor: String
  /// Where the sums go, with the number of rows as the first dimension.
  let sums: Argument
  let target: Target

  private var isLanes: Bool { source.layout == .lanes }
  private var isCentred: Bool { sums.dimensions[0] == "3" }

  /// The first value of a map, around which its sums are taken.
  private var centre: String {
    let first = "\(argument)[n][m]" + (source.isMaps ? "[0][0]" : "")
    // Lanes are images: one value for all of them, in every lane.
    return isLanes ? "(lanes){0} + \(first)[0]" : first
  }

  /// Columns at a time, so that sums of a row without vectors fill one; nil: one by one.
  private var step: Int? {
    source.isVector || !source.isMaps ? nil : target.stepOfSums(row: source.maps.w)
  }

  func call(name: String, title: String) -> KernelCall {
    let scalars: [Scalar] = isLanes ? [.batch, .groups] : [.batch]
    return KernelCall(
      template: "channel_sums", name: name, title: title,
      notes: isLanes ? ["Lanes without an image count nowhere."] : [],
      layers: [layer],
      constants: [ConstantRow(source.extents())]
        + (step.map { [ConstantRow([Constant("STEP", $0)], comment: "columns at a time")] } ?? []),
      flags: [
        "maps": source.isMaps, "lanes": isLanes, "centred": isCentred, "wide": step != nil,
        "rest": step.map { source.maps.w % $0 != 0 } ?? false,
      ],
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
}

extension Target {
  /// Floats of a row that are summed at a time: four vectors, so that a sum does not wait for the one before, where they
  /// divide the row, else 16 or 8; nil: the row has fewer.
  func stepOfSums(row: Int) -> Int? {
    [4 * lanes, 2 * lanes].first { $0 > 16 && row % $0 == 0 } ?? [16, 8].first { $0 <= row }
  }
}
