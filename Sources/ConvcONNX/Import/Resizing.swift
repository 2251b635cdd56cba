import ConvcIR
import ConvcLayers

/// Operators that resample maps.
let resizeOperators: [String: OperatorConverter] = [
  "Resize": { (node) throws(ConversionError) in try node.resize() },
  "Upsample": { (node) throws(ConversionError) in try node.resize() },
]

/// How one axis is resampled.
private struct ResizedAxis {
  let axis: Int
  let extent: Int
  /// Cells of the result for each cell of the input; need not be the quotient of the extents.
  let scale: Double
  let output: Int
  /// The part of the axis that is taken, from 0 to 1.
  let region: (start: Double, end: Double)
}

/// The rule by which the result's cells are computed.
private struct ResizeRule {
  let mode: String
  let coordinates: String
  let rounding: String
  let cubic: Double
  let excludesOutside: Bool
  let isAntialiased: Bool

  /// Where a cell of the result lies on the input's axis.
  func coordinate(_ place: Int, _ axis: ResizedAxis) -> Double {
    let x = Double(place)
    let exact = axis.scale * Double(axis.extent)
    let last = Double(axis.extent - 1)
    switch coordinates {
    case "align_corners": return exact == 1 ? 0 : x * last / (exact - 1)
    case "asymmetric": return x / axis.scale
    case "tf_half_pixel_for_nn": return (x + 0.5) / axis.scale
    case "pytorch_half_pixel": return exact == 1 ? -0.5 : (x + 0.5) / axis.scale - 0.5
    case "half_pixel_symmetric":
      let offset = Double(axis.extent) / 2 * (1 - Double(axis.output) / exact)
      return offset + (x + 0.5) / axis.scale - 0.5
    case "tf_crop_and_resize":
      let (start, end) = axis.region
      return start * last
        + (exact == 1 ? (end - start) * last / 2 : x * (end - start) * last / (exact - 1))
    default: return (x + 0.5) / axis.scale - 0.5
    }
  }

  /// The cell that lies nearest.
  func nearest(_ place: Int, _ axis: ResizedAxis) -> Int {
    let x = coordinate(place, axis)
    let rounded: Double =
      switch rounding {
      case "floor": x.rounded(.down)
      case "ceil": x.rounded(.up)
      case "round_prefer_ceil": (x + 0.5).rounded(.down)
      default: (x - 0.5).rounded(.up)
      }
    return Int(min(max(rounded, 0), Double(axis.extent - 1)))
  }

  /// As many cells as one is interpolated from at most.
  func mostTaps(_ axis: ResizedAxis) -> Double {
    2 + 2 * (mode == "cubic" ? 2 : 1) / (isAntialiased ? min(axis.scale, 1) : 1)
  }

  /// The cells that a cell is interpolated from, clamped to the axis, with their shares.
  func taps(_ place: Int, _ axis: ResizedAxis) -> [(cell: Int, share: Double)] {
    let x = min(max(coordinate(place, axis), -0x1p40), 0x1p40)
    // The cell to the left, never the one itself, as far as a ratio of 1 says.
    let base = x.rounded(.up) - 1
    let ratio = x - base
    let scale = isAntialiased ? min(axis.scale, 1) : 1
    let radius = mode == "cubic" ? 2.0 : 1.0
    let first = (-radius / scale).rounded(.down) + 1
    let count = Int(2 - 2 * first)
    var taps = (0..<count).map { index in
      let distance = abs((first + Double(index) - ratio) * scale)
      return (
        cell: Int(base + first) + index,
        share: mode == "cubic" ? cubicShare(distance) : max(0, 1 - distance)
      )
    }
    if excludesOutside {
      taps = taps.map { ($0.cell, (0..<axis.extent).contains($0.cell) ? $0.share : 0) }
    }
    let sum = taps.reduce(0) { $0 + $1.share }
    let norm = (excludesOutside || isAntialiased) && sum != 0 ? sum : 1
    return taps.map { (min(max($0.cell, 0), axis.extent - 1), $0.share / norm) }
  }

  /// Keys' kernel of cubic convolution (1981).
  private func cubicShare(_ x: Double) -> Double {
    if x <= 1 { return ((cubic + 2) * x - (cubic + 3)) * x * x + 1 }
    return x < 2 ? ((cubic * x - 5 * cubic) * x + 8 * cubic) * x - 4 * cubic : 0
  }
}

