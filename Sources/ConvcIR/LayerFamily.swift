/// The kind of work that a layer does: what pictures of networks give a colour to.
public enum LayerFamily: String, Sendable, Hashable, CaseIterable, Codable {
  /// Weights that windows share: convolutions and their reverse.
  case convolution
  /// A window, or the whole map, becomes one value.
  case pooling
  /// Scales and shifts of values by statistics.
  case normalization
  /// A function of each value.
  case activation
  /// Weights from everything to everything.
  case dense
  /// Several inputs become one output.
  case merge
  /// A finer map, without weights.
  case upsampling
  /// Noise while training.
  case regularization
  /// The same values in another shape or place.
  case shape
}

extension Layer {
  public func family(for inputs: [TensorType]) -> LayerFamily {
    guard inputs.count < 2 else { return .merge }
    let specs = parameters(for: inputs)
    let hasWeights = specs.contains { $0.decays }
    let keepsType = (try? output(for: inputs)) == inputs.first
    switch reach(for: inputs) {
    case .window: return hasWeights ? .convolution : .pooling
    case .upsampling: return hasWeights ? .convolution : .upsampling
    case .everything: return hasWeights ? .dense : keepsType ? .normalization : .pooling
    case .value: break
    }
    switch role(in: .training, frozen: false) {
    case .view: return .shape
    case .anchor, .pooling: return keepsType ? .normalization : .shape
    case .elementwise(let epilogue):
      if epilogue.isRandom { return .regularization }
      return epilogue.isAffine ? .normalization : .activation
    }
  }

  public func sizeFormula(for inputs: [TensorType]) -> [String] {
    guard let input = inputs.first, inputs.count == 1, input.shape.count > 2,
      let output = try? output(for: inputs), output.shape.count == input.shape.count
    else { return [] }
    let (from, to) = (input.maps, output.maps)
    switch reach(for: inputs) {
    case .value, .everything: return []
    case .window(let height, let width, let down, let right, let padding):
      let lines = [
        windowFormula("height", from.h, height, padding.top, padding.bottom, down, to.h),
        windowFormula("width", from.w, width, padding.left, padding.right, right, to.w),
      ]
      return (input.shape.count == 3 ? Array(lines.dropFirst()) : lines).compactMap { $0 }
    case .upsampling(_, _, let down, let right, _, _):
      guard to.h == from.h * down, to.w == from.w * right else { return [] }
      let lines = ["height \(from.h)·\(down) = \(to.h)", "width \(from.w)·\(right) = \(to.w)"]
      return input.shape.count == 3 ? Array(lines.dropFirst()) : lines
    }
  }

  /// `height 1 + (28 − 5 + 2 + 2)/1 = 28`; nil: the output's size comes about otherwise.
  private func windowFormula(
    _ axis: String, _ size: Int, _ span: Int, _ before: Int, _ after: Int, _ stride: Int,
    _ output: Int
  ) -> String? {
    let free = size - span + before + after
    guard free >= 0, stride > 0 else { return nil }
    let (quotient, rest) = free.quotientAndRemainder(dividingBy: stride)
    let rounding: String
    switch output - 1 - quotient {
    case 0: rounding = rest == 0 ? "" : ", rounded down"
    case 1 where rest > 0: rounding = ", rounded up"
    default: return nil
    }
    return "\(axis) 1 + (\(size) − \(span) + \(before) + \(after))/\(stride) = \(output)\(rounding)"
  }
}
