// Times the passes of one convolution as convc compiles it, and prints one line of JSON.
//
//   LayerBenchmark C HxW K WINDOW STRIDE PADDING GROUPS BATCH THREADS SECONDS
//
// The convolution stands behind another one, so that its input has a gradient; with up to four
// channels it is the first layer, as in networks. Times are those of its kernels, packing included,
// in the faster half of the steps.

import Convc
import Foundation

struct Shape {
  let channels: Int
  let size: Size2D
  let maps: Int
  let window: Int
  let stride: Int
  let padding: Int
  let groups: Int
  let batch: Int

  var isFirst: Bool { channels <= 4 }

  var model: Model {
    let builder = ModelBuilder(name: "layer_benchmark")
    var value = builder.input("x", [channels, size.height, size.width])
    if !isFirst {
      let before = Conv2D(outputChannels: channels, kernelSize: 1, bias: false)
      value = value.apply(before, name: "before")
    }
    let layer = Conv2D(
      outputChannels: maps, kernelSize: Size2D(window), stride: Size2D(stride),
      padding: Padding(padding), groups: groups)
    builder.output("y", value.apply(layer, name: "layer"))
    builder.loss(MeanSquaredError(), on: "y", target: "z")
    return builder.model
  }
}

struct Usage: Error, CustomStringConvertible {
  let description =
    "usage: LayerBenchmark C HxW K WINDOW STRIDE PADDING GROUPS BATCH THREADS SECONDS"
}

func random(_ count: Int) -> [Float] {
  (0..<count).map { _ in Float.random(in: -1...1) }
}

/// Milliseconds of each pass.
func measure(_ shape: Shape, threads: Int, seconds: Double) async throws -> [(String, Double)] {
  let compilation = try shape.model.compile(BuildOptions(batch: shape.batch))
  let profiled = try await compilation.loadProfiled(toolchain: Toolchain.find())
  let session = try Session(profiled.program)
  try session.setParameterBlock(Initialization(seed: 0).parameters(of: compilation.graph))
  let graph = compilation.graph
  let images = random(graph[graph.inputs[0]].type.count)
  let targets = random(graph.targets[0].type.count)
  var runs: [(milliseconds: Double, pieces: [Double])] = []
  let clock = ContinuousClock()
  let start = clock.now
  while runs.count < 10 || clock.now - start < .seconds(seconds) {
    let before = clock.now
    _ = try session.step(
      inputs: [.float32(images)], targets: [.float32(targets)], batch: shape.batch,
      options: StepOptions(rate: 1e-6, threads: threads))
    runs.append(((clock.now - before) / .milliseconds(1), profiled.take()))
  }
  let best = runs.dropFirst(3).sorted { $0.milliseconds < $1.milliseconds }
    .prefix((runs.count - 2) / 2)
  let pieces = profiled.profile(of: best.map(\.pieces), threads: threads).pieces
  func sum(_ words: String...) -> Double {
    pieces.filter { piece in
      piece.layers == ["layer"] && words.contains { piece.name.contains($0) }
    }.reduce(0) { $0 + $1.threadSeconds / Double(threads) * 1e3 }
  }
  var passes = [("forward", sum("_forward", "_prepare"))]
  if !shape.isFirst { passes.append(("data", sum("_backward_data", "_transpose"))) }
  return passes + [("weight", sum("_backward_weight"))]
}

func run(_ words: [String]) async throws {
  let extents = words.dropFirst().first?.split(separator: "x").compactMap { Int($0) } ?? []
  let numbers = words.enumerated().filter { $0.offset != 1 }.compactMap { Double($0.element) }
  guard words.count == 10, extents.count == 2, numbers.count == 9 else { throw Usage() }
  let whole = numbers.map { Int($0) }
  let shape = Shape(
    channels: whole[0], size: Size2D(height: extents[0], width: extents[1]), maps: whole[1],
    window: whole[2], stride: whole[3], padding: whole[4], groups: whole[5], batch: whole[6])
  let passes = try await measure(shape, threads: max(1, whole[7]), seconds: numbers[8])
  print("{" + passes.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
}

do {
  try await run(Array(CommandLine.arguments.dropFirst()))
} catch {
  FileHandle.standardError.write(Data("error: \(error)\n".utf8))
  exit(1)
}
