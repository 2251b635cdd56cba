/// A layer whose outputs are numbered units of any number: where it is a network's last, it gives the scores of classes,
/// and another one in its place tells other classes apart.
public protocol HeadLayer: Layer {
  /// Outputs, or maps of them.
  var outputCount: Int { get }

  /// The same layer with another number of outputs, and a bias for each.
  func withOutputs(_ count: Int) -> any Layer
}
