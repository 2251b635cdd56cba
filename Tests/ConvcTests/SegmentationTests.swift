import Convc
import ConvcTestSupport
import Testing

@Suite("Segmentation on real images")
struct SegmentationTests {
  /// Patches of membrane images with a class for each pixel: 0 membrane, 1 inside of a cell.
  private struct Membranes {
    let pixels: [UInt8]
    let masks: [UInt8]
    let side = 512

    init() throws {
      let folder = TestFiles.data("isbi2012") ?? ""
      pixels = try IDXFile(path: "\(folder)/train-images-idx3-ubyte.gz").bytes()
      masks = try IDXFile(path: "\(folder)/train-labels-idx3-ubyte.gz").bytes()
    }

    /// Patches of a slice, side by side.
    func batch(slice: Int, size: Int, count: Int) -> (image: [Float], labels: [Int32]) {
      var image: [Float] = []
      var labels: [Int32] = []
      for patch in 0..<count {
        for row in 0..<size {
          let start = (slice * side + row + 96) * side + patch * size
          image += pixels[start..<start + size].map { Float($0) / 64 - 2 }
          labels += masks[start..<start + size].map { $0 > 0 ? 1 : 0 }
        }
      }
      return (image, labels)
    }
  }

  @Test(
    "N11: the fifteen-layer network learns membranes: its loss falls below that of guessing",
    .enabled(if: TestFiles.data("isbi2012") != nil, Comment(rawValue: TestFiles.dataHint)))
  func membranes() async throws {
    let data = try Membranes()
    let training = try await Training(FCN15.model(size: 48), BuildOptions(batch: 4))
    var losses: [Float] = []
    for step in 0..<40 {
      let (image, labels) = data.batch(slice: step % 8, size: 48, count: 4)
      losses += try training.session.step(
        inputs: [.float32(image)], targets: [.int32(labels)], batch: 4,
        options: StepOptions(rate: 0.02, momentum: 0.9, step: UInt64(step)))
    }
    let last = losses.suffix(8).reduce(0, +) / 8
    // Guessing the share of membranes, 22 %, loses 0.527.
    #expect(last < 0.5, "\(losses)")
    #expect(last < 0.8 * losses[0])
  }
}
