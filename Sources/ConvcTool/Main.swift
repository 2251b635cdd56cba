import Glibc

/// The command `convc`.
@main
enum Main {
  static func main() async {
    // A reader that closes a pipe early ends a write, not the process.
    signal(SIGPIPE, SIG_IGN)
    let status = await ConvcCommand.execute(Array(CommandLine.arguments.dropFirst()))
    exit(status.rawValue)
  }
}
