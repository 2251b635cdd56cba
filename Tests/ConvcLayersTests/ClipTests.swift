import Convc
import Testing

@testable import ConvcIR

@Suite("Clip and pixel softmax")
struct ClipTests {
  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test("names, bounds and words")
  func front() {
    let model = Model("clips", input: [2]) {
      ReLU6()
      Clip(minimum: -1, maximum: 2)
    }
    #expect(model.nodes.map(\.name) == ["clip1", "clip2"])
    #expect(model.nodes.map(\.layer.summary) == ["ReLU6", "Clip -1.0...2.0"])
    #expect(Clip().minimum == -.greatestFiniteMagnitude)
    #expect(Clip().maximum == .greatestFiniteMagnitude)
  }

  @Test(
    "bounds that make no range are refused",
    arguments: [(2, 1), (1, 1), (.nan, 1), (0, .infinity)] as [(Float, Float)])
  func bounds(minimum: Float, maximum: Float) {
    let layer = Clip(minimum: minimum, maximum: maximum)
    #expect(
      message { _ = try layer.output(for: [TensorType(shape: [1, 2])]) }
        == "bounds \(minimum) and \(maximum) make no range; the lower one has to be below the upper, "
        + "both finite: leave out the one that is not wanted")
  }

  @Test("softmax cross-entropy judges images, or pixels")
  func targets() throws {
    let loss = SoftmaxCrossEntropy()
    let pixels = TensorType(shape: [4, 3, 5, 6])
    #expect(
      try loss.targets(for: pixels) == [
        LossTarget(
          type: TensorType(shape: [4, 5, 6], element: .int32), labels: LabelRange(classes: 3))
      ])
    #expect(try loss.targets(for: TensorType(shape: [4, 3]))[0].type.shape == [4])
    #expect(try loss.targets(for: TensorType(shape: [4, 3, 5]))[0].type.shape == [4, 5])
    #expect(
      message { _ = try loss.targets(for: TensorType(shape: [4])) }
        == "expects an input of rank 2, got 4; judge scores [N, K], or of pixels [N, K, H, W]; "
        + "end the network with Dense")
    #expect(
      message { _ = try loss.targets(for: TensorType(shape: [4, 1, 5, 5])) }
        == "a softmax over one class is always 1; give the last layer at least 2 outputs")
  }
}
