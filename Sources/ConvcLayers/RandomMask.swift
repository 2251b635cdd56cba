import ConvcIR
import ConvcReference

/// Values that a layer sets to zero with a probability while training; the others are scaled by 1/(1 − rate).
///
/// The bits are Philox 4x32-10's, keyed by the step's seed and the layer's name, counted by the step's number and the
/// value's index: layout, fusion and threads do not change them.
struct RandomMask {
  /// Probability of a zero.
  let rate: Double

  /// - Parameter setting: what the layer calls the rate.
  /// - Throws: a rate that is no probability below 1.
  func check(_ setting: String) throws(LayerError) {
    guard rate >= 0, rate < 1 else {
      throw .setting("\(setting) \(rate) is out of range; a probability in 0..<1 is expected")
    }
  }

  /// A value is kept where 32 random bits are at or above it.
  private var threshold: UInt32 {
    UInt32(min((rate * 4_294_967_296).rounded(), 4_294_967_295))
  }

  private var scale: Float { Float(1 / (1 - rate)) }

  /// What the templates have in the holes of these names.
  var constants: [String: String] { ["threshold": "\(threshold)u", "scale": cFloat(scale)] }

  /// The second word of the bits' key, in C.
  static func key(of layer: String) -> String {
    "0x" + String(Philox.hash(of: layer), radix: 16) + "u"
  }

  /// The same for the reference.
  func applied(to values: DoubleTensor, _ call: LayerCall) -> DoubleTensor {
    guard rate > 0, call.options.mode == .training else { return values }
    let result = DoubleTensor(shape: values.shape)
    let philox = Philox(seed: call.options.seed, name: call.node.name, step: call.options.step)
    let scale = Double(scale)
    var i = 0
    while i < values.count {
      let words = philox.words(UInt64(i / 4))
      for word in 0..<min(4, values.count - i) where words[word] >= threshold {
        result.address[i + word] = values.address[i + word] * scale
      }
      i &+= 4
    }
    return result
  }
}
