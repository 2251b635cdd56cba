// Reads a digit with a network that holds its own weights; its header is the bridging header.
var picture = [Float](repeating: 0, count: 28 * 28)  // gray levels, 0 to 255
for row in 4..<24 { picture[row * 28 + 14] = 255 }
var scores = [Float](repeating: 0, count: 10)

let workspace = UnsafeMutableRawPointer.allocate(
  byteCount: Int(MNIST_WORKSPACE_BYTES), alignment: Int(CONVC_ALIGNMENT))
let status = picture.withUnsafeBytes { picture in
  scores.withUnsafeMutableBytes { scores in
    mnist_forward(
      mnist_packed(), [picture.baseAddress], [scores.baseAddress], 1, 0, workspace)
  }
}
precondition(Int(status) == CONVC_OK, "mnist_forward returned \(status)")
print("digit", scores.indices.max { scores[$0] < scores[$1] } ?? 0)
