extension Program {
  /// The elements of an input, output or target, dense and row-major.
  public enum Values: Sendable, Equatable {
    case float32([Float])
    case int32([Int32])
    case int64([Int64])
    case bool([Bool])

    public var element: Element {
      switch self {
      case .float32: .float32
      case .int32: .int32
      case .int64: .int64
      case .bool: .bool
      }
    }

    public var count: Int {
      switch self {
      case .float32(let values): values.count
      case .int32(let values): values.count
      case .int64(let values): values.count
      case .bool(let values): values.count
      }
    }

    /// Copies elements out of memory in the machine's own order of bytes.
    ///
    /// - Precondition: `bytes` holds whole elements.
    public init(_ element: Element, copying bytes: UnsafeRawBufferPointer) {
      switch element {
      case .float32: self = .float32(Self.copy(bytes, zero: 0))
      case .int32: self = .int32(Self.copy(bytes, zero: 0))
      case .int64: self = .int64(Self.copy(bytes, zero: 0))
      case .bool: self = .bool(bytes.map { $0 != 0 })
      }
    }

    private static func copy<Value>(_ bytes: UnsafeRawBufferPointer, zero: Value) -> [Value] {
      var values = [Value](repeating: zero, count: bytes.count / MemoryLayout<Value>.stride)
      values.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
      return values
    }

    /// The elements of a range.
    public subscript(range: Range<Int>) -> Values {
      withBytes { bytes in
        let part = bytes[(element.size * range.lowerBound)..<(element.size * range.upperBound)]
        return Values(element, copying: UnsafeRawBufferPointer(rebasing: part))
      }
    }

    /// Calls `body` with the elements' bytes.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      switch self {
      case .float32(let values): values.withUnsafeBytes(body)
      case .int32(let values): values.withUnsafeBytes(body)
      case .int64(let values): values.withUnsafeBytes(body)
      case .bool(let values): values.withUnsafeBytes(body)
      }
    }
  }
}

/// The same calls with arrays, which are checked for number and type of elements.
extension Session {
  /// Runs inference and returns the outputs, `batch` images of each.
  ///
  /// - Errors: as the call with addresses; values of another number or type than an input takes.
  public func forward(
    inputs: [Program.Values], batch: Int, threads: Int = 0
  ) throws(ProgramError) -> [Program.Values] {
    try checkBatch(batch)
    try check("inputs", inputs, program.inputs, batch)
    var blocks: [AlignedBuffer] = []
    for tensor in program.outputs {
      let bytes = tensor.element.size * batch * tensor.elementsPerImage
      guard let block = AlignedBuffer(byteCount: bytes) else {
        throw .outOfMemory(bytes: bytes, block: "output '\(tensor.name)'")
      }
      blocks.append(block)
    }
    try withAddresses(inputs) { (inputs) throws(ProgramError) in
      try forward(inputs: inputs, outputs: blocks.map(\.address), batch: batch, threads: threads)
    }
    return zip(program.outputs, blocks).map { tensor, block in
      Program.Values(
        tensor.element,
        copying: UnsafeRawBufferPointer(
          start: block.address, count: tensor.element.size * batch * tensor.elementsPerImage))
    }
  }

  /// Takes the gradients of the total loss into the gradient block and returns the losses.
  ///
  /// - Errors: as the call with addresses; values of another number or type than a tensor takes.
  public func gradients(
    inputs: [Program.Values], targets: [Program.Values], batch: Int,
    options: StepOptions = StepOptions()
  ) throws(ProgramError) -> [Float] {
    try train(inputs, targets, batch) { (inputs, targets) throws(ProgramError) in
      try gradients(inputs: inputs, targets: targets, batch: batch, options: options)
    }
  }

  /// Makes a training step and returns the losses.
  ///
  /// - Errors: as the call with addresses; values of another number or type than a tensor takes.
  public func step(
    inputs: [Program.Values], targets: [Program.Values], batch: Int,
    options: StepOptions = StepOptions()
  ) throws(ProgramError) -> [Float] {
    try train(inputs, targets, batch) { (inputs, targets) throws(ProgramError) in
      try step(inputs: inputs, targets: targets, batch: batch, options: options)
    }
  }

