/// A layer of a network: its shapes, its parameters, how it fuses, and its kernels.
///
/// Everything convc knows of a kind of layer stands in the one type that conforms to this protocol.
public protocol Layer: Sendable {
  /// Short name, from which layers without a name are numbered: `conv`, `relu`.
  static var kind: String { get }

  /// Settings in words, for listings and comments: `5x5, padding 2`.
  var summary: String { get }

  /// The output's type.
  ///
  /// - Throws: what is wrong with the inputs or the settings, with the way out.
  func output(for inputs: [TensorType]) throws(LayerError) -> TensorType

  /// Parameters in the order in which they stand in the parameter block. Called after ``output(for:)`` accepted.
  func parameters(for inputs: [TensorType]) -> [ParameterSpec]

  /// Multiply-adds of one forward pass over a batch.
  func multiplyAdds(for inputs: [TensorType]) -> Int

  /// Rows and columns of the padded input that no window reads.
  func lostPixels(for inputs: [TensorType]) -> LostPixels

  /// What of its input one value of the output is computed from.
  func reach(for inputs: [TensorType]) -> Reach

  /// What the lints have to know of the layer.
  var traits: LayerTraits { get }

  /// What the layer's own settings do that is seldom meant: a sentence each, with the way out.
  ///
  /// - Parameter mode: `inference` where the layer is not going to be trained.
  func lints(for inputs: [TensorType], in mode: Mode) -> [String]

  /// What kind of work it does, for pictures; where nothing else is said, what follows from reach, parameters and role.
  func family(for inputs: [TensorType]) -> LayerFamily

  /// How the output's size is computed, with the numbers, a line per axis: `height 1 + (28 − 5 + 2 + 2)/1 = 28`.
  func sizeFormula(for inputs: [TensorType]) -> [String]

  /// What the output's values are, where a loss has to know: a loss refuses an output that it does not fit.
  var outputKind: OutputKind { get }

  /// Whether the layer has a gradient; what comes before one that has none cannot be trained.
  func hasGradient(for inputs: [TensorType]) -> Bool

  /// The part the layer can play in a group.
  func role(in mode: Mode, frozen: Bool) -> FusionRole

  /// Ways to compute a group that this layer anchors. Asked only of layers that can be an anchor.
  func candidates(for group: GroupContext) -> [Candidate]

  /// Buffers of the epilogue's ``Epilogue/channelValues``: one value per map, padded to whole vectors.
  func channelValues(of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int)
    -> [Buffer.ID]
}

extension Layer {
  public var summary: String { "" }
  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] { [] }
  public func multiplyAdds(for inputs: [TensorType]) -> Int { 0 }
  public func lostPixels(for inputs: [TensorType]) -> LostPixels { LostPixels(rows: 0, columns: 0) }
  public func reach(for inputs: [TensorType]) -> Reach { .value }
  public var traits: LayerTraits { [] }
  public func hasGradient(for inputs: [TensorType]) -> Bool { true }
  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] { [] }

  public var outputKind: OutputKind { traits.contains(.nonNegative) ? .nonNegative : .any }
  public func candidates(for group: GroupContext) -> [Candidate] { [] }
  public func channelValues(
    of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int
  ) -> [Buffer.ID] { [] }
}

/// Whether a program infers or trains.
public enum Mode: String, Sendable, Hashable, CaseIterable {
  case inference, training
}

/// Rows and columns at the end of the padded input that no window reads.
public struct LostPixels: Sendable, Hashable {
  public let rows: Int
  public let columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  public var isNone: Bool { rows == 0 && columns == 0 }
}

/// What of a map one value of a layer's output is computed from.
public enum Reach: Sendable, Hashable {
  /// The value at the same place.
  case value
  /// A window of so many cells, which moves by the strides. The first one begins as far before the map as it is padded.
  case window(
    height: Int, width: Int, verticalStride: Int, horizontalStride: Int, padding: Border = .none)
  /// A window of so many cells, which moves by one cell where the output moves by the strides. The starts are the centres
  /// of the first window, in cells from the map's first; nil: half-pixel centres, `(1 − S)/2S`.
  case upsampling(
    height: Int, width: Int, verticalStride: Int, horizontalStride: Int,
    verticalStart: Double? = nil, horizontalStart: Double? = nil)
  /// All of it.
  case everything
}

