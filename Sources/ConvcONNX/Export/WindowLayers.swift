import ConvcIR
import ConvcLayers

/// Convolutions and pooling.

/// The attributes of a window over the axes in space: one of sequences, two of maps.
private struct WindowAttributes {
  private struct Axis {
    let kernel: Int
    let stride: Int
    let dilation: Int
    let before: Int
    let behind: Int
  }

  private let axes: [Axis]

  /// - Parameters:
  ///   - behind: cells of the input that windows reach into behind its end; nil: as the window says.
  init(_ window: Window2D, rank: Int, behind: (rows: Int, columns: Int)? = nil) {
    let padding = window.padding
    axes = [
      Axis(
        kernel: window.kernelSize.height, stride: window.stride.height,
        dilation: window.dilation.height, before: padding.top,
        behind: behind?.rows ?? padding.bottom),
      Axis(
        kernel: window.kernelSize.width, stride: window.stride.width,
        dilation: window.dilation.width, before: padding.left,
        behind: behind?.columns ?? padding.right),
    ].suffix(rank - 2)
  }

  /// The window of a pooling layer. Cells that its last windows need beyond the end, as they do where sizes are rounded up,
  /// are padding: what `ceil_mode` means differs between versions and programs.
  init(pooling window: Window2D, over type: TensorType) {
    let maps = type.maps
    let size = try? window.outputSize(height: maps.h, width: maps.w)
    func behind(_ extent: Int, _ cells: Int, _ kernel: Int, _ stride: Int, _ before: Int) -> Int {
      (cells - 1) * stride + kernel - extent - before
    }
    let (kernel, stride, padding) = (window.kernelSize, window.stride, window.padding)
    self.init(
      window, rank: type.shape.count,
      behind: size.map { size in
        (
          rows: max(
            padding.bottom,
            behind(maps.h, size.height, kernel.height, stride.height, padding.top)),
          columns: max(
            padding.right, behind(maps.w, size.width, kernel.width, stride.width, padding.left))
        )
      })
  }

  var attributes: [String: LayerWriter.Attribute] {
    var attributes: [String: LayerWriter.Attribute] = [
      "kernel_shape": .ints(axes.map(\.kernel)), "strides": .ints(axes.map(\.stride)),
      "pads": .ints(pads),
    ]
    if axes.contains(where: { $0.dilation != 1 }) {
      attributes["dilations"] = .ints(axes.map(\.dilation))
    }
    return attributes
  }

  /// Cells before all axes, then behind them.
  var pads: [Int] { axes.map(\.before) + axes.map(\.behind) }

  /// The window's extents.
  var kernel: [Int] { axes.map(\.kernel) }

  /// Cells of a window.
  var count: Int { kernel.reduce(1, *) }
}

extension Conv2D: ExportableLayer {
  /// A bias of each place is added behind the operator, which knows one of each map.
  func write(to onnx: LayerWriter) {
    var attributes =
      WindowAttributes(window, rank: onnx.inputType.shape.count).attributes
    if groups != 1 { attributes["group"] = .int(groups) }
    let taps = window.kernelSize.height * window.kernelSize.width
    let weight =
      kernel == .flipped
      ? onnx.parameter("weight") { flipped($0, taps: taps) }
      : onnx.parameter("weight")
    switch bias {
    case .none: onnx.result("Conv", [onnx.input, weight], attributes)
    case .perFilter:
      onnx.result("Conv", [onnx.input, weight, onnx.parameter("bias")], attributes)
    case .perPosition:
      let sums = onnx.part("sums", "Conv", [onnx.input, weight], attributes)
      onnx.result("Add", [sums, onnx.parameter("bias")])
    }
  }
}

/// Kernels with their taps in reversed order.
private func flipped(_ weights: [Float], taps: Int) -> [Float] {
  weights.indices.map { weights[$0 / taps * taps + taps - 1 - $0 % taps] }
}

extension ConvTranspose2D: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let rank = onnx.inputType.shape.count
    let window = Window2D(
      kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation)
    var attributes = WindowAttributes(window, rank: rank).attributes
    if groups != 1 { attributes["group"] = .int(groups) }
    if outputPadding != 0 {
      attributes["output_padding"] = .ints(
        [outputPadding.height, outputPadding.width].suffix(rank - 2))
    }
    let parameters = (hasBias ? ["weight", "bias"] : ["weight"]).map { onnx.parameter($0) }
    onnx.result("ConvTranspose", onnx.inputs + parameters, attributes)
  }
}

extension LocallyConnected2D: ExportableLayer {
  /// The cells under each tap become channels, by a convolution with kernels of a single one; each place's sum of them times
  /// its own weights is the result.
  func write(to onnx: LayerWriter) {
    let (input, output) = (onnx.inputType, onnx.outputType)
    let channels = input.shape[1]
    let places = output.shape.dropFirst(2).reduce(1, *)
    let window = WindowAttributes(self.window, rank: input.shape.count)
    let (taps, cells) = (window.count, channels * window.count)
    let kernels = onnx.constant(
      "taps", (0..<cells * taps).map { $0 % taps == $0 / taps % taps ? 1 : 0 },
      dims: [cells, 1] + window.kernel)
    let maps = onnx.part(
      "cells", "Conv", [onnx.input, kernels],
      window.attributes.merging(["group": .int(channels)]) { $1 })
    let columns = onnx.part(
      "columns", "Reshape", [maps, onnx.constant("column_shape", [0, 1, cells, places])])
    let products = onnx.part(
      "products", "Mul",
      [columns, onnx.parameter("weight", dims: [outputChannels, cells, places])])
    let sums = onnx.part(
      "sums", "ReduceSum", [products, onnx.constant("axes", [2])], ["keepdims": .int(0)])
    let shape = onnx.constant("shape", onnx.shape(output))
    guard hasBias else { return onnx.result("Reshape", [sums, shape]) }
    let result = onnx.part("maps", "Reshape", [sums, shape])
    onnx.result("Add", [result, onnx.parameter("bias")])
  }
}