  private func train(
    _ inputs: [Program.Values], _ targets: [Program.Values], _ batch: Int,
    _ call: ([UnsafeRawPointer], [UnsafeRawPointer]) throws(ProgramError) -> [Float]
  ) throws(ProgramError) -> [Float] {
    try checkBatch(batch)
    try check("inputs", inputs, program.inputs, batch)
    if program.canTrain { try check("targets", targets, program.targets, batch) }
    return try withAddresses(inputs + targets) { (addresses) throws(ProgramError) in
      try call(Array(addresses.prefix(inputs.count)), Array(addresses.dropFirst(inputs.count)))
    }
  }

  private func check(
    _ what: String, _ values: [Program.Values], _ tensors: [Program.Tensor], _ batch: Int
  ) throws(ProgramError) {
    try checkCount(what, values.count, tensors)
    for (values, tensor) in zip(values, tensors) {
      let expected = batch * tensor.elementsPerImage
      guard values.element == tensor.element, values.count == expected else {
        let first = program.maxBatch == 1 ? tensor.shape.first ?? 1 : batch
        let shape = ([first] + tensor.shape.dropFirst()).map(String.init).joined(separator: " x ")
        throw .values(
          name: tensor.name, given: "\(values.count) \(values.element.rawValue)",
          expected: "\(expected) \(tensor.element.rawValue) (\(shape))")
      }
    }
  }

  /// Gives the addresses of all values at once to `body`.
  private func withAddresses<R>(
    _ values: [Program.Values], _ body: ([UnsafeRawPointer]) throws(ProgramError) -> R
  ) throws(ProgramError) -> R {
    func collect(
      _ rest: ArraySlice<Program.Values>, _ addresses: [UnsafeRawPointer]
    ) -> Result<R, ProgramError> {
      guard let first = rest.first else {
        return Result { () throws(ProgramError) in try body(addresses) }
      }
      return first.withBytes { bytes in
        // A tensor without elements is never read, but its address must not be NULL.
        guard let address = bytes.baseAddress else {
          return withUnsafeBytes(of: 0) {
            collect(rest.dropFirst(), addresses + ($0.baseAddress.map { [$0] } ?? []))
          }
        }
        return collect(rest.dropFirst(), addresses + [address])
      }
    }
    return try collect(values[...], []).get()
  }
}

/// Parameters, gradients and optimiser state as arrays.
extension Session {
  /// The whole parameter block, which is the data of a safetensors file.
  public var parameterBlock: [Float] {
    Array(readOnlyParameters)
  }

  /// Sets the whole parameter block.
  ///
  /// - Errors: not ``Program/parameterCount`` values.
  public func setParameterBlock(_ values: [Float]) throws(ProgramError) {
    try withParameters { (block) throws(ProgramError) in
      try Self.copy(values, to: block[...], name: "the parameter block")
    }
  }

  /// The values of one parameter.
  ///
  /// - Errors: no parameter of this name.
  public func parameter(_ name: String) throws(ProgramError) -> [Float] {
    Array(readOnlyParameters[try program.parameter(name).range])
  }

  /// Sets one parameter.
  ///
  /// - Errors: no parameter of this name; another number of values than it has.
  public func setParameter(_ name: String, to values: [Float]) throws(ProgramError) {
    let parameter = try program.parameter(name)
    try withParameters { (block) throws(ProgramError) in
      try Self.copy(values, to: block[parameter.range], name: name)
    }
  }

  /// The gradient of one parameter, as the last call left it.
  ///
  /// - Errors: no parameter of this name; a parameter without a gradient.
  public func gradient(_ name: String) throws(ProgramError) -> [Float] {
    let parameter = try program.parameter(name)
    guard let offset = parameter.gradientOffset else { throw .frozenParameter(name) }
    return withGradients { Array($0[offset..<(offset + parameter.count)]) }
  }

  /// The whole state of the optimiser, for a checkpoint.
  public var optimizerBlock: [Float] {
    withOptimizer { Array($0) }
  }

  /// Sets the whole state of the optimiser.
  ///
  /// - Errors: not ``Program/optimizerCount`` values.
  public func setOptimizerBlock(_ values: [Float]) throws(ProgramError) {
    try withOptimizer { (block) throws(ProgramError) in
      try Self.copy(values, to: block[...], name: "the optimiser state")
    }
  }

  private static func copy(
    _ values: [Float], to block: Slice<UnsafeMutableBufferPointer<Float>>, name: String
  ) throws(ProgramError) {
    guard values.count == block.count else {
      throw .values(
        name: name, given: "\(values.count) values", expected: "\(block.count) values")
    }
    _ = UnsafeMutableBufferPointer(rebasing: block).update(fromContentsOf: values)
  }
}
