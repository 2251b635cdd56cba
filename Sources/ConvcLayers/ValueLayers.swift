import ConvcIR

/// The layers as methods of a value, for networks written as graphs.
extension Value {
  public func conv2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true, name: String? = nil,
    frozen: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Conv2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        dilation: dilation, groups: groups, bias: bias), name: name, frozen: frozen, file: file,
      line: line)
  }

  public func convTranspose2d(
    _ outputChannels: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0,
    outputPadding: Size2D = 0, groups: Int = 1, bias: Bool = true, name: String? = nil,
    frozen: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      ConvTranspose2D(
        outputChannels: outputChannels, kernelSize: kernelSize, stride: stride, padding: padding,
        outputPadding: outputPadding, groups: groups, bias: bias), name: name, frozen: frozen,
      file: file, line: line)
  }

  public func dense(
    _ outputs: Int, name: String? = nil, frozen: Bool = false, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(Dense(outputs: outputs), name: name, frozen: frozen, file: file, line: line)
  }

  public func batchNorm(
    name: String? = nil, frozen: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(BatchNorm2D(), name: name, frozen: frozen, file: file, line: line)
  }

  public func relu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(ReLU(), name: name, file: file, line: line)
  }

  public func relu6(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(ReLU6(), name: name, file: file, line: line)
  }

  public func clip(
    minimum: Float = -.greatestFiniteMagnitude, maximum: Float = .greatestFiniteMagnitude,
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Clip(minimum: minimum, maximum: maximum), name: name, file: file, line: line)
  }

  public func sigmoid(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Sigmoid(), name: name, file: file, line: line)
  }

  public func tanh(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Tanh(), name: name, file: file, line: line)
  }

  public func selu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(SELU(), name: name, file: file, line: line)
  }

  public func silu(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(SiLU(), name: name, file: file, line: line)
  }

  public func softplus(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Softplus(), name: name, file: file, line: line)
  }

  public func hardSwish(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(HardSwish(), name: name, file: file, line: line)
  }

  public func leakyReLU(
    slope: Float = 0.01, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(LeakyReLU(slope: slope), name: name, file: file, line: line)
  }

  public func elu(
    alpha: Float = 1, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(ELU(alpha: alpha), name: name, file: file, line: line)
  }

  public func gelu(
    _ approximation: GELU.Approximation = .none, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(GELU(approximation), name: name, file: file, line: line)
  }

  public func hardSigmoid(
    slope: Float = 1 / 6, offset: Float = 0.5, name: String? = nil, file: String = #fileID,
    line: Int = #line
  ) -> Value {
    apply(HardSigmoid(slope: slope, offset: offset), name: name, file: file, line: line)
  }

  public func maxPool(
    _ kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      MaxPool2D(kernelSize: kernelSize, stride: stride, padding: padding), name: name, file: file,
      line: line)
  }

  public func averagePool(
    _ kernelSize: Size2D, stride: Size2D? = nil, padding: Padding = 0, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      AveragePool2D(kernelSize: kernelSize, stride: stride, padding: padding), name: name,
      file: file, line: line)
  }

  public func globalAveragePool(
    name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(GlobalAveragePool(), name: name, file: file, line: line)
  }

  public func flatten(name: String? = nil, file: String = #fileID, line: Int = #line) -> Value {
    apply(Flatten(), name: name, file: file, line: line)
  }

  public func dropout(
    _ rate: Double, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Dropout(rate: rate), name: name, file: file, line: line)
  }

  public func add(
    _ others: Value..., name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Add(), with: others, name: name, file: file, line: line)
  }

  public func concat(
    _ others: Value..., name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Concat(), with: others, name: name, file: file, line: line)
  }
}
