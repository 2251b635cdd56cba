import ConvcIR

/// Every layer and loss that convc has, each a line: what tests, documentation and readers of model files go through.
public enum LayerRegistry {
  /// In alphabetic order.
  public static let layers: [any RegisteredLayer.Type] = [
    Add.self,
    Arithmetic.self,
    AveragePool1D.self,
    AveragePool2D.self,
    BatchNorm2D.self,
    Clip.self,
    Concat.self,
    Conv1D.self,
    Conv2D.self,
    ConvTranspose1D.self,
    ConvTranspose2D.self,
    Dense.self,
    DepthToSpace.self,
    Dropout.self,
    Elementary.self,
    ELU.self,
    Flatten.self,
    GELU.self,
    GlobalAveragePool.self,
    GlobalMaxPool.self,
    GroupNorm.self,
    HardSigmoid.self,
    HardSwish.self,
    InstanceNorm.self,
    LayerNorm.self,
    LeakyReLU.self,
    LocallyConnected1D.self,
    LocallyConnected2D.self,
    LocalResponseNorm.self,
    LogSoftmax.self,
    MaxPool1D.self,
    MaxPool2D.self,
    MaxUnpool2D.self,
    MeanVarianceNorm.self,
    Multiply.self,
    Pad.self,
    PositionBias.self,
    PReLU.self,
    ReduceMean.self,
    ReduceSum.self,
    ReLU.self,
    ReLU6.self,
    Reshape.self,
    ReshapeAll.self,
    SELU.self,
    Sigmoid.self,
    SiLU.self,
    Slice.self,
    Softmax.self,
    Softplus.self,
    Softsign.self,
    SpaceToDepth.self,
    SumPool2D.self,
    Tanh.self,
    Transpose.self,
    Upsample.self,
  ]

  /// The layer that model files call so.
  public static func layer(named name: String) -> (any RegisteredLayer.Type)? {
    layers.first { $0.registeredName == name }
  }

  /// The loss that model files call so.
  public static func loss(named name: String) -> (any RegisteredLoss.Type)? {
    losses.first { $0.registeredName == name }
  }

  /// In alphabetic order.
  public static let losses: [any RegisteredLoss.Type] = [
    BinaryCrossEntropy.self,
    BinaryHinge.self,
    CategoricalCrossEntropy.self,
    CosineProximity.self,
    CustomLoss.self,
    Dice.self,
    Huber.self,
    KLDivergence.self,
    MeanAbsoluteError.self,
    MeanSquaredError.self,
    MultiClassHinge.self,
    MultiLabelCrossEntropy.self,
    NegativeLogLikelihood.self,
    Poisson.self,
    SoftmaxCrossEntropy.self,
  ]
}
