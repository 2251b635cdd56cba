import ArgumentParser
struct EvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "eval")
  func run() async throws {}
}
