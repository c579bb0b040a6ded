import Foundation

/// Measures what a live host costs, and writes medians of milliseconds as JSON.
///
/// Times are of processors, in the kernel too, so that what else the machine does falls out; `wall` is what a clock shows. To
/// be run in a network namespace of its own.
@main
enum LiveHosts {
  static func main() async throws {
    let arguments = CommandLine.arguments
    var watch = Stopwatch()
    switch arguments.dropFirst().first {
    case "elements" where arguments.count == 4:
      guard let rounds = Int(arguments[2]), let count = Int(arguments[3]) else { usage() }
      try ElementTables.measure(count, rounds, &watch)
    case "change" where arguments.count == 5:
      guard let rounds = Int(arguments[2]) else { usage() }
      try await PolicyChange.measure(arguments[3], arguments[4], rounds, &watch)
    case "connections" where arguments.count == 5:
      guard let rounds = Int(arguments[2]), let count = Int(arguments[4]) else { usage() }
      try await Connections.measure(arguments[3], count, rounds, &watch)
    default: usage()
    }
    print("{\(watch.text)}")
  }

  private static func usage() -> Never {
    let text = """
      usage: live-hosts elements ROUNDS COUNT
             live-hosts change ROUNDS FOLDER CHANGED-FOLDER
             live-hosts connections ROUNDS FOLDER COUNT

      """
    FileHandle.standardError.write(Data(text.utf8))
    exit(2)
  }
}

/// Why something cannot be measured.
struct Failure: Error {
  var how: String
}

/// Runs `program` with `words`, and nothing on its standard output.
func run(_ program: String, _ words: String...) throws {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe _ = posix_spawn_file_actions_init(&actions)
  unsafe _ = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
  defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
  var arguments = unsafe ([program] + words).map { unsafe strdup($0) } + [nil]
  defer { unsafe arguments.forEach { unsafe free($0) } }
  var process: pid_t = 0
  var status: CInt = 0
  let result = unsafe posix_spawn(&process, program, &actions, nil, &arguments, environ)
  guard result == 0, unsafe waitpid(process, &status, 0) == process, status == 0 else {
    throw Failure(how: "\(program) \(words) failed")
  }
}
