import ArgumentParser
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "data")
  func run() async throws {}
}
