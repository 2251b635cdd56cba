import Convc
import Foundation

/// Finds things of 80 kinds with NanoDet-m of RangiLyu/nanodet.
///
/// It reads `[1, 3, 416, 416]` and gives, for the cells of three grids, a score for each kind and, for each side of the
/// box, eight scores: their softmax says how many strides the side is away from the cell's centre, 0 to 7.
struct ObjectDetector {
  let session: Session
  static let size = 416
  static let strides = [8, 16, 32]

  func findings(in picture: Picture, above threshold: Float) throws -> [Finding] {
    let input = picture.planes(
      width: Self.size, height: Self.size, order: [2, 1, 0], mean: [103.53, 116.28, 123.675],
      deviation: [57.375, 57.12, 58.395])
    let outputs = try session.forward(inputs: [.float32(input)], batch: 1)
    var found: [Finding] = []
    for (level, stride) in Self.strides.enumerated() {
      guard case .float32(let scores) = outputs[level],
        case .float32(let distances) = outputs[level + Self.strides.count]
      else { continue }
      let cells = Self.size / stride
      for cell in 0..<cells * cells {
        let kinds = scores[cell * 80..<(cell + 1) * 80]
        guard let kind = kinds.indices.max(by: { kinds[$0] < kinds[$1] }), kinds[kind] > threshold
        else { continue }
        let sides = (0..<4).map { side in
          Self.mean(distances[(cell * 4 + side) * 8..<(cell * 4 + side + 1) * 8]) * Float(stride)
        }
        let x = (Float(cell % cells) + 0.5) * Float(stride)
        let y = (Float(cell / cells) + 0.5) * Float(stride)
        let (across, down) = (
          Float(picture.width) / Float(Self.size), Float(picture.height) / Float(Self.size)
        )
        found.append(
          Finding(
            name: Self.kinds[kind - kinds.startIndex], score: kinds[kind],
            box: Box(
              left: (x - sides[0]) * across, top: (y - sides[1]) * down,
              right: (x + sides[2]) * across, bottom: (y + sides[3]) * down)))
      }
    }
    return Finding.best(of: found)
  }

  /// The mean of 0, 1, ... with the softmax of the scores as weights.
  private static func mean(_ scores: ArraySlice<Float>) -> Float {
    let largest = scores.max() ?? 0
    let weights = scores.map { exp($0 - largest) }
    let sum = weights.reduce(0, +)
    return weights.enumerated().reduce(0) { $0 + Float($1.offset) * $1.element } / sum
  }

  /// The kinds of the data set COCO, in its order.
  private static let kinds = """
    person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, \
    parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, \
    handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, \
    surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, \
    broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, \
    mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, \
    teddy bear, hair drier, toothbrush
    """.components(separatedBy: ", ")
}
