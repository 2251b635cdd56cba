/// Convolutions and pooling over one or two axes in space, one multiplication at a time.
struct PlainWindows {
  let node: PlainNode

  /// One axis in space: its window, and how many places that has.
  private struct Axis {
    let extent: Int
    let kernel: Int
    let stride: Int
    let dilation: Int
    let before: Int
    let behind: Int
    let places: Int
  }

  func evaluate(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    let space = x.shape.count - 2
    guard (1...2).contains(space) else { return nil }
    // A sequence is a map of one row.
    func map(_ tensor: PlainTensor) -> PlainTensor {
      space == 2
        ? tensor : tensor.reshaped([tensor.shape[0], tensor.shape[1], 1, tensor.shape[2]])
    }
    let image = map(x)
    let others = values.dropFirst().map { $0 }
    let bias = others.count > 1 ? others[1] : nil
    let result: PlainTensor
    switch node.op {
    case "Conv":
      guard let weights = others.first ?? nil else { return nil }
      result = convolution(image, map(weights), bias, axes(x, Array(weights.shape.dropFirst(2))))
    case "ConvTranspose":
      guard let weights = others.first ?? nil else { return nil }
      result = transposed(image, map(weights), bias, space)
    case "MaxPool", "AveragePool":
      result = pooled(image, axes(x, node.ints("kernel_shape") ?? []))
    default:
      let whole = Array(2..<4)
      let count = Double(image.shape[2] * image.shape[3])
      result =
        node.op == "GlobalMaxPool"
        ? image.reduced(over: whole, from: -.infinity, max)
        : image.reduced(over: whole, from: 0, +).map { $0 / count }
    }
    return space == 2
      ? result : result.reshaped([result.shape[0], result.shape[1], result.shape[3]])
  }

  /// The axes in space, always two.
  private func axes(_ x: PlainTensor, _ kernel: [Int]) -> [Axis] {
    let space = Array(x.shape.dropFirst(2))
    let strides = node.ints("strides") ?? space.map { _ in 1 }
    let dilations = node.ints("dilations") ?? space.map { _ in 1 }
    let pads = node.ints("pads") ?? space.flatMap { _ in [0, 0] }
    let automatic = node.text("auto_pad", "NOTSET")
    let isCeil = node.int("ceil_mode", 0) != 0
    let all = space.indices.map { axis in
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      var (before, behind) = (pads[axis], pads[space.count + axis])
      if automatic == "VALID" { (before, behind) = (0, 0) }
      if automatic.hasPrefix("SAME") {
        let places = (space[axis] + strides[axis] - 1) / strides[axis]
        let total = max(0, (places - 1) * strides[axis] + reach - space[axis])
        let less = total / 2
        (before, behind) = automatic == "SAME_UPPER" ? (less, total - less) : (total - less, less)
      }
      let room = space[axis] + before + behind - reach
      var places = (isCeil ? room + strides[axis] - 1 : room) / strides[axis] + 1
      // A window that would begin behind the last cell and the padding before it does not count.
      if isCeil, (places - 1) * strides[axis] >= space[axis] + before { places -= 1 }
      return Axis(
        extent: space[axis], kernel: kernel[axis], stride: strides[axis],
        dilation: dilations[axis], before: before, behind: behind, places: places)
    }
    let row = Axis(extent: 1, kernel: 1, stride: 1, dilation: 1, before: 0, behind: 0, places: 1)
    return all.count == 2 ? all : [row] + all
  }

