// Times the kernels of layers that are bound by memory, and sets them against a copy of memory in the same process.
//
//   MemoryBenchmark [--layers WORD,WORD] [--layouts nchw,lanes,blocked] [--threads N] [--rounds N] [--kernels]
//                   [--target NAME] [--emit FOLDER]
//
// Each layer stands behind a PReLU, so that its input has a gradient. Times come from a build with clocks.

import Convc
import Foundation

struct Usage: Error, CustomStringConvertible {
  let description =
    "usage: MemoryBenchmark [--layers WORD,WORD] [--layouts nchw,lanes,blocked] [--threads N] "
    + "[--rounds N] [--kernels] [--target NAME] [--emit FOLDER]"
}

struct Missing: Error, CustomStringConvertible {
  let layers: [String]
  var description: String {
    "Benchmarks/Memory/Cases.swift has no line for \(layers.joined(separator: ", "))"
  }
}

struct Options {
  /// Parts of the names of cases; empty: all.
  var layers: [String] = []
  var layouts: [Layout] = [.nchw, .lanes, .blocked]
  /// As many as the machine has cores, as for kernels anywhere: what its memory can do takes all of them.
  var threads = ProcessInfo.processInfo.activeProcessorCount
  var rounds = 7
  /// Whether every kernel is told apart.
  var tellsKernels = false
  /// What the C is written for and compiled for: the machine, or a row of the target table that it can run.
  var target = Target.native
  /// Where the C is written, instead of timing it.
  var folder: String?

  /// Whether a case is asked for.
  func has(_ entry: Case) -> Bool {
    layers.isEmpty || layers.contains { entry.name.contains($0) }
  }

  init(_ words: [String]) throws {
    var rest = words[...]
    func list(_ word: String?) throws -> [String] {
      guard let word else { throw Usage() }
      return word.split(separator: ",").map(String.init)
    }
    func number(_ word: String?) throws -> Int {
      guard let number = word.flatMap({ Int($0) }), number > 0 else { throw Usage() }
      return number
    }
    while let word = rest.popFirst() {
      switch word {
      case "--layers": layers = try list(rest.popFirst())
      case "--layouts":
        layouts = try list(rest.popFirst()).map {
          guard let layout = Layout(rawValue: $0) else { throw Usage() }
          return layout
        }
      case "--threads": threads = try number(rest.popFirst())
      case "--rounds": rounds = try number(rest.popFirst())
      case "--kernels": tellsKernels = true
      case "--target":
        guard let row = rest.popFirst().flatMap({ Target.named($0) }),
          row.runs(on: Set(HostProcessor.current.features))
        else { throw Usage() }
        target = row
      case "--emit": folder = try list(rest.popFirst()).first
      default: throw Usage()
      }
    }
  }
}

func say(_ text: String, to handle: FileHandle = .standardOutput) {
  handle.write(Data("\(text)\n".utf8))
}

func fixed(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return 0 }
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

func run(_ options: Options) async throws {
  guard Case.missing.isEmpty else {
    throw Missing(layers: Case.missing)
  }
  let toolchain = try await Toolchain.find()
  let copy = try await Copy(toolchain, threads: options.threads)
  say(
    "\(Date.now.formatted(.iso8601.year().month().day())), threads: \(options.threads), target "
      + "\(options.target), medians of \(options.rounds) rounds.\n")
  say("| layer | layout | forward GB/s | of copy | backward GB/s | of copy | copy GB/s |")
  say("|---|---|--:|--:|--:|--:|--:|")
  var summaries: [String] = []
  for kind in Case.kinds {
    var shares: [Double] = []
    for entry in kind.cases where options.has(entry) {
      for layout in options.layouts {
        guard let result = try await Measurement(entry, layout, options, toolchain, copy)?.run()
        else { continue }
        say(result.row)
        for line in result.kernels where options.tellsKernels { say(line) }
        shares += result.passes.compactMap(\.share)
      }
    }
    guard let least = shares.min() else { continue }
    let slow = shares.filter { $0 < 0.8 }.count
    summaries.append(
      "\(kind.name): \(shares.count) passes, \(slow) below 0.80 of a copy, the slowest at "
        + "\(fixed(least, 2)).")
  }
  guard options.folder == nil else { return }
  say("\n" + summaries.joined(separator: "\n"))
  let alone = (0..<15).map { copy.measureAlone(round: $0) }
  let whole = median((0..<15).map { copy.measure(round: $0) })
  let read = median(alone.map(\.read)) / whole
  let written = median(alone.map(\.written)) / whole
  say("Reading alone reaches \(fixed(read, 2)) of a copy, writing alone \(fixed(written, 2)).")
}

do {
  try await run(Options(Array(CommandLine.arguments.dropFirst())))
} catch {
  say("error: \(error)", to: .standardError)
  exit(1)
}
