import ConvcIR
import ConvcLayers

/// Convolutions and pooling.
let windowOperators: [String: OperatorConverter] = [
  "Conv": { (node) throws(ConversionError) in try node.convolution() },
  "ConvTranspose": { (node) throws(ConversionError) in try node.transposedConvolution() },
  "MaxPool": { (node) throws(ConversionError) in try node.pool() },
  "LpPool": { (node) throws(ConversionError) in try node.pool() },
  "MaxUnpool": { (node) throws(ConversionError) in try node.maxUnpool() },
  "AveragePool": { (node) throws(ConversionError) in try node.pool() },
  "GlobalAveragePool": { (node) throws(ConversionError) in try node.globalPool() },
  "GlobalMaxPool": { (node) throws(ConversionError) in try node.globalPool() },
]

/// The window of an operator, for each axis in space.
struct OperatorWindow {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  /// Cells before and behind each axis.
  let before: [Int]
  let behind: [Int]

  var isSequence: Bool { kernel.count == 1 }
  var kernelSize: Size2D { Size2D(height: kernel[0], width: kernel[kernel.count - 1]) }
  var stride: Size2D { Size2D(height: strides[0], width: strides[strides.count - 1]) }
  var dilation: Size2D { Size2D(height: dilations[0], width: dilations[dilations.count - 1]) }
  var padding: Padding {
    Padding(
      top: before[0], bottom: behind[0], left: before[before.count - 1],
      right: behind[behind.count - 1])
  }
  var padding1D: Padding1D { .cells(left: before[0], right: behind[0]) }
}