  private func convolution(
    _ x: PlainTensor, _ weights: PlainTensor, _ bias: PlainTensor?, _ axes: [Axis]
  ) -> PlainTensor {
    let groups = node.int("group", 1)
    let (maps, channels) = (weights.shape[0], weights.shape[1])
    let (rows, columns) = (axes[0], axes[1])
    let shape = [x.shape[0], maps, rows.places, columns.places]
    var result = PlainTensor(shape) { bias?.values[$0[1]] ?? 0 }
    var place = 0
    for n in 0..<shape[0] {
      for map in 0..<maps {
        let first = map / (maps / groups) * channels
        for row in 0..<rows.places {
          for column in 0..<columns.places {
            var sum = 0.0
            for channel in 0..<channels {
              for r in 0..<rows.kernel {
                let h = row * rows.stride + r * rows.dilation - rows.before
                guard h >= 0, h < rows.extent else { continue }
                for s in 0..<columns.kernel {
                  let w = column * columns.stride + s * columns.dilation - columns.before
                  guard w >= 0, w < columns.extent else { continue }
                  let cell = ((n * x.shape[1] + first + channel) * rows.extent + h) * columns.extent
                  let weight = ((map * channels + channel) * rows.kernel + r) * columns.kernel + s
                  sum += x.values[cell + w] * weights.values[weight]
                }
              }
            }
            result.values[place] += sum
            place += 1
          }
        }
      }
    }
    return result
  }

  private func transposed(
    _ x: PlainTensor, _ weights: PlainTensor, _ bias: PlainTensor?, _ space: Int
  ) -> PlainTensor {
    let groups = node.int("group", 1)
    func two(_ values: [Int]?, _ standard: Int) -> [Int] {
      let values = values ?? [Int](repeating: standard, count: space)
      return space == 2 ? values : [standard] + values
    }
    let (strides, dilations) = (two(node.ints("strides"), 1), two(node.ints("dilations"), 1))
    let extra = two(node.ints("output_padding"), 0)
    let pads = node.ints("pads") ?? [Int](repeating: 0, count: 2 * space)
    let before = two(Array(pads.prefix(space)), 0)
    let behind = two(Array(pads.suffix(space)), 0)
    let extents = (0..<2).map { axis -> Int in
      let reach = (weights.shape[2 + axis] - 1) * dilations[axis] + 1
      let places = strides[axis] * (x.shape[2 + axis] - 1) + extra[axis] + reach
      return places - before[axis] - behind[axis]
    }
    let maps = weights.shape[1]
    var result = PlainTensor([x.shape[0], maps * groups] + extents) { bias?.values[$0[1]] ?? 0 }
    // Each value of the input adds its multiple of the kernel to the output.
    _ = PlainTensor(x.shape) { index in
      let group = index[1] / (x.shape[1] / groups)
      for map in 0..<maps {
        for r in 0..<weights.shape[2] {
          let h = index[2] * strides[0] + r * dilations[0] - before[0]
          guard h >= 0, h < extents[0] else { continue }
          for s in 0..<weights.shape[3] {
            let w = index[3] * strides[1] + s * dilations[1] - before[1]
            guard w >= 0, w < extents[1] else { continue }
            result[[index[0], group * maps + map, h, w]] +=
              x[index] * weights[[index[1], map, r, s]]
          }
        }
      }
      return 0
    }
    return result
  }

  private func pooled(_ x: PlainTensor, _ axes: [Axis]) -> PlainTensor {
    let (rows, columns) = (axes[0], axes[1])
    let isMaximum = node.op == "MaxPool"
    let counts = node.int("count_include_pad", 0) != 0
    return PlainTensor([x.shape[0], x.shape[1], rows.places, columns.places]) { index in
      var (largest, sum, cells) = (-Double.infinity, 0.0, 0)
      for r in 0..<rows.kernel {
        let h = index[2] * rows.stride + r * rows.dilation - rows.before
        for s in 0..<columns.kernel {
          let w = index[3] * columns.stride + s * columns.dilation - columns.before
          // Padding counts where asked for, cells beyond it never.
          guard h >= 0, h < rows.extent, w >= 0, w < columns.extent else {
            if counts, h < rows.extent + rows.behind, w < columns.extent + columns.behind {
              cells += 1
            }
            continue
          }
          let value = x[[index[0], index[1], h, w]]
          largest = max(largest, value)
          sum += value
          cells += 1
        }
      }
      return isMaximum ? largest : sum / Double(cells)
    }
  }
}
