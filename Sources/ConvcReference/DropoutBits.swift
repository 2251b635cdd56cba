import ConvcIR

extension Philox {
  /// The bits of a layer's mask in a step: the layer's name enters the key as its FNV-1a hash.
  package init(seed: UInt64, name: String, step: UInt64) {
    let hash = name.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    self.init(key: seed ^ UInt64(hash), stream: step)
  }
}
