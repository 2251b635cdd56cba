import ConvcIR
import ConvcLayers

/// Branches, which are joined where they began.
extension NetworkGrowth {
  /// A body added to the value it began at, or to a convolution of it with the body's shape.
  mutating func residual(_ open: Open) -> Open {
    let before = builder.model.nodes.count
    let body = following(chance(0.7) ? convolution(open) : open)
    guard builder.model.nodes.count > before else { return open }
    var shortcut = open
    if body.type != open.type || chance(0.2) {
      let layer = convolution(from: open, to: body.type)
      guard accepts(layer, [open]) else { return body }
      shortcut = apply(layer, open, frozen: chance(0.1))
      if chance(0.3) { shortcut = normalised(shortcut) }
    }
    let sum =
      chance(0.1)
      ? join(Add(), [body, shortcut, body])
      : chance(0.5) ? join(Add(), [body, shortcut]) : join(Add(), [shortcut, body])
    return chance(0.6) ? apply(activation(), sum) : sum
  }

  /// Two or three branches behind one another.
  mutating func concatenated(_ open: Open) -> Open {
    let first = following(convolution(open))
    let wanted = first.type.with(shape: [batch, pick(1, 3, 16)] + first.type.shape.dropFirst(2))
    let layer = convolution(from: open, to: wanted)
    guard accepts(layer, [open]) else { return first }
    let second = apply(layer, open)
    guard open.maps.h == second.maps.h, open.maps.w == second.maps.w, chance(0.5) else {
      return join(Concat(), [first, second])
    }
    return join(Concat(), [second, open, first])
  }

  /// A convolution that brings a value to a shape.
  mutating func convolution(from open: Open, to type: TensorType) -> Conv2D {
    let (from, to) = (open.maps, type.maps)
    let rows = axis(from: from.h, to: to.h)
    let columns = axis(from: from.w, to: to.w)
    return Conv2D(
      outputChannels: to.c, kernelSize: Size2D(height: rows.kernel, width: columns.kernel),
      stride: Size2D(height: rows.stride, width: columns.stride),
      padding: Padding(
        top: rows.before, bottom: rows.after, left: columns.before, right: columns.after),
      bias: ConvolutionBias(chance(0.5)))
  }

  /// Kernel, stride and paddings that take an axis of one size to another.
  private mutating func axis(from size: Int, to outputs: Int) -> (
    kernel: Int, stride: Int, before: Int, after: Int
  ) {
    let stride = max(1, size / outputs)
    let span = (outputs - 1) * stride
    let kernel = max(pick(1, 1, 2, 3), size - span)
    let padding = span + kernel - size
    let before = number(0...padding)
    return (kernel, stride, before, padding - before)
  }

  /// A second input of maps, convolved to the first one's shape and added.
  mutating func joinSecondInput(_ open: Open) -> Open {
    let maps = open.maps
    let other = input("second", [number(1...2), maps.h + number(0...3), maps.w + number(0...3)])
    let second = join(convolution(from: other, to: open.type), [other])
    return chance(0.5) ? join(Add(), [open, second]) : join(Concat(), [open, second])
  }

  /// A second input of features, behind the flattened maps.
  mutating func joinFeatures(_ open: Open) -> Open {
    let features = input("features", [number(1...20)])
    return join(
      Concat(), [join(Flatten(), [open]), chance(0.5) ? dense(features) : features])
  }
}