extension NodeConversion {
  fileprivate func resize() throws(ConversionError) {
    let x = try value(0)
    let axes = try resizedAxes(x.shape)
    let isOld = node.op == "Upsample" || node.opset < 11
    let rule = ResizeRule(
      mode: try string("mode", "nearest"),
      coordinates: try string(
        "coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel"),
      rounding: try string("nearest_mode", isOld ? "floor" : "round_prefer_floor"),
      cubic: Double(try float("cubic_coeff_a", -0.75)),
      excludesOutside: try int("exclude_outside", 0) != 0,
      isAntialiased: try int("antialias", 0) != 0)
    guard ["nearest", "linear", "cubic"].contains(rule.mode) else {
      throw problem(
        "resizes by mode \(ONNXError.quoted(rule.mode)), expected nearest, linear or cubic")
    }
    let known = [
      "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
      "tf_half_pixel_for_nn", "tf_crop_and_resize",
    ]
    guard known.contains(rule.coordinates) else {
      throw problem(
        "resizes by coordinates \(ONNXError.quoted(rule.coordinates)), which ONNX does not know")
    }
    guard ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"].contains(rule.rounding)
    else {
      throw problem("rounds by \(ONNXError.quoted(rule.rounding)), which ONNX does not know")
    }
    if let layer = upsampling(x, axes, rule) {
      return define(try apply(layer, to: try plain(0)))
    }
    let changed = axes.filter {
      $0.output != $0.extent || $0.scale != 1
        || rule.coordinates == "tf_crop_and_resize" && $0.region != (0, 1)
    }
    define(
      rule.mode == "nearest"
        ? try nearest(x, changed, rule) : try interpolated(x, changed, rule))
  }

  /// What scales or sizes say of each axis.
  private func resizedAxes(_ shape: [Int]) throws(ConversionError) -> [ResizedAxis] {
    let rank = shape.count
    let isOld = node.op == "Upsample" || node.opset < 11
    var chosen = Array(0..<rank)
    if let given = try ints("axes") {
      chosen = []
      for axis in given { chosen.append(try self.axis(axis, of: rank)) }
    }
    var scales = try isOld ? oldScales() : floats(2)
    var sizes = try isOld ? nil : integers(3)
    if scales?.isEmpty ?? false { scales = nil }
    if sizes?.isEmpty ?? false { sizes = nil }
    let roi = try isOld ? nil : floats(1)
    guard (scales?.count ?? sizes?.count) == chosen.count else {
      throw problem("has no scales or sizes for \(chosen.count) axes; export the model again")
    }
    let policy = try string("keep_aspect_ratio_policy", "stretch")
    var common: Double?
    if let sizes, policy != "stretch" {
      let ratios = zip(chosen, sizes).map { Double($1) / Double(shape[$0]) }
      guard policy == "not_larger" || policy == "not_smaller" else {
        throw problem(
          "keeps the aspect ratio by \(ONNXError.quoted(policy)), which ONNX does not know")
      }
      common = policy == "not_larger" ? ratios.min() : ratios.max()
    }
    var result: [ResizedAxis] = []
    for axis in 0..<rank {
      let extent = shape[axis]
      var (scale, output) = (1.0, extent)
      var region = (start: 0.0, end: 1.0)
      if let index = chosen.firstIndex(of: axis) {
        if let scales, index < scales.count {
          scale = Double(scales[index])
          output = Self.cells(scale * Double(extent))
        } else if let sizes {
          scale = common ?? Double(sizes[index]) / Double(extent)
          output =
            common == nil
            ? sizes[index] : Self.cells(scale * Double(extent) + 0.5)
        }
        if let roi, roi.count == 2 * chosen.count {
          region = (Double(roi[index]), Double(roi[chosen.count + index]))
        }
      }
      guard scale > 0, scale.isFinite, (1...1 << 24).contains(output),
        abs(region.start) < 0x1p24, abs(region.end) < 0x1p24
      else {
        throw problem("resizes axis \(axis) of \(shape) to nothing, or beyond \(1 << 24) cells")
      }
      result.append(
        ResizedAxis(axis: axis, extent: extent, scale: scale, output: output, region: region))
    }
    return result
  }

  /// Whole cells of an extent that a file computes, which may be no number at all.
  private static func cells(_ extent: Double) -> Int {
    extent.isNaN ? 0 : Int(min(max(extent.rounded(.down), -1), 0x1p30))
  }

  private func oldScales() throws(ConversionError) -> [Float]? {
    if let scales = try floats(1) { return scales }
    return try read { (node) throws(ONNXError) in try node.floats("scales") }
  }

