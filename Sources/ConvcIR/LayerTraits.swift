/// What the lints have to know of a layer; each layer says it in its own file.
public struct LayerTraits: OptionSet, Sendable, Hashable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// A full linear map of its input with weights of its own: two of them in a row are one.
  public static let linear = LayerTraits(rawValue: 1)
  /// Adds a learned constant to each channel of what it computes.
  public static let bias = LayerTraits(rawValue: 2)
  /// Subtracts each channel's mean over the batch in training: a constant before it vanishes.
  public static let centring = LayerTraits(rawValue: 4)
  /// Hardly any gradient where inputs are large, whatever their sign.
  public static let saturating = LayerTraits(rawValue: 8)
  /// From 0 to 1, with a slope of at most 1/4.
  public static let logistic = LayerTraits(rawValue: 16)
  /// Values are never below 0.
  public static let nonNegative = LayerTraits(rawValue: 32)
  /// Works on axis 0 as well, so an unbatched network alone can have it.
  public static let wholeShape = LayerTraits(rawValue: 64)
  /// Takes elements of every type, not float32 alone.
  public static let anyElement = LayerTraits(rawValue: 128)
}
