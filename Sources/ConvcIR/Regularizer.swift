/// A penalty on the size of a layer's weights, which training minimises beside the losses:
/// `R(w) = l1 · Σ|w| + l2 · Σw²`.
///
/// - Factor: `l2` stands before the sum of squares itself, as in Keras, not before half of it.
/// - Gradient: `l1 · sign(w) + 2 · l2 · w`; of |w| at 0 the subgradient 0.
/// - What it covers: the layer's weights. Biases and the parameters of normalisation are left out unless
///   ``includesBiases`` is set. Frozen parameters, running statistics, and layers from which no loss is reached are never
///   penalised.
/// - Once a `gradients` call: with `accumulate` each call adds the penalty's gradient, as it adds that of the losses'
///   mean. So the sum over k micro-batches is k times the gradient of mean loss and penalty: divide the rate by k.
/// - Relation to the recipe's weight decay: for plain gradient descent, with momentum or without, `weight_decay = 2 · l2`
///   takes the same steps. Weight decay is an option of the update, the same for all weights, and shows in no loss; a
///   regulariser is a property of the model, may differ between layers, and its value is reported. Both add up.
public struct Regularizer: Sendable, Hashable, Codable {
  /// Factor of the sum of magnitudes.
  public let l1: Float
  /// Factor of the sum of squares.
  public let l2: Float
  /// Whether biases and the parameters of normalisation are penalised as well.
  public let includesBiases: Bool

  public init(l1: Float = 0, l2: Float = 0, includesBiases: Bool = false) {
    self.l1 = l1
    self.l2 = l2
    self.includesBiases = includesBiases
  }

  /// No penalty: takes a layer out of the model's default.
  public static let none = Regularizer()

  /// Whether nothing is penalised.
  public var isNone: Bool { l1 == 0 && l2 == 0 }

  /// Whether a parameter is penalised.
  public func covers(_ spec: ParameterSpec) -> Bool {
    !isNone && !spec.isStatistic && (spec.decays || includesBiases)
  }

  /// The penalty of one value.
  public func value(_ w: Double) -> Double {
    Double(l1) * w.magnitude + Double(l2) * w * w
  }

  /// The derivative of ``value(_:)``; at 0 it is 0.
  public func slope(_ w: Double) -> Double {
    let sign: Double = w > 0 ? 1 : w < 0 ? -1 : 0
    return Double(l1) * sign + 2 * Double(l2) * w
  }

  /// What is wrong with the setting; nil: nothing.
  public var problem: String? {
    for (name, factor) in [("l1", l1), ("l2", l2)] where !(factor >= 0 && factor.isFinite) {
      return "\(name) \(factor) of its regularizer is out of range; a finite factor of at least 0 "
        + "is expected"
    }
    return nil
  }
}

extension Regularizer: CustomStringConvertible {
  /// `l1 1e-05, l2 0.0001`.
  public var description: String {
    var parts: [String] = []
    if l1 != 0 { parts.append("l1 \(l1)") }
    if l2 != 0 { parts.append("l2 \(l2)") }
    if parts.isEmpty { parts.append("no penalty") }
    if includesBiases { parts.append("biases included") }
    return parts.joined(separator: ", ")
  }
}

extension Layer {
  /// The layer with a penalty on its weights: `l1 · Σ|w| + l2 · Σw²`.
  ///
  /// - Parameter includingBiases: whether biases and the parameters of normalisation are penalised as well.
  public func regularized(
    l1: Float = 0, l2: Float = 0, includingBiases: Bool = false, file: String = #fileID,
    line: Int = #line
  ) -> LayerEntry {
    LayerEntry(
      layer: self, name: nil, isFrozen: false,
      regularizer: Regularizer(l1: l1, l2: l2, includesBiases: includingBiases),
      location: SourceLocation(file: file, line: line))
  }
}

extension LayerEntry {
  /// The same layer with a penalty on its weights: `l1 · Σ|w| + l2 · Σw²`.
  ///
  /// - Parameter includingBiases: whether biases and the parameters of normalisation are penalised as well.
  public func regularized(
    l1: Float = 0, l2: Float = 0, includingBiases: Bool = false, file: String = #fileID,
    line: Int = #line
  ) -> LayerEntry {
    LayerEntry(
      layer: layer, name: name, isFrozen: isFrozen,
      regularizer: Regularizer(l1: l1, l2: l2, includesBiases: includingBiases),
      location: SourceLocation(file: file, line: line))
  }
}

extension Graph {
  /// The parameters that a regularizer penalises, in the order of the parameter block.
  public var penalized: [Parameter] { parameters.filter { $0.regularizer != nil } }

  /// Whether training minimises a penalty beside the losses.
  public var isRegularized: Bool { parameters.contains { $0.regularizer != nil } }

  /// Entries of the losses that a training step writes: the losses, then the penalty where there is one.
  public var lossEntries: Int { losses.count + (isRegularized ? 1 : 0) }
}

/// The penalty of a whole network, from its parameter block.
public struct Regularization: Sendable, Hashable {
  /// What its entry of the losses is called, which stands behind those of the losses.
  public static let name = "regularization"

  private let terms: [(range: Range<Int>, regularizer: Regularizer)]

  /// - Parameter parameters: the whole table, as the graph has it.
  public init(_ parameters: [Parameter]) {
    terms = parameters.compactMap { parameter in
      parameter.regularizer.map {
        (parameter.offset..<parameter.offset + parameter.spec.count, $0)
      }
    }
  }

  /// The penalty at a parameter block.
  public func value(_ parameters: UnsafeBufferPointer<Float>) -> Double {
    terms.reduce(0) { sum, term in
      var absolute = 0.0
      var squares = 0.0
      for index in term.range {
        let w = Double(parameters[index])
        absolute += w.magnitude
        squares += w * w
      }
      return sum + Double(term.regularizer.l1) * absolute + Double(term.regularizer.l2) * squares
    }
  }

  public static func == (a: Regularization, b: Regularization) -> Bool {
    a.terms.elementsEqual(b.terms, by: ==)
  }

  public func hash(into hasher: inout Hasher) {
    for term in terms {
      hasher.combine(term.range)
      hasher.combine(term.regularizer)
    }
  }
}