extension LayerWriter {
  /// Writes a pooling operator whose result is the layer's.
  fileprivate func pool(
    _ op: String, _ window: Window2D, _ more: [String: Attribute] = [:]
  ) {
    let attributes = WindowAttributes(pooling: window, over: inputType).attributes
    result(op, inputs, attributes.merging(more) { $1 })
  }
}

extension MaxPool2D: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.pool("MaxPool", window) }
}

extension AveragePool2D: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let pads = WindowAttributes(pooling: window, over: onnx.inputType).pads
    guard countsPadding, pads != WindowAttributes(window, rank: onnx.inputType.shape.count).pads
    else {
      return onnx.pool("AveragePool", window, ["count_include_pad": .int(countsPadding ? 1 : 0)])
    }
    writePadded(to: onnx)
  }

  /// Divisors that count the padding, but not what windows at the end reach into beyond it: cells are put around the map,
  /// and the operator counts those alone.
  private func writePadded(to onnx: LayerWriter) {
    let pads = WindowAttributes(window, rank: onnx.inputType.shape.count).pads
    let axes = pads.count / 2
    var (input, shape) = (onnx.input, onnx.inputType.shape)
    if pads.contains(where: { $0 != 0 }) {
      let cells = [0, 0] + pads.prefix(axes) + [0, 0] + pads.suffix(axes)
      input = onnx.part("padded", "Pad", [input, onnx.constant("pads", cells)])
      for axis in 0..<axes { shape[2 + axis] += pads[axis] + pads[axes + axis] }
    }
    let inner = Window2D(
      kernelSize: window.kernelSize, stride: window.stride, rounding: window.rounding)
    let attributes = WindowAttributes(
      pooling: inner, over: onnx.inputType.with(shape: shape)
    ).attributes
    onnx.result("AveragePool", [input], attributes.merging(["count_include_pad": .int(0)]) { $1 })
  }
}

extension SumPool2D: ExportableLayer {
  /// The mean of a window, times its cells.
  func write(to onnx: LayerWriter) {
    let window = WindowAttributes(pooling: window, over: onnx.inputType)
    let mean = onnx.part(
      "mean", "AveragePool", onnx.inputs,
      window.attributes.merging(["count_include_pad": .int(1)]) { $1 })
    onnx.result("Mul", [mean, onnx.constant("cells", [Float(window.count)])])
  }
}

extension MaxUnpool2D: ExportableLayer {
  /// The winners are found again by the pool's operator. Where windows overlap and share a winner their values add up, as
  /// scattering does and the operator `MaxUnpool` does not.
  func write(to onnx: LayerWriter) {
    guard let window else { preconditionFailure("internal error: unpooling without a pool") }
    let (values, map) = (onnx.inputs[0], onnx.inputs[1])
    let attributes = WindowAttributes(pooling: window, over: onnx.inputTypes[1]).attributes
    let winners = onnx.secondResult("winners", "MaxPool", [map], attributes)
    let shape = onnx.part("shape", "Shape", [map])
    let areApart =
      window.stride.height >= window.kernelSize.height
      && window.stride.width >= window.kernelSize.width
    guard !areApart else { return onnx.result("MaxUnpool", [values, winners, shape], attributes) }
    let all = onnx.constant("all", [-1])
    let count = onnx.part("count", "ReduceProd", [shape], ["keepdims": .int(1)])
    let zeros = onnx.part("zeros", "ConstantOfShape", [count])
    let added = onnx.part("added", "Reshape", [values, all])
    let places = onnx.part("places", "Reshape", [winners, all])
    let sums = onnx.part(
      "sums", "ScatterElements", [zeros, places, added],
      ["axis": .int(0), "reduction": .text("add")])
    onnx.result("Reshape", [sums, shape])
  }
}

extension GlobalAveragePool: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("GlobalAveragePool", onnx.inputs) }
}

extension GlobalMaxPool: ExportableLayer {
  func write(to onnx: LayerWriter) { onnx.result("GlobalMaxPool", onnx.inputs) }
}

// MARK: Sequences: the same operators with a window over one axis

extension Conv1D: ExportableLayer {
  func write(to onnx: LayerWriter) { mapLayer.write(to: onnx) }
}

extension ConvTranspose1D: ExportableLayer {
  func write(to onnx: LayerWriter) { mapLayer.write(to: onnx) }
}

extension LocallyConnected1D: ExportableLayer {
  func write(to onnx: LayerWriter) { mapLayer.write(to: onnx) }
}

extension MaxPool1D: ExportableLayer {
  func write(to onnx: LayerWriter) { mapLayer.write(to: onnx) }
}

extension AveragePool1D: ExportableLayer {
  func write(to onnx: LayerWriter) { mapLayer.write(to: onnx) }
}
