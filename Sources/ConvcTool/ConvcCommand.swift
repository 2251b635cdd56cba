import ArgumentParser
import Convc

/// The root of the verbs.
struct ConvcCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convc",
    abstract: "Compiles convolutional networks to C that infers and trains.",
    discussion: """
      Example: convc train lenet5 --data digits --epochs 15

      Exit status: 0 done; 64 the command's words are wrong; 65 the input is wrong (model, data, weights); 69 something \
      needed is missing (compiler, data set); 70 a bug in convc; 73 an output cannot be written; 130 a training was \
      stopped by Ctrl-C and can be resumed.
      """,
    version: "convc 0.1.0",
    subcommands: [
      BuildCommand.self, EmitCommand.self, ExportCommand.self, RunCommand.self,
      TrainCommand.self, EvalCommand.self, VerifyCommand.self, InspectCommand.self,
      CheckCommand.self, BenchCommand.self, ModelsCommand.self, DataCommand.self,
    ])

  func run() throws {
    throw Failure(.usage, "which verb? \(Self.verbs.joined(separator: ", ")); see 'convc --help'")
  }

  /// Names of the verbs, in the order of the help.
  static var verbs: [String] {
    configuration.subcommands.compactMap { $0.configuration.commandName }
  }

  /// Runs a command line, writes the one line of a refusal, and returns the exit status.
  static func execute(_ words: [String]) async -> ExitStatus {
    do {
      try await run(words)
      return .done
    } catch let failure as Failure {
      Console.refuse(failure)
      return failure.status
    } catch is Console.Closed {
      return .done
    } catch is Interrupted {
      return .interrupted
    } catch {
      let failure = Failure(describing: error)
      Console.refuse(failure)
      return failure.status
    }
  }

  private static func run(_ words: [String]) async throws {
    if let word = words.first, !word.hasPrefix("-"), word != "help", !verbs.contains(word) {
      throw Failure(.usage, unknown(verb: word))
    }
    let command: any ParsableCommand
    do {
      command = try await asyncParseAsRoot(words)
    } catch {
      guard exitCode(for: error).isSuccess else { throw usage(error, words) }
      try Console.print(fullMessage(for: error))
      return
    }
    do {
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        var command = command
        try command.run()
      }
    } catch {
      // Help is asked for by a command of the parser's own.
      guard !(error is Failure), exitCode(for: error).isSuccess else { throw error }
      try Console.print(fullMessage(for: error))
    }
  }

  /// Verbs that a later version will have.
  private static let later = ["predict", "doctor"]

  private static func unknown(verb: String) -> String {
    guard !later.contains(verb) else {
      return "'\(verb)' is not in this version; there are \(verbs.joined(separator: ", "))"
    }
    let guess = Spelling.hint(for: verb, among: verbs)
    return "no verb '\(verb)'; \(guess)there are \(verbs.joined(separator: ", "))"
  }

  /// The parser's complaint in one line, with the place where the words are explained.
  private static func usage(_ error: any Error, _ words: [String]) -> Failure {
    let verb = words.first { verbs.contains($0) }.map { " \($0)" } ?? ""
    // The parser lists values a line each, behind a dash.
    let lines = message(for: error).split(whereSeparator: \.isNewline).map { line in
      let words = line.drop { $0 == " " }
      return String(words.hasPrefix("- ") ? words.dropFirst(2) : words)
    }
    var text = (lines.first ?? "") + (lines.count > 1 ? " " : "")
    text += lines.dropFirst().joined(separator: ", ")
    if text.dropFirst().first?.isLowercase == true {
      text = text.prefix(1).lowercased() + text.dropFirst()
    }
    while text.last?.isWhitespace == true || text.last == "." { text.removeLast() }
    return Failure(.usage, "\(text); see 'convc\(verb) --help'")
  }
}
