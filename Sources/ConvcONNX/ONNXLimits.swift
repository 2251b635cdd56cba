/// What a model may ask for before it is refused.
///
/// Hostile files announce more than they hold, or unfold to more than they are. All limits are far
/// above what convolutional networks need.
public struct ONNXLimits: Sendable, Hashable {
  /// Bytes of the model file; protobuf itself ends at 2 GiB.
  public var fileBytes = (1 << 31) - 1
  /// Bytes that the model takes in memory without its weights, as estimated while it is read.
  public var structureBytes = 192 << 20
  /// Messages within messages.
  public var depth = 48
  /// Nodes, those of subgraphs and of unfolded functions included.
  public var nodes = 100_000
  /// Layers of the network that the nodes become. What compiles it takes seconds for as many.
  public var layers = 4096
  /// Inputs of the model, its outputs, and inputs of one node.
  public var ports = 1024
  /// Bytes of all initializers and constants.
  public var tensorBytes = 1 << 32
  /// Bytes of values that are computed from constants while the model is read, where the weights
  /// are smaller; three times the weights otherwise.
  public var computedBytes = 128 << 20
  /// Axes of a tensor.
  public var rank = 32

  public init() {}
}