/// Cells that are added around a map.
public struct Border: Sendable, Hashable {
  public static let none = Border(top: 0, bottom: 0, left: 0, right: 0)

  public let top: Int
  public let bottom: Int
  public let left: Int
  public let right: Int

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }
}

/// What a parameter is for, in the order in which kinds stand in the parameter block.
public enum ParameterKind: Int, Sendable, Hashable, Comparable {
  case trainable, frozen, statistic

  public static func < (a: ParameterKind, b: ParameterKind) -> Bool { a.rawValue < b.rawValue }
}

/// Where a parameter's values are expected to stay, though training may take them anywhere.
public struct UsualRange: Sendable, Hashable {
  public let values: ClosedRange<Float>
  /// What holds no longer outside of it: follows `which is outside of 0.0...1.0:`.
  public let consequence: String

  public init(_ values: ClosedRange<Float>, consequence: String) {
    self.values = values
    self.consequence = consequence
  }
}

/// A parameter as a layer declares it.
public struct ParameterSpec: Sendable, Hashable {
  /// Name within the layer: `weight`, `bias`.
  public let name: String
  public let shape: [Int]
  public let initializer: Initializer
  /// A running statistic: the forward pass changes it, no gradient does.
  public let isStatistic: Bool
  /// Part of what the layer computes: training leaves it alone, as if the layer were frozen.
  public let isConstant: Bool
  /// Weight decay applies: weights, not biases and not normalisation.
  public let decays: Bool
  /// Inputs and outputs of one unit, for the initialiser.
  public let fanIn: Int
  public let fanOut: Int
  /// Where the values are expected to stay: training tells when one leaves it. nil: anywhere.
  public let usual: UsualRange?

  public init(
    _ name: String, shape: [Int], initializer: Initializer, isStatistic: Bool = false,
    isConstant: Bool = false, decays: Bool = false, fanIn: Int = 1, fanOut: Int = 1,
    usual: UsualRange? = nil
  ) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.isStatistic = isStatistic
    self.isConstant = isConstant
    self.decays = decays
    self.fanIn = fanIn
    self.fanOut = fanOut
    self.usual = usual
  }

  public var count: Int { shape.reduce(1, *) }
}

/// The part a layer can play in a group of fused layers.
public enum FusionRole: Sendable {
  /// Starts a group, and takes the epilogues that `accepts` lists.
  case anchor(accepts: EpilogueKinds)
  /// Works on one value at a time: joins a group, or makes one of its own.
  case elementwise(Epilogue)
  /// Takes the maximum of windows that tile the map: joins a group that accepts pooling, else an anchor.
  case pooling(Pooling)
  /// Changes the shape alone; the elements keep their order.
  case view
}

/// Kinds of epilogues that an anchor's kernels have a place for.
public struct EpilogueKinds: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Elementwise work that has a vector form.
  public static let vector = EpilogueKinds(rawValue: 1)
  /// Elementwise work that exists as scalar code alone.
  public static let scalar = EpilogueKinds(rawValue: 2)
  /// Pooling whose windows tile the map.
  public static let pooling = EpilogueKinds(rawValue: 4)
  /// A multiply-add with constants of each map that follows directly: it vanishes in weights and bias.
  public static let affine = EpilogueKinds(rawValue: 8)
  /// Elementwise work, right behind the anchor, whose gradient needs its input: backward has the anchor's output.
  public static let readingInput = EpilogueKinds(rawValue: 16)
}

/// What a group's output still shows of an earlier member's result, wherever the gradient there is not zero anyway.
public enum Trace: Int, Sendable, Hashable, Comparable {
  case nothing
  /// Its sign.
  case sign
  /// The result itself.
  case value

  public static func < (a: Trace, b: Trace) -> Bool { a.rawValue < b.rawValue }
}

/// What the gradient of an elementwise layer is computed from, beside the gradient after it.
///
/// Fusion, saving and the backward kernels go by this alone: none of them knows the layers.
public enum GradientNeed: Sendable, Hashable {
  /// Nothing: sums, products with constants, masks that are drawn again.
  case nothing
  /// The layer's output, or its sign. It is read in the group's output, so all members that follow have to keep it.
  /// Sigmoid, tanh and ELU: `.output(.value)`.
  case output(Trace)
  /// The layer's input. In training the layer joins no group that would not have it in backward: it begins one of its own,
  /// or stands right behind an anchor that computes its output again. GELU, SiLU and hard swish.
  case input
  /// One or the other, whichever the group has, with the same formula: ReLU and leaky ReLU, `.outputOrInput(.sign)`.
  case outputOrInput(Trace)

