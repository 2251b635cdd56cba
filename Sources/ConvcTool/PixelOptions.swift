import ArgumentParser
import Convc

/// How pixels become a network's inputs, where they are to be what it was trained on.
struct PixelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Factor of pixels, before the mean is taken off: 1/255 gives 0 to 1, 1 leaves 0 to 255.",
      valueName: "FACTOR"))
  var scale: Fraction?

  @Option(
    help: ArgumentHelp(
      "What is taken off scaled pixels, one value or one a channel.", valueName: "R,G,B"))
  var mean: Numbers?

  @Option(
    name: [.long, .customLong("std")],
    help: ArgumentHelp(
      "What they are then divided by, one value or one a channel.", valueName: "R,G,B"))
  var deviation: Numbers?

  func validate() throws {
    if let bad = deviation?.values.first(where: { $0 <= 0 }) {
      throw ValidationError("--deviation has \(bad), expected numbers above 0")
    }
  }

  var isEmpty: Bool { scale == nil && mean == nil && deviation == nil }

  /// The preprocessing that was asked for; nil: none was.
  func preprocessing(for dataset: Dataset) throws -> InputPreprocessing? {
    guard !isEmpty else { return nil }
    let channels = dataset.shape[0]
    func spread(_ numbers: Numbers?, _ option: String, _ standard: Float) throws -> [Float] {
      let values = numbers?.values ?? [standard]
      guard values.count == 1 || values.count == channels else {
        throw Failure(
          .input,
          "--\(option) has \(values.count) values, the images of \(dataset.name) have "
            + "\(channels == 1 ? "1 channel" : "\(channels) channels"); give one value, or one a channel"
        )
      }
      return values.count == channels
        ? values : [Float](repeating: values[0], count: channels)
    }
    return InputPreprocessing(
      scale: scale?.value ?? 1 / Float(dataset.pixelMaximum),
      mean: try spread(mean, "mean", 0), deviation: try spread(deviation, "deviation", 1))
  }

  /// The options again, for a command that goes on.
  var words: String {
    (scale.map { " --scale \($0.text)" } ?? "") + (mean.map { " --mean \($0.text)" } ?? "")
      + (deviation.map { " --deviation \($0.text)" } ?? "")
  }
}

/// A number on the command line, also as a quotient: `1/255`.
struct Fraction: ExpressibleByArgument {
  let text: String
  let value: Float

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Float($0) }
    guard (1...2).contains(parts.count), numbers.count == parts.count else { return nil }
    let quotient = numbers[0] / (numbers.count == 2 ? numbers[1] : 1)
    guard quotient.isFinite, quotient != 0 else { return nil }
    text = argument
    value = quotient
  }
}

/// Numbers on the command line: `0.5,0.5,0.5`.
struct Numbers: ExpressibleByArgument {
  let text: String
  let values: [Float]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Float($0) }.filter(\.isFinite)
    guard !numbers.isEmpty, numbers.count == parts.count else { return nil }
    text = argument
    values = numbers
  }
}
