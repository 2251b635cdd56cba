import Convc

/// Finds faces with version-RFB-320, the ultra-light detector of Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB.
///
/// It reads `[1, 3, 240, 320]` and gives for each of 4420 places the scores of "nothing" and "face", and a box as shares
/// of the picture's width and height.
struct FaceDetector {
  let session: Session

  func findings(in picture: Picture, above threshold: Float) throws -> [Finding] {
    let input = picture.planes(
      width: 320, height: 240, mean: [127, 127, 127], deviation: [128, 128, 128])
    let outputs = try session.forward(inputs: [.float32(input)], batch: 1)
    guard case .float32(let scores) = outputs[0], case .float32(let boxes) = outputs[1] else {
      return []
    }
    let (width, height) = (Float(picture.width), Float(picture.height))
    let found = (0..<scores.count / 2).filter { scores[2 * $0 + 1] > threshold }.map { place in
      Finding(
        name: "face", score: scores[2 * place + 1],
        box: Box(
          left: boxes[4 * place] * width, top: boxes[4 * place + 1] * height,
          right: boxes[4 * place + 2] * width, bottom: boxes[4 * place + 3] * height))
    }
    return Finding.best(of: found)
  }
}
