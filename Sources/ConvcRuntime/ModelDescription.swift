import ConvcABI

extension Program {
  /// Types of elements at the boundary.
  public enum Element: String, Sendable {
    case float32, int32, int64, bool

    /// Bytes of one element.
    public var size: Int {
      switch self {
      case .float32, .int32: 4
      case .int64: 8
      case .bool: 1
      }
    }
  }

  /// How raw pixels become an input: `x = (pixel * scale - mean[c]) / deviation[c]`.
  public struct Preprocessing: Sendable, Equatable {
    public let scale: Float
    /// One entry for each channel.
    public let mean: [Float]
    public let deviation: [Float]
  }

  /// An input, output or target: dense, row-major, NCHW.
  public struct Tensor: Sendable, Equatable {
    public let name: String
    public let element: Element
    /// The first extent is the largest batch, but in a model whose largest batch is 1: shapes are whole there.
    public let shape: [Int]
    public let preprocessing: Preprocessing?
    /// Elements for each image of a batch.
    public let elementsPerImage: Int

    /// - Parameter batch: the model's largest batch; nil: the first extent.
    init(
      name: String, element: Element, shape: [Int], preprocessing: Preprocessing?,
      batch: Int? = nil
    ) {
      self.name = name
      self.element = element
      self.shape = shape
      self.preprocessing = preprocessing
      elementsPerImage = shape.reduce(1, *) / (batch ?? shape.first ?? 1)
    }
  }

  /// A loss, by indices of the output that it judges and of its target.
  public struct Loss: Sendable, Equatable {
    public let name: String
    /// Its factor in the total loss.
    public let weight: Float
    public let output: Int
    public let target: Int
  }

  /// Who changes a parameter.
  public enum ParameterKind: String, Sendable {
    /// The update, by its gradient.
    case trainable
    /// Nobody.
    case frozen
    /// The forward pass of a training step: running means and variances.
    case statistic
  }

  /// A tensor of the parameter block.
  public struct Parameter: Sendable, Equatable {
    public let name: String
    public let kind: ParameterKind
    public let shape: [Int]
    /// Floats from the start of the parameter block.
    public let offset: Int
    /// Floats from the start of the gradient block; nil without a gradient.
    public let gradientOffset: Int?

    public var count: Int { shape.reduce(1, *) }
    /// Where it lies in the parameter block.
    public var range: Range<Int> { offset..<(offset + count) }
  }
}

/// Reads a descriptor of a library, and believes nothing that could lead outside of a block.
struct DescriptorReader {
  let path: String
  let model: convc_model

  private func damaged(_ reason: String) -> ProgramError {
    .damagedDescriptor(path: path, reason: reason)
  }

  func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(ProgramError) -> String {
    guard let pointer else { throw damaged("\(what) has no text") }
    return String(cString: pointer)
  }

  func size(_ value: Int64, _ what: String) throws(ProgramError) -> Int {
    guard value >= 0, value <= Int64(1) << 48 else { throw damaged("\(what) is \(value)") }
    return Int(value)
  }

  private func list<T>(
    _ start: UnsafePointer<T>?, _ count: Int32, _ what: String
  ) throws(ProgramError) -> UnsafeBufferPointer<T> {
    guard count >= 0, count == 0 || start != nil else { throw damaged("\(count) \(what)") }
    return UnsafeBufferPointer(start: start, count: Int(count))
  }

  private func shape(
    _ start: UnsafePointer<Int64>?, _ rank: Int32, _ name: String
  ) throws(ProgramError) -> [Int] {
    var shape: [Int] = []
    var elements = 1
    for extent in try list(start, rank, "extents of \(name)") {
      let (product, overflow) = elements.multipliedReportingOverflow(by: Int(extent))
      guard extent >= 0, !overflow else { throw damaged("an extent of \(name) is \(extent)") }
      elements = product
      shape.append(Int(extent))
    }
    return shape
  }

  func tensors(
    _ start: UnsafePointer<convc_tensor>?, _ count: Int32, _ what: String
  ) throws(ProgramError) -> [Program.Tensor] {
    var tensors: [Program.Tensor] = []
    for tensor in try list(start, count, what) {
      let name = try text(tensor.name, what)
      let elements: [Int: Program.Element] = [
        CONVC_FLOAT32: .float32, CONVC_INT32: .int32, CONVC_INT64: .int64, CONVC_BOOL: .bool,
      ]
      guard let element = elements[Int(tensor.element)] else {
        throw damaged("\(name) has element type \(tensor.element)")
      }
      tensors.append(
        Program.Tensor(
          name: name, element: element, shape: try shape(tensor.shape, tensor.rank, name),
          preprocessing: try preprocessing(tensor.preprocessing, name),
          batch: Int(model.max_batch)))
    }
    return tensors
  }

  private func preprocessing(
    _ pointer: UnsafePointer<convc_preprocessing>?, _ name: String
  ) throws(ProgramError) -> Program.Preprocessing? {
    guard let entry = pointer?.pointee else { return nil }
    return Program.Preprocessing(
      scale: entry.scale,
      mean: Array(try list(entry.mean, entry.channels, "means of \(name)")),
      deviation: Array(try list(entry.deviation, entry.channels, "deviations of \(name)")))
  }

  /// The losses, and whether the penalty on weights follows them.
  func losses(outputs: Int, targets: Int) throws(ProgramError) -> ([Program.Loss], Bool) {
    var losses: [Program.Loss] = []
    let entries = try list(model.losses, model.losses_count, "losses")
    for (index, loss) in entries.enumerated() {
      let name = try text(loss.name, "a loss")
      let (output, target) = (Int(loss.output), Int(loss.target))
      if output == -1, target == -1, index == entries.count - 1 { return (losses, true) }
      guard (0..<outputs).contains(output), (0..<targets).contains(target) else {
        throw damaged("loss \(name) judges output \(output) by target \(target)")
      }
      losses.append(
        Program.Loss(name: name, weight: loss.weight, output: output, target: target))
    }
    return (losses, false)
  }

  func parameters(block: Int, gradients: Int) throws(ProgramError) -> [Program.Parameter] {
    let kinds: [Int: Program.ParameterKind] = [
      CONVC_TRAINABLE: .trainable, CONVC_FROZEN: .frozen, CONVC_STATISTIC: .statistic,
    ]
    var parameters: [Program.Parameter] = []
    for entry in try list(model.parameters, model.parameters_count, "parameters") {
      let name = try text(entry.name, "a parameter")
      guard let kind = kinds[Int(entry.kind)] else {
        throw damaged("parameter \(name) is of kind \(entry.kind)")
      }
      let parameter = Program.Parameter(
        name: name, kind: kind, shape: try shape(entry.shape, entry.rank, name),
        offset: try size(entry.offset, "the offset of \(name)"),
        gradientOffset: entry.gradient_offset == -1
          ? nil : try size(entry.gradient_offset, "the gradient offset of \(name)"))
      let gradientEnd = parameter.gradientOffset.map { $0 + parameter.count } ?? 0
      guard parameter.range.upperBound <= block, gradientEnd <= gradients else {
        throw damaged("parameter \(name) ends outside of its block")
      }
      parameters.append(parameter)
    }
    return parameters
  }

  func classes() throws(ProgramError) -> [String] {
    var classes: [String] = []
    for name in try list(model.classes, model.classes_count, "classes") {
      classes.append(try text(name, "a class"))
    }
    return classes
  }
}
