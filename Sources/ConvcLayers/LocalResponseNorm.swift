import ConvcIR
import ConvcReference
import Glibc

/// Divides each value by a power of the squares around it: values compete with their neighbours.
///
/// - Input and output: `[N, C, H, W]`, `[N, C, L]`, or across channels `[N, F]`.
/// - Formula: `y = x (κ + a Σ x²)^−β`. The sum takes the neighbours and the value itself: `size` channels at the same place,
///   all channels, or a square of cells in the same map. `a` is α / n for the mean of n squares (PyTorch, ONNX and Caffe)
///   or α for their sum (Krizhevsky et al., whose values are κ 2, α 1e-4, β 0.75, size 5).
/// - Gradient: the full one, `d_x = d_y s^−β − 2 a β x Σ d_y x s^(−β−1)` with `s = κ + a Σ x²` and the outer sum over all places
///   whose window holds this one; nothing is saved, `s` is computed again.
/// - Edges: neighbours beyond the first and last channel, or outside the map, count as zeros, and n stays the whole
///   window. With κ = 0 a place whose squares are all zero, or sum to less than the smallest normal number, has output and
///   gradient 0: the formula itself divides zero by zero there, as on blank borders of digits. κ above 0 avoids it.
/// - Fusion: none, a group of its own.
/// - Errors: an even or not positive size (a window has a middle); more than 255 channels that are not all; a window in
///   space on features; negative α, κ or β, or one that is not finite.
/// - Source: Krizhevsky, Sutskever and Hinton 2012; across all channels with κ = 0, α = 1 and β = 0.5 the division by the
///   length. ONNX `LRN`, opset 13 (across channels); PyTorch `nn.LocalResponseNorm`; Caffe's WITHIN_CHANNEL.
public struct LocalResponseNorm: Layer {
  public static let kind = "lrn"

  /// The neighbours whose squares are summed.
  public enum Neighbours: Sendable, Hashable {
    /// So many channels at the same place, the value's own in the middle; nil: all.
    case channels(Int?)
    /// A square of so many rows and columns in the same map.
    case space(Int)
  }

  /// What α multiplies.
  public enum Squares: String, Sendable, Hashable, CaseIterable {
    /// The mean of the window's squares.
    case mean
    /// Their sum.
    case sum
  }

  public let across: Neighbours
  public let alpha: Float
  public let beta: Float
  public let kappa: Float
  public let squares: Squares

  public init(
    across: Neighbours = .channels(5), alpha: Float = 1e-4, beta: Float = 0.75, kappa: Float = 1,
    squares: Squares = .mean
  ) {
    self.across = across
    self.alpha = alpha
    self.beta = beta
    self.kappa = kappa
    self.squares = squares
  }

  public var summary: String {
    let window =
      switch across {
      case .channels(let size): size.map { "\($0) channels" } ?? "all channels"
      case .space(let size): "\(size)x\(size) cells"
      }
    return "LocalResponseNorm over \(window)"
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard [alpha, beta, kappa].allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .setting(
        "alpha \(alpha), beta \(beta) and kappa \(kappa) have to be finite and not negative")
    }
    let (size, isInSpace) =
      switch across {
      case .channels(let size): (size ?? 1, false)
      case .space(let size): (size, true)
      }
    guard size > 0, size % 2 == 1 else {
      throw .setting("a window of \(size) has no middle; its size has to be odd and above 0")
    }
    guard size <= 255 || size >= 2 * input.maps.c - 1 else {
      throw .setting("a window of \(size) is too wide; at most 255 work, or all channels: size 0")
    }
    let ranks = isInSpace ? 3...4 : 2...4
    guard ranks.contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape,
        wayOut: isInSpace
          ? "a window in space works on [N, C, L] and [N, C, H, W]"
          : "[N, F], [N, C, L] and [N, C, H, W] work")
    }
    return input
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .normalization }

  public func reach(for inputs: [TensorType]) -> Reach {
    guard case .space(let size) = across else { return .value }
    let half = size / 2
    return .window(
      height: size, width: size, verticalStride: 1, horizontalStride: 1,
      padding: Border(top: half, bottom: half, left: half, right: half))
  }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    guard kappa == 0 else { return [] }
    return [
      "divides by the squares alone, which are 0 where the map is blank; "
        + "a kappa above 0, 1 is usual, keeps the quotient small there"
    ]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    LocalResponseKernels(self, on: group.inputTypes[0]).candidates(for: group)
  }

  /// Places of a window, whole also where it stands over the edge.
  func places(in type: TensorType) -> Int {
    switch across {
    case .channels(let size): size ?? type.maps.c
    case .space(let size): size * (type.shape.count == 3 ? 1 : size)
    }
  }

  /// What the sum of squares is multiplied by.
  func factor(on type: TensorType) -> Double {
    Double(alpha) / (squares == .mean ? Double(places(in: type)) : 1)
  }
}

