import Convc
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcTool

/// `eval` and `train` of networks that other people trained, as Docs/ONNX.md shows them.
@Suite("Fine-tuning on the command line")
struct FineTuneTests {
  private static let preparation = [
    "--mean", "0.485,0.456,0.406", "--deviation", "0.229,0.224,0.225",
  ]

  /// A folder with the first images of the CIFAR-10 subset.
  private func smallCIFAR(_ tool: Tool, train: Int, test: Int) throws {
    let source = try #require(TestFiles.data("cifar10-12k"))
    try FileManager.default.createDirectory(
      atPath: tool.path("cifar"), withIntermediateDirectories: true)
    for (file, name, images) in [
      ("train_10k", "data_batch_1", train), ("test_2k", "test_batch", test),
    ] {
      let bytes = try FileReader.contents(of: "\(source)/\(file).bin.gz").prefix(images * 3073)
      try Data(bytes).write(to: URL(filePath: tool.path("cifar/\(name).bin")))
    }
    try FileManager.default.copyItem(
      atPath: "\(source)/batches.meta.txt", toPath: tool.path("cifar/batches.meta.txt"))
  }

  private static let hasData =
    TestFiles.data("onnx-models") != nil && TestFiles.data("cifar10-12k") != nil
    && TestFiles.data("mnist") != nil

  @Test(
    "trained networks reach their published accuracy with their own preprocessing",
    .enabled(if: hasData, "\(TestFiles.dataHint)"))
  func published() async throws {
    let tool = try Tool()
    let models = try #require(TestFiles.data("onnx-models"))
    let mnist = try #require(TestFiles.data("mnist"))
    let digits = try await tool("eval", "\(models)/mnist-8.onnx", "--data", mnist, "--scale", "1")
    expectDone(digits)
    #expect(digits.output.contains("10,000 test images, loss 7.5785, accuracy 98.91 %"))
    let cifar = try #require(TestFiles.data("cifar10-12k"))
    let pictures = try await tool.start(
      ["eval", "\(models)/resnet20-cifar10.onnx", "--data", cifar] + Self.preparation
    ).result()
    expectDone(pictures)
    #expect(pictures.output.contains("2,000 test images, loss 0.0108, accuracy 99.75 %"))
  }

  @Test(
    "the loss of ResNet-20 falls; checkpoint, resumed run, eval and run take the same options",
    .enabled(if: hasData, "\(TestFiles.dataHint)"))
  func resnet20() async throws {
    let tool = try Tool()
    try smallCIFAR(tool, train: 500, test: 100)
    let models = try #require(TestFiles.data("onnx-models"))
    let model = ["\(models)/resnet20-cifar10.onnx", "--head", "10"]
    let data = ["--data", "cifar"] + Self.preparation
    let settings = ["--epochs", "3", "--batch", "50", "--rate", "0.02", "--quiet", "-o", "run"]
    let train =
      ["train"] + model + data + settings + ["--freeze", "until:layer3_1_r2"]
    expectDone(try await tool.start(train).result())
    let losses = try LogRow.rows(of: tool.text("run/log.jsonl")).map { $0.train.loss }
    #expect(losses.count == 4 && losses == losses.sorted(by: >), "\(losses)")
    #expect(losses[3] < losses[0] / 2)
    let weights = ["--weights", "run/best.safetensors"]
    let eval = try await tool.start(["eval"] + model + ["--data", "cifar"] + weights).result()
    expectDone(eval)
    let accuracy = try LogRow.rows(of: tool.text("run/log.jsonl")).last?.test?.accuracy ?? 0
    #expect(eval.output.contains("accuracy \(NumberText.percent(accuracy))"))
    expectRefusal(
      try await tool.start(train + ["--resume"]).result(), 65,
      containing: "the training in run is complete after 3 epochs")
    expectRefusal(
      try await tool.start(
        ["train"] + model + ["--data", "cifar", "--resume", "--quiet", "-o", "run"]
          + ["--freeze", "until:layer3_1_r2"]
      ).result(), 65,
      containing: "was saved by a training with another scale, mean or deviation of pixels")
    expectDone(
      try await tool.start(
        ["emit"] + model + weights + ["-o", "c", "--target", "generic", "--dim", "N=1"]
      ).result()
    )
  }

  @Test(
    "a network of other classes, and frozen layers that do not exist, are refused",
    .enabled(if: hasData, "\(TestFiles.dataHint)"))
  func refused() async throws {
    let tool = try Tool()
    try smallCIFAR(tool, train: 20, test: 10)
    let models = try #require(TestFiles.data("onnx-models"))
    let model = "\(models)/resnet20-cifar10.onnx"
    expectRefusal(
      try await tool("train", model, "--data", "cifar", "--head", "5"), 65,
      containing: "tells 5 classes apart, cifar has 10; replace its last layer with --head 10")
    expectRefusal(
      try await tool("train", model, "--data", "cifar", "--freeze", "until:layer9", "--quiet"), 65,
      containing: "has no layer 'layer9' to freeze; 'convc inspect' lists its layers")
    expectRefusal(
      try await tool("train", model, "--data", "cifar", "--freeze", "*", "--quiet"), 65,
      containing: "has no trainable parameter; freeze fewer layers")
    expectRefusal(
      try await tool("eval", model, "--data", "cifar", "--mean", "1,2"), 65,
      "--mean has 2 values, the images of cifar have 3 channels; give one value, or one a channel")
    expectRefusal(
      try await tool("eval", model, "--data", "cifar", "--std", "0"), 64,
      containing: "--deviation has 0.0, expected numbers above 0")
    expectRefusal(
      try await tool("eval", model, "--data", "cifar", "--scale", "1/0"), 64, containing: "--scale")
    expectRefusal(
      try await tool("eval", model, "--data", "cifar", "--head", "0"), 64,
      containing: "--head is 0, expected at least 1")
  }
}
