import ConvcIR

extension Philox {
  /// The bits of a layer's mask in a step: the layer's name enters the key as its FNV-1a hash.
  package init(seed: UInt64, name: String, step: UInt64) {
    self.init(key: seed ^ UInt64(Self.hash(of: name)), stream: step)
  }
}