extension NodeConversion {
  /// The window as attributes give it, with automatic padding worked out.
  func window(kernel: [Int]?, space: [Int]) throws(ConversionError) -> OperatorWindow {
    guard let kernel = try ints("kernel_shape") ?? kernel, kernel.count == space.count else {
      throw problem("has no kernel_shape for \(space.count) axes; export the model again")
    }
    let ones = space.map { _ in 1 }
    let strides = try ints("strides") ?? ones
    let dilations = try ints("dilations") ?? ones
    let pads = try ints("pads") ?? space.flatMap { _ in [0, 0] }
    guard strides.count == space.count, dilations.count == space.count,
      pads.count == 2 * space.count
    else {
      throw problem("has strides, dilations or pads for other axes than its input's \(space.count)")
    }
    guard (kernel + strides + dilations).allSatisfy({ $0 > 0 }),
      (kernel + strides + dilations + pads).allSatisfy({ $0 < 1 << 30 })
    else {
      throw problem(
        "has kernel_shape \(kernel), strides \(strides), dilations \(dilations) and pads \(pads), "
          + "expected numbers from 1, pads from 0, and all below \(1 << 30); \(ONNXError.exportAgain)"
      )
    }
    var (before, behind) = (Array(pads.prefix(space.count)), Array(pads.suffix(space.count)))
    switch try string("auto_pad", "NOTSET") {
    case "NOTSET": break
    case "VALID": (before, behind) = (space.map { _ in 0 }, space.map { _ in 0 })
    case let mode where mode == "SAME_UPPER" || mode == "SAME_LOWER":
      let total = space.indices.map { axis in
        let cells = (space[axis] + strides[axis] - 1) / strides[axis]
        return max(
          0, (cells - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1 - space[axis])
      }
      let (less, more) = (total.map { $0 / 2 }, total.map { $0 - $0 / 2 })
      (before, behind) = mode == "SAME_UPPER" ? (less, more) : (more, less)
    case let mode:
      throw problem(
        "has auto_pad \(ONNXError.quoted(mode)), expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
    guard (before + behind).allSatisfy({ $0 >= 0 }) else {
      throw problem("has negative pads, which cut cells off; slice its input instead")
    }
    return OperatorWindow(
      kernel: kernel, strides: strides, dilations: dilations, before: before, behind: behind)
  }

  /// A convolution's input over one or two axes and its constant weights, for which there are fast kernels; nil: it has
  /// others.
  private func plainConvolution() throws(ConversionError) -> (x: ConvertedValue, ONNXTensor)? {
    guard constant(0) == nil, let tensor = constant(1), (3...4).contains(tensor.dims.count),
      try value(0).shape.count == tensor.dims.count,
      node.input(2) == nil || constant(2) != nil
    else { return nil }
    return (try plain(0), tensor)
  }

  fileprivate func convolution() throws(ConversionError) {
    guard let (x, tensor) = try plainConvolution() else { return try generalConvolution() }
    let window = try window(
      kernel: Array(tensor.dims.dropFirst(2)), space: Array(x.extents.dropFirst(2)))
    let groups = try int("group", 1)
    guard groups > 0, tensor.dims[1] * groups == x.extents[1],
      window.kernel == Array(tensor.dims.dropFirst(2))
    else {
      throw problem(
        "has weights \(tensor.dims) in \(groups) groups for an input of \(x.extents[1]) channels; export the model again"
      )
    }
    var values = ["weight": weights(tensor)]
    if let bias = try bias(2, channels: tensor.dims[0]) { values["bias"] = bias }
    let hasBias: ConvolutionBias = values["bias"] == nil ? .none : .perFilter
    let layer: any Layer =
      window.isSequence
      ? Conv1D(
        outputChannels: tensor.dims[0], kernelSize: window.kernel[0], stride: window.strides[0],
        padding: window.padding1D, dilation: window.dilations[0], groups: groups, bias: hasBias)
      : Conv2D(
        outputChannels: tensor.dims[0], kernelSize: window.kernelSize, stride: window.stride,
        padding: window.padding, dilation: window.dilation, groups: groups, bias: hasBias)
    define(try apply(layer, to: x, weights: values))
  }

  /// A bias of as many values as there are channels.
  private func bias(_ index: Int, channels: Int) throws(ConversionError) -> GivenValues? {
    guard node.input(index) != nil else { return nil }
    guard let tensor = constant(index), tensor.count == channels else {
      throw problem("has a bias that is no constant of \(channels) values; export the model again")
    }
    return weights(tensor)
  }

  fileprivate func transposedConvolution() throws(ConversionError) {
    guard let (x, tensor) = try plainConvolution() else {
      return try generalTransposedConvolution()
    }
    let space = Array(x.extents.dropFirst(2))
    let (window, extra, output) = try transposedWindow(
      kernel: Array(tensor.dims.dropFirst(2)), space: space)
    let groups = try int("group", 1)
    guard groups > 0, tensor.dims[0] == x.extents[1] else {
      throw problem("has weights \(tensor.dims) for an input of \(x.extents[1]) channels")
    }
    // The layer's own bounds: what is beyond them goes by the definition.
    let fits = space.indices.allSatisfy { axis in
      let reach = (window.kernel[axis] - 1) * window.dilations[axis]
      return window.before[axis] <= reach && window.behind[axis] <= reach && output[axis] > 0
        && extra[axis] < window.strides[axis]
    }
    guard fits else { return try generalTransposedConvolution() }
    let maps = tensor.dims[1] * groups
    var values = ["weight": weights(tensor)]
    if let bias = try bias(2, channels: maps) { values["bias"] = bias }
    let hasBias = values["bias"] != nil
    let layer: any Layer =
      window.isSequence
      ? ConvTranspose1D(
        outputChannels: maps, kernelSize: window.kernel[0], stride: window.strides[0],
        padding: window.padding1D, outputPadding: extra[0], dilation: window.dilations[0],
        groups: groups, bias: hasBias)
      : ConvTranspose2D(
        outputChannels: maps, kernelSize: window.kernelSize, stride: window.stride,
        padding: window.padding, outputPadding: Size2D(height: extra[0], width: extra[1]),
        dilation: window.dilation, groups: groups, bias: hasBias)
    define(try apply(layer, to: x, weights: values))
  }

  fileprivate func pool() throws(ConversionError) {
    let space = Array(try value(0).shape.dropFirst(2))
    let window = try window(kernel: nil, space: space)
    guard (1...2).contains(space.count), window.dilations.allSatisfy({ $0 == 1 }),
      node.output(1) == nil, node.op != "LpPool"
    else { return try generalPool() }
    let x = try plain(0)
    let rounding: Rounding = try int("ceil_mode", 0) == 0 ? .floor : .ceil
    let layer: any Layer
    if node.op == "MaxPool" {
      layer =
        window.isSequence
        ? MaxPool1D(
          kernelSize: window.kernel[0], stride: window.strides[0], padding: window.padding1D,
          rounding: rounding)
        : MaxPool2D(
          kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
          rounding: rounding)
    } else {
      let counts = try int("count_include_pad", 0) != 0
      layer =
        window.isSequence
        ? AveragePool1D(
          kernelSize: window.kernel[0], stride: window.strides[0], padding: window.padding1D,
          rounding: rounding, countsPadding: counts)
        : AveragePool2D(
          kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
          rounding: rounding, countsPadding: counts)
    }
    define(try apply(layer, to: x))
  }

  fileprivate func globalPool() throws(ConversionError) {
    let x = try plain(0)
    guard x.extents.count > 2 else { throw problem("needs an input of at least three axes") }
    let pixels = x.extents.dropFirst(2).reduce(1, *)
    let maps = try reshape(
      x, to: x.extents.count == 4 ? x.extents : Array(x.extents.prefix(2)) + [1, pixels])
    let layer: any Layer = node.op == "GlobalMaxPool" ? GlobalMaxPool() : GlobalAveragePool()
    define(
      try apply(layer, to: maps), as: Array(x.shape.prefix(2)) + x.shape.dropFirst(2).map { _ in 1 }
    )
  }
}
