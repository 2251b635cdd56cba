import Glibc

/// The command `convc`.
@main
enum Main {
  static func main() async {
    // A pipe without a reader and a file beyond its limit end a write, not the process.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    let status = await ConvcCommand.execute(Array(CommandLine.arguments.dropFirst()))
    exit(status.rawValue)
  }
}
