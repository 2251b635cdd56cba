import ArgumentParser
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train")
  func run() async throws {}
}
