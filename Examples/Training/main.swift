import Convc

let model = Model("digits", input: [1, 8, 8], loss: SoftmaxCrossEntropy()) {
  Conv2D(outputChannels: 16, kernelSize: 3, padding: 1)
  ReLU()
  MaxPool2D(kernelSize: 2)
  Flatten()
  Dense(outputs: 10)
}
let trained = try await model.train(on: DatasetCatalog().load("digits"), Recipe(epochs: 20))
print("test accuracy \(trained.result.test?.metrics.accuracy ?? 0)")