extension Value {
  /// Applies ``LocalResponseNorm``.
  public func localResponseNorm(
    across: LocalResponseNorm.Neighbours = .channels(5), alpha: Float = 1e-4, beta: Float = 0.75,
    kappa: Float = 1, squares: LocalResponseNorm.Squares = .mean, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      LocalResponseNorm(across: across, alpha: alpha, beta: beta, kappa: kappa, squares: squares),
      name: name, file: file, line: line)
  }
}

extension LocalResponseNorm: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "across", .word(["channels", "space"]), default: .word("channels"),
      "where the neighbours are"),
    SettingSpec(
      "size", .integer, default: .integer(5), "neighbours with the value itself; 0: all channels"),
    SettingSpec("alpha", .number, default: .number(1e-4), "factor of the squares"),
    SettingSpec("beta", .number, default: .number(0.75), "power that is divided by"),
    SettingSpec("kappa", .number, default: .number(1), "what is added to the squares"),
    SettingSpec(
      "squares", .word(Squares.allCases.map(\.rawValue)), default: .word("mean"),
      "whether alpha multiplies their mean or their sum"),
  ]

  public init(settings: Settings) throws(SettingError) {
    let size = try settings.integer("size")
    self.init(
      across: try settings.word("across") == "space"
        ? .space(size) : .channels(size == 0 ? nil : size),
      alpha: try settings.float("alpha"), beta: try settings.float("beta"),
      kappa: try settings.float("kappa"), squares: try settings.choice("squares"))
  }

  public var settingValues: [String: SettingValue] {
    let (word, size) =
      switch across {
      case .channels(let size): ("channels", size ?? 0)
      case .space(let size): ("space", size)
      }
    return [
      "across": .word(word), "size": .integer(size), "alpha": SettingValue(alpha),
      "beta": SettingValue(beta), "kappa": SettingValue(kappa), "squares": .word(squares.rawValue),
    ]
  }

  public static let examples = [
    LayerExample(LocalResponseNorm(across: .channels(3), alpha: 0.5), inputs: [2, 5, 4, 5]),
    LayerExample(
      LocalResponseNorm(across: .channels(nil), alpha: 0.3, beta: 0.5, squares: .sum),
      inputs: [2, 5]),
    LayerExample(
      LocalResponseNorm(across: .space(3), alpha: 0.5, beta: 0.6, kappa: 2), inputs: [2, 3, 4, 5]),
    // A window too wide for its cells to be summed one by one.
    LayerExample(LocalResponseNorm(across: .space(11), alpha: 2), inputs: [2, 3, 7, 8]),
  ]
}

extension LocalResponseNorm: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let (x, y) = (call.input, DoubleTensor(shape: call.outputShape))
    let scales = scales(of: x)
    for i in 0..<x.count { y.address[i] = x.address[i] * power(scales.address[i], -Double(beta)) }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let inputGradient = DoubleTensor(shape: x.shape)
    let scales = scales(of: x)
    let (beta, factor) = (Double(beta), factor(on: TensorType(shape: x.shape)))
    for i in 0..<x.count {
      let gradient = outputGradient.address[i]
      let slope = gradient * x.address[i] * power(scales.address[i], -beta - 1)
      inputGradient.address[i] += gradient * power(scales.address[i], -beta)
      forEachNeighbour(of: i, in: x) { j in
        inputGradient.address[j] -= 2 * factor * beta * x.address[j] * slope
      }
    }
    return LayerGradients(inputs: [inputGradient])
  }

  /// κ + a Σ x² of every place.
  private func scales(of x: DoubleTensor) -> DoubleTensor {
    let scales = DoubleTensor(shape: x.shape)
    let factor = factor(on: TensorType(shape: x.shape))
    for i in 0..<x.count {
      var sum = 0.0
      forEachNeighbour(of: i, in: x) { sum += x.address[$0] * x.address[$0] }
      scales.address[i] = Double(kappa) + factor * sum
    }
    return scales
  }

  private func power(_ scale: Double, _ exponent: Double) -> Double {
    scale < Double(Float.leastNormalMagnitude) ? 0 : pow(scale, exponent)
  }

  /// Calls with every place of the window around one: windows are symmetric.
  private func forEachNeighbour(of i: Int, in x: DoubleTensor, _ body: (Int) -> Void) {
    let maps = x.maps
    let (map, pixel) = (i / maps.pixels, i % maps.pixels)
    switch across {
    case .channels(let size):
      let (image, c) = (map / maps.c, map % maps.c)
      let half = size.map { $0 / 2 } ?? maps.c
      for other in max(0, c - half)...min(maps.c - 1, c + half) {
        body((image * maps.c + other) * maps.pixels + pixel)
      }
    case .space(let size):
      let (h, w) = (pixel / maps.w, pixel % maps.w)
      for row in max(0, h - size / 2)...min(maps.h - 1, h + size / 2) {
        for column in max(0, w - size / 2)...min(maps.w - 1, w + size / 2) {
          body(map * maps.pixels + row * maps.w + column)
        }
      }
    }
  }
}
