import ConvcIR
import ConvcLayers

/// Layers that move values without computing, or change the shape alone.

extension Flatten: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Flatten", onnx.inputs, ["axis": .int(1)]) }
}

extension Reshape: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("Reshape", onnx.inputs + [onnx.constant("shape", onnx.shape(onnx.outputType))])
  }
}

extension ReshapeAll: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("Reshape", onnx.inputs + [onnx.constant("shape", shape)])
  }
}

extension Transpose: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result("Transpose", onnx.inputs, ["perm": .ints([0] + permutation)])
  }
}

extension Concat: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("Concat", onnx.inputs, ["axis": .int(axis)]) }
}

extension Slice: ExportableLayer {
  /// Cells that are counted from the end are counted from the start.
  func write(to onnx: LayerWriter) {
    let extent = onnx.inputType.shape[axis]
    let bounds = [start, end].map { $0 < 0 ? $0 + extent : $0 }
    onnx.result(
      "Slice",
      onnx.inputs + [
        onnx.constant("starts", [bounds[0]]), onnx.constant("ends", [bounds[1]]),
        onnx.constant("axes", [axis]), onnx.constant("steps", [step]),
      ])
  }
}

extension Pad: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let isSequence = onnx.inputType.shape.count == 3
    let before = isSequence ? [0, 0, padding.left] : [0, 0, padding.top, padding.left]
    let behind = isSequence ? [0, 0, padding.right] : [0, 0, padding.bottom, padding.right]
    let pads = onnx.constant("pads", before + behind)
    let value = mode == .constant ? [onnx.constant("value", [value])] : []
    onnx.result("Pad", onnx.inputs + [pads] + value, ["mode": .text(mode.rawValue)])
  }
}

extension DepthToSpace: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.result(
      "DepthToSpace", onnx.inputs,
      ["blocksize": .int(blockSize), "mode": .text(order == .dcr ? "DCR" : "CRD")])
  }
}

extension SpaceToDepth: ExportableLayer {
  /// The operator puts the place in a block before the channel; for the other order both change places behind it.
  func write(to onnx: LayerWriter) {
    guard order == .crd else {
      return onnx.result("SpaceToDepth", onnx.inputs, ["blocksize": .int(blockSize)])
    }
    let maps = onnx.inputType.maps
    let blocks = onnx.part("blocks", "SpaceToDepth", onnx.inputs, ["blocksize": .int(blockSize)])
    let digits = onnx.constant("digit_shape", [0, blockSize * blockSize, maps.c, -1])
    let cut = onnx.part("digits", "Reshape", [blocks, digits])
    let turned = onnx.part("turned", "Transpose", [cut], ["perm": .ints([0, 2, 1, 3])])
    onnx.result("Reshape", [turned, onnx.constant("shape", onnx.shape(onnx.outputType))])
  }
}

extension Upsample: ExportableLayer {
  /// Sequences are enlarged as maps of one row.
  func write(to onnx: LayerWriter) {
    let scales = onnx.constant(
      "scales", [1, 1, Float(factor.height), Float(factor.width)], dims: [4])
    var attributes: [String: LayerWriter.Attribute] = [:]
    switch interpolation {
    case .nearest:
      attributes = [
        "mode": .text("nearest"), "nearest_mode": .text("floor"),
        "coordinate_transformation_mode": .text("asymmetric"),
      ]
    case .bilinear:
      attributes = [
        "mode": .text("linear"),
        "coordinate_transformation_mode": .text(alignsCorners ? "align_corners" : "half_pixel"),
      ]
    }
    guard onnx.inputType.shape.count == 3 else {
      return onnx.result("Resize", [onnx.input, "", scales], attributes)
    }
    let rows = onnx.constant("rows", [2])
    let maps = onnx.part("maps", "Unsqueeze", [onnx.input, rows])
    let resized = onnx.part("resized", "Resize", [maps, "", scales], attributes)
    onnx.result("Squeeze", [resized, rows])
  }
}