  /// What has to show in the group's output.
  public var trace: Trace {
    switch self {
    case .nothing, .input: .nothing
    case .output(let trace), .outputOrInput(let trace): trace
    }
  }

  /// Whether the layer's input serves.
  public var acceptsInput: Bool {
    switch self {
    case .nothing, .output: false
    case .input, .outputOrInput: true
    }
  }
}

/// Elementwise work at the end of another kernel's loops.
///
/// The templates work on a variable `v` at the place `n`, `m` (map), `h`, `w` of the output.
///
/// A new activation is a layer with this role:
/// 1. `template` takes `v` to the result: `NAME_scalar`, and `NAME_vector` with `hasVectorForm`.
/// 2. `backwardTemplate` takes `v` from the gradient after to the gradient before. With a ``gradientNeed`` it has the hole
///    `value`, the output or the input as an expression: an operand of a comparison, or what a variable is set to. A
///    template that does more with it begins a block with `const float value = {{value}};`, or `const lanes`.
/// 3. `gradientNeed` says what that value is, and `gradientText` what it is read for, in the words of a comment.
/// 4. `keeps` says what can still be seen of the value before in the result: `.value` where the two are equal wherever the
///    gradient is not zero, `.sign` where signs are. So an activation can follow another one whose output is read.
/// 5. `isMonotone` lets pooling move in front of it.
/// 6. `support` and `backwardSupport` name the functions that the templates call.
public struct Epilogue: Sendable, Hashable {
  /// Template of the forward work, without the suffix `_scalar` or `_vector`.
  public let template: String
  /// Template that takes `v`, the gradient after, to the gradient before; nil where they are equal.
  public let backwardTemplate: String?
  /// Whether a vector form exists.
  public let hasVectorForm: Bool
  /// Never decreasing, and the same in all cells: a maximum may be taken before it.
  public let isMonotone: Bool
  /// What the backward template reads.
  public let gradientNeed: GradientNeed
  /// What follows the layer's name in the comment of what the backward template reads.
  public let gradientText: String
  /// What of the value before shows in the result: a need of no more survives it.
  public let keeps: Trace
  /// Values per map that the templates read, by the C name that follows the layer's.
  public let channelValues: [String]
  /// Those of them that the backward template reads.
  public let backwardChannelValues: [String]
  /// Constants for the templates, by name.
  public let constants: [String: String]
  /// The same for the backward template.
  public let backwardConstants: [String: String]
  /// Functions that the templates call, `exp` for `exp_float` and `exp_lanes`: templates `support_NAME_scalar` and
  /// `support_NAME_vector`, each after those that it calls.
  public let support: [String]
  /// The same for the backward template.
  public let backwardSupport: [String]
  /// Reads the step's number and seed.
  public let isRandom: Bool
  /// `v · scale + shift` with constants of each map.
  public let isAffine: Bool

  public init(
    template: String, backwardTemplate: String?, hasVectorForm: Bool, isMonotone: Bool = false,
    gradientNeed: GradientNeed = .nothing, gradientText: String = "computes its gradient from it",
    keeps: Trace = .nothing, channelValues: [String] = [], backwardChannelValues: [String] = [],
    constants: [String: String] = [:], backwardConstants: [String: String]? = nil,
    support: [String] = [], backwardSupport: [String] = [], isRandom: Bool = false,
    isAffine: Bool = false
  ) {
    self.template = template
    self.backwardTemplate = backwardTemplate
    self.hasVectorForm = hasVectorForm
    self.isMonotone = isMonotone
    self.gradientNeed = gradientNeed
    self.gradientText = gradientText
    self.keeps = keeps
    self.channelValues = channelValues
    self.backwardChannelValues = backwardChannelValues
    self.constants = constants
    self.backwardConstants = backwardConstants ?? constants
    self.support = support
    self.backwardSupport = backwardSupport
    self.isRandom = isRandom
    self.isAffine = isAffine
  }
}

/// Maximum of windows that tile a map; cells of an incomplete last window are dropped.
public struct Pooling: Sendable, Hashable {
  public let height: Int
  public let width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}
