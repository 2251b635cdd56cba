import Convc

/// Takes bytes for an ONNX file and goes as far as `convc emit` does: the network, its weights, its C.
///
/// Any error of one line will do. A trap, a second line, a minute or a gigabyte is a mistake of convc's.
@_cdecl("LLVMFuzzerTestOneInput")
public func importONNX(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
  do {
    let network = try ConvertOperators(dims: [:]).run(ONNXFile.read(bytes: bytes)).model
    let options = BuildOptions(trains: false, target: .x86v3, memoryLimit: 256 << 20)
    let compilation = try network.compile(options)
    _ = try Initialization(seed: 0).parameters(of: compilation.graph)
    let files = compilation.files(embedding: .packed)
    let package = compilation.packageFiles(for: files, isCompiled: true)
    let names = (files.all + package).map(\.name)
    if names.contains(where: { $0.contains("/") || $0.contains("\0") }) {
      fatalError("no names of files: \(names)")
    }
  } catch {
    let message = "\(error)"
    if message.isEmpty || message.contains("\n") { fatalError("no line: \(message)") }
  }
  return 0
}
