import ConvcIR
import ConvcLayers

/// Layers that normalise.

extension BatchNorm2D: ExportableLayer {
  func write(to onnx: LayerWriter) {
    let parameters = ["weight", "bias", "running_mean", "running_var"].map { onnx.parameter($0) }
    onnx.result(
      "BatchNormalization", onnx.inputs + parameters,
      ["epsilon": .float(epsilon), "momentum": .float(1 - momentum)])
  }
}

extension InstanceNorm: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.normalizeMaps(epsilon: epsilon, hasParameters: hasParameters)
  }
}

extension GroupNorm: ExportableLayer {
  func write(to onnx: LayerWriter) {
    onnx.normalizeGroups(groups, epsilon: epsilon, hasParameters: hasParameters)
  }
}

extension LayerNorm: ExportableLayer {
  /// The operator of this name has a scale for each place; one for each channel is that of a single group.
  func write(to onnx: LayerWriter) {
    onnx.normalizeGroups(1, epsilon: epsilon, hasParameters: hasParameters)
  }
}

extension MeanVarianceNorm: ExportableLayer {
  func write(to onnx: LayerWriter) {
    guard normalizesVariance else {
      let axes = Array((acrossChannels ? 1 : 2)..<onnx.inputType.shape.count)
      let mean = onnx.part("mean", "ReduceMean", [onnx.input, onnx.constant("axes", axes)])
      return onnx.result("Sub", [onnx.input, mean])
    }
    if acrossChannels {
      onnx.normalizeGroups(1, epsilon: epsilon, hasParameters: false)
    } else {
      onnx.normalizeMaps(epsilon: epsilon, hasParameters: false)
    }
  }
}

extension LayerWriter {
  /// Equal numbers, one for each channel or group.
  fileprivate func equal(_ name: String, _ value: Float, count: Int) -> String {
    constant(name, [Float](repeating: value, count: count), dims: [count])
  }

  /// Normalises each map by itself; without parameters the operator scales by 1 and shifts by 0.
  fileprivate func normalizeMaps(epsilon: Float, hasParameters: Bool) {
    let channels = inputType.shape[1]
    let weight = hasParameters ? parameter("weight") : equal("weight", 1, count: channels)
    let bias = hasParameters ? parameter("bias") : equal("bias", 0, count: channels)
    result("InstanceNormalization", inputs + [weight, bias], ["epsilon": .float(epsilon)])
  }

  /// Normalises groups of channels as maps of one row, then scales and shifts the channels.
  ///
  /// `GroupNormalization` of the operator set has a scale for each group, not for each channel.
  fileprivate func normalizeGroups(_ groups: Int, epsilon: Float, hasParameters: Bool) {
    let channels = inputType.shape[1]
    let rows = part("groups", "Reshape", [input, constant("group_shape", [0, groups, -1])])
    let normalized = part(
      "normalized", "InstanceNormalization",
      [rows, equal("ones", 1, count: groups), equal("zeros", 0, count: groups)],
      ["epsilon": .float(epsilon)])
    let shape = constant("shape", shape(outputType))
    guard hasParameters else { return result("Reshape", [normalized, shape]) }
    let maps = part("channels", "Reshape", [normalized, shape])
    let dims = [channels] + inputType.shape.dropFirst(2).map { _ in 1 }
    let scaled = part("scaled", "Mul", [maps, parameter("weight", dims: dims)])
    result("Add", [scaled, parameter("bias", dims: dims)])
  }
}

extension LocalResponseNorm: ExportableLayer {
  /// Neighbouring channels of maps are the operator `LRN`, unless κ is 0: there places without a value would be divided by
  /// zero.
  func write(to onnx: LayerWriter) {
    guard case .channels(let size) = across, kappa > 0, onnx.inputType.shape.count == 4 else {
      return writeSteps(to: onnx)
    }
    let channels = onnx.inputType.shape[1]
    // A window that holds all channels wherever its middle is.
    let window = size ?? 2 * channels - 1
    let factor = squares == .sum ? Float(window) : Float(window) / Float(size ?? channels)
    onnx.result(
      "LRN", onnx.inputs,
      [
        "size": .int(window), "alpha": .float(alpha * factor), "beta": .float(beta),
        "bias": .float(kappa),
      ])
  }

  /// The formula, `x / max(κ + a Σ x², least)^β`.
  private func writeSteps(to onnx: LayerWriter) {
    let square = onnx.part("squares", "Mul", [onnx.input, onnx.input])
    let (mean, count) = meanOfSquares(square, onnx)
    let factor = squares == .sum ? alpha * Float(count) : alpha
    let scaled = onnx.part("scaled", "Mul", [mean, onnx.constant("alpha", [factor])])
    let sum =
      kappa > 0
      ? onnx.part("sum", "Add", [scaled, onnx.constant("kappa", [kappa])])
      : onnx.part(
        "sum", "Max", [scaled, onnx.constant("least", [Float.leastNormalMagnitude])])
    let divisor = onnx.part("divisor", "Pow", [sum, onnx.constant("beta", [beta])])
    onnx.result("Div", [onnx.input, divisor])
  }

  /// The mean of the window's squares, and of how many.
  private func meanOfSquares(_ square: String, _ onnx: LayerWriter) -> (String, count: Int) {
    let type = onnx.inputType
    switch across {
    case .channels(nil):
      return (
        onnx.part("mean", "ReduceMean", [square, onnx.constant("axes", [1])]), type.shape[1]
      )
    case .channels(let size?):
      // Channels as the rows of one map.
      let rows = onnx.part(
        "rows", "Reshape", [square, onnx.constant("row_shape", [0, 1, type.shape[1], -1])])
      let half = size / 2
      let mean = onnx.part(
        "mean_rows", "AveragePool", [rows],
        [
          "kernel_shape": .ints([size, 1]), "pads": .ints([half, 0, half, 0]),
          "count_include_pad": .int(1),
        ])
      let shape = onnx.constant("shape", onnx.shape(type))
      return (onnx.part("mean", "Reshape", [mean, shape]), size)
    case .space(let size):
      let axes = type.shape.count - 2
      let extents = [Int](repeating: size, count: axes)
      let pads = [Int](repeating: size / 2, count: 2 * axes)
      let mean = onnx.part(
        "mean", "AveragePool", [square],
        [
          "kernel_shape": .ints(extents), "pads": .ints(pads), "count_include_pad": .int(1),
        ])
      return (mean, extents.reduce(1, *))
    }
  }
}
