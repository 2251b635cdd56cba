import ConvcIR

/// Every layer and loss that convc has, each a line: what tests, documentation and readers of model files go through.
public enum LayerRegistry {
  /// In alphabetic order.
  public static let layers: [any Layer.Type] = [
    Add.self,
    AveragePool2D.self,
    BatchNorm2D.self,
    Clip.self,
    Concat.self,
    Conv2D.self,
    ConvTranspose2D.self,
    Dense.self,
    Dropout.self,
    Flatten.self,
    GlobalAveragePool.self,
    MaxPool2D.self,
    ReLU.self,
    ReLU6.self,
  ]

  /// In alphabetic order.
  public static let losses: [any Loss.Type] = [
    MeanSquaredError.self,
    SoftmaxCrossEntropy.self,
  ]
}