  /// A layer of its own that does the same: whole factors of maps, and halving; nil: there is none.
  private func upsampling(
    _ x: ConvertedValue, _ axes: [ResizedAxis], _ rule: ResizeRule
  ) -> (any Layer)? {
    guard x.shape.count == 4, x.element == .float32, axes[0].scale == 1, axes[1].scale == 1,
      !rule.isAntialiased, !rule.excludesOutside
    else { return nil }
    let scales = axes[2...].map(\.scale)
    if scales == [0.5, 0.5], rule.mode == "linear", rule.coordinates.hasSuffix("half_pixel"),
      axes[2].extent % 2 == 0, axes[3].extent % 2 == 0
    {
      // Halfway between two cells on both axes: their mean.
      return AveragePool2D(kernelSize: 2)
    }
    guard scales.allSatisfy({ $0 >= 1 && $0 == $0.rounded() }) else { return nil }
    let factor = Size2D(height: Int(scales[0]), width: Int(scales[1]))
    let isDouble = scales.allSatisfy { $0 <= 2 }
    switch (rule.mode, rule.coordinates) {
    case ("nearest", "asymmetric")
    where rule.rounding == "floor" || isDouble && rule.rounding == "round_prefer_floor":
      return Upsample(factor: factor)
    case ("nearest", "half_pixel") where rule.rounding.hasPrefix("round"):
      return Upsample(factor: factor)
    case ("linear", "half_pixel"), ("linear", "pytorch_half_pixel"):
      return Upsample(factor: factor, interpolation: .bilinear)
    case ("linear", "align_corners"):
      return Upsample(factor: factor, interpolation: .bilinear, alignsCorners: true)
    default: return nil
    }
  }

  private func nearest(
    _ x: ConvertedValue, _ axes: [ResizedAxis], _ rule: ResizeRule
  ) throws(ConversionError) -> ConvertedValue {
    var shape = x.shape
    var places = shape.indices.map { Cell.variable($0) }
    var tables: [LoopNest.Table] = []
    var inside: Cell?
    for axis in axes {
      guard axis.output <= 1 << 20 else {
        throw problem(
          "resizes axis \(axis.axis) to \(axis.output) cells, more than this version can")
      }
      shape[axis.axis] = axis.output
      let cells = (0..<axis.output).map { place in
        isOutside(place, axis, rule) ? -1 : rule.nearest(place, axis)
      }
      places[axis.axis] = .table(tables.count, .variable(axis.axis))
      if cells.contains(-1) {
        let own = .whole(0) <= places[axis.axis]
        inside = inside.map { $0 && own } ?? own
      }
      tables.append(LoopNest.Table("cells\(axis.axis)", wholes: cells))
    }
    let operands = numbered([operand(x)])
    let cell = operands[0].cell(places)
    let outside = Double(try float("extrapolation_value", 0))
    return try nest(
      "\(node.op) to \(shape), nearest", operands, shape: shape, element: x.element,
      tables: tables, value: inside.map { .select($0, cell, .real(outside)) } ?? cell)
  }

  /// Whether a cell lies outside of the input where it is cropped.
  private func isOutside(_ place: Int, _ axis: ResizedAxis, _ rule: ResizeRule) -> Bool {
    guard rule.coordinates == "tf_crop_and_resize" else { return false }
    let x = rule.coordinate(place, axis)
    return x < 0 || x > Double(axis.extent - 1)
  }

  /// One axis after the other: a sum of a few cells of it, each times its share.
  private func interpolated(
    _ x: ConvertedValue, _ axes: [ResizedAxis], _ rule: ResizeRule
  ) throws(ConversionError) -> ConvertedValue {
    var x = x
    let outside = Double(try float("extrapolation_value", 0))
    for axis in axes {
      var shape = x.shape
      shape[axis.axis] = axis.output
      guard rule.mostTaps(axis) * Double(axis.output) <= 0x1p20 else {
        throw problem("takes too many cells for each of \(axis.output); resize in steps")
      }
      let taps = (0..<axis.output).map { rule.taps($0, axis) }
      let count = taps.first?.count ?? 1
      let flags = (0..<axis.output).map { isOutside($0, axis, rule) ? 0 : 1 }
      var tables = [
        LoopNest.Table("cells", wholes: taps.flatMap { $0.map(\.cell) }),
        LoopNest.Table("shares", reals: taps.flatMap { $0.map(\.share) }),
      ]
      if flags.contains(0) { tables.append(LoopNest.Table("inside", wholes: flags)) }
      let entry = .variable(axis.axis) * .whole(count) + .variable(shape.count)
      let operands = numbered([operand(x)])
      let cell = operands[0].cell(
        shape.indices.map { $0 == axis.axis ? .table(0, entry) : .variable($0) })
      x = try nest(
        "\(node.op) axis \(axis.axis) to \(axis.output), \(rule.mode)", operands, shape: shape,
        tables: tables, reduction: .sum, reduced: [count], value: .table(1, entry) * cell,
        result: flags.contains(0)
          ? .select(
            Cell.table(2, .variable(axis.axis)).applying(.toTruth), .total, .real(outside)) : nil)
    }
    return x
  }
}
