import ConvcIR

extension CommonKernels {
  /// Weights that one part of the kernel's loop takes. Parts depend on shapes alone, so sums do not depend on threads.
  static let partOfWeights = 8192

  public func regularization(_ context: RegularizationContext) -> [KernelCall] {
    var rows: [String] = []
    var parts = 0
    var count = 0
    for parameter in context.parameters {
      guard let regularizer = parameter.regularizer else { continue }
      let end = parameter.offset + parameter.spec.count
      rows.append(
        "{\(parameter.offset), \(end), \(parts), \(cFloat(regularizer.l1)), "
          + "\(cFloat(regularizer.l2))},  // \(parameter.name)")
      parts += (parameter.spec.count + Self.partOfWeights - 1) / Self.partOfWeights
      count += parameter.spec.count
    }
    let sums = context.buffers.arena("regularization_parts", bytes: parts * 8)
    let name = Regularization.name
    let penalize = KernelCall(
      template: "regularization", name: name,
      title: "penalty on weights, with the gradient",
      notes: [
        "Each range of weights adds l1 * sum |w| + l2 * sum w * w to what is minimised, and the slope of that to its "
          + "gradients; at 0 the slope of |w| is 0."
      ], layers: [name],
      constants: [
        ConstantRow(
          [Constant("PART", Self.partOfWeights)], comment: "weights that one thread takes at once"),
        ConstantRow([Constant("SUMS", 16)], comment: "sums side by side"),
      ], texts: ["ranges": rows.joined(separator: "\n        ")], support: ["support_penalize"],
      scalars: [],
      arguments: [
        Argument(
          "parameters", element: "float", access: .read, buffer: context.block,
          text: "the parameter block"),
        Argument(
          "gradients", element: "float", access: .update, buffer: context.gradients,
          text: "the gradient block"),
        Argument(
          "parts", element: "double", access: .write, buffer: sums,
          text: "[\(parts)]  penalty of each part"),
      ],
      work: Work(flops: Double(6 * count), bytes: Double(12 * count), efficiency: 0.2))
    let sum = KernelCall(
      template: "regularization_sum", name: "\(name)_sum", title: "penalty of all parts",
      layers: [name], constants: [ConstantRow([Constant("PARTS", parts)])], scalars: [],
      arguments: [
        Argument(
          "parts", element: "double", access: .read, buffer: sums, text: "[\(parts)]"),
        Argument(
          "loss", element: "float", access: .write, buffer: context.losses, origin: context.index,
          text: "[1]"),
      ], isParallel: false,
      work: Work(flops: Double(parts), bytes: 0, efficiency: 0.1))
    return [penalize, sum]
  }
}
