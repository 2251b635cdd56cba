import ConvcIR
import ConvcReference

/// Sets each weight of a layer to zero with a probability while training, and scales the others by 1/(1 − rate).
///
/// At inference all weights are used as they are: the expected value of what training uses. One mask serves all images of
/// a step. Its bits are Philox 4x32-10's, keyed by the step's seed and the layer's name, counted by the step's number and
/// the weight's index: layout, fusion and threads do not change them. Forward and backward draw them anew; none is saved.
/// - Source: Wan et al. 2013, "Regularization of neural networks using DropConnect" (with one mask for each image, which
///   costs a copy of the weights for each, and a Gaussian at inference); inverted scaling after Srivastava et al. 2014.
struct DropConnect: WeightDerivation {
  /// Probability of a zero.
  let rate: Double

  /// - Throws: a rate that is no probability below 1.
  func check() throws(LayerError) {
    try mask.check("dropConnect")
  }

  /// The candidates on weights with connections dropped, while training. Families that keep weights in another order are
  /// none of them: packed weights are written before the step's masks are known.
  func apply(to candidates: [Candidate], of group: GroupContext, direct: Set<String>) -> [Candidate]
  {
    guard rate > 0, group.isTraining else { return candidates }
    return candidates.filter { direct.contains($0.family) }.map { $0.deriving(self) }
  }

  private var mask: RandomMask { RandomMask(rate: rate) }

  private func call(
    _ context: ForwardContext, name: String, title: String, adds: Bool, from source: Buffer.ID,
    to result: Buffer.ID
  ) -> KernelCall {
    let spec = context.weightSpec
    let extents = spec.shape.map(String.init).joined(separator: ", ")
    return KernelCall(
      template: "dropconnect", name: name, title: title, layers: [context.anchorNode.name],
      constants: [
        ConstantRow([Constant("COUNT", spec.count)]),
        ConstantRow(
          [
            Constant("PIECE", 256),
            Constant("ROOM", 256 + RandomPatch.blockRoom(context.context.target)),
          ],
          comment: "weights that bits are drawn for at once, and whole blocks of bits"),
      ], flags: ["adds": adds],
      texts: mask.constants.merging(["key": RandomMask.key(of: context.anchorNode.name)]) { $1 },
      support: RandomPatch.support(context.context.target),
      scalars: (adds ? [.accumulate] : []) + [.seed, .step],
      arguments: [
        Argument("x", element: "float", access: .read, buffer: source, text: "[\(extents)]"),
        Argument(
          "y", element: "float", access: adds ? .update : .write, buffer: result,
          text: "[\(extents)]"),
      ],
      work: Work(flops: Double(spec.count * 60), bytes: Double(spec.count * 8), efficiency: 0.1))
  }

  func weight(_ context: ForwardContext, part: String) -> (buffer: Buffer.ID, calls: [KernelCall]) {
    let group = context.context.group.name
    let result = context.buffers.arena(
      "\(group)_\(part)_kept_weight", bytes: context.weightSpec.count * 4)
    return (
      result,
      [
        call(
          context, name: "\(group)_\(part)_drop_weight",
          title: "weights of this step: dropped ones are zero", adds: false,
          from: context.buffers.parameter(context.anchorNode.parameters[0]), to: result)
      ]
    )
  }

  func gradient(_ context: BackwardContext, from derived: Buffer.ID) -> KernelCall {
    let node = context.forward.anchorNode
    return call(
      context.forward, name: "\(context.context.group.name)_backward_weight_drop",
      title: "gradient of the weight: zero for dropped ones", adds: true, from: derived,
      to: context.buffers.gradient(node.parameters[0]))
  }

  /// The same for the reference, weights or their gradient.
  func masked(_ weight: DoubleTensor, _ call: LayerCall) -> DoubleTensor {
    mask.applied(to: weight, call)
  }
}

extension SettingSpec {
  static let dropConnect = SettingSpec(
    "dropConnect", .number, default: .number(0),
    "probability with which training sets a weight to zero")
}
