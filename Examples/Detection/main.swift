import Convc
import Foundation

// Finds faces or things in a picture, with a network from an ONNX file, and draws frames around them:
//
//   swift run DetectionExample faces version-RFB-320.onnx astronaut.png found.png
//   swift run DetectionExample things nanodet_m.onnx chelsea.png found.png
let words = CommandLine.arguments
guard words.count == 5, ["faces", "things"].contains(words[1]) else {
  FileHandle.standardError.write(
    Data("usage: DetectionExample faces|things MODEL.onnx PICTURE.png RESULT.png\n".utf8))
  exit(64)
}
do {
  let network = try ConvertOperators().run(ONNXFile.read(words[2])).model
  let compilation = try network.compile(BuildOptions(batch: 1, trains: false))
  let session = try Session(try await compilation.load())
  // The file's weights are the network's initial ones.
  try session.withParameters { try Initialization(seed: 0).fill($0, of: compilation.graph) }
  var picture = try Picture(png: words[3])
  let findings =
    words[1] == "faces"
    ? try FaceDetector(session: session).findings(in: picture, above: 0.7)
    : try ObjectDetector(session: session).findings(in: picture, above: 0.35)
  for finding in findings {
    print(finding)
    picture.draw(finding.box, red: 255, green: 60, blue: 40)
  }
  try picture.write(png: words[4])
} catch {
  FileHandle.standardError.write(Data("error: \(error)\n".utf8))
  exit(65)
}
