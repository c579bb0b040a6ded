import ArgumentParser
import Driver
import Glibc
import Reports
import Syntax

/// What a person or another program sees.
enum Terminal {
  /// Writes a result to standard output.
  static func print(_ text: String) throws {
    do throws(SystemError) {
      try write(text, to: STDOUT_FILENO, path: "standard output")
    } catch {
      // Whoever closes a pipe early does not want to hear of it.
      if error.number != EPIPE { say("error: \(error)\n") }
      throw ExitCode.notRun
    }
  }

  /// Writes what is no result to standard error.
  static func say(_ text: String) {
    try? write(text, to: STDERR_FILENO, path: "standard error")
  }

  /// Ends the program, all of whose work is done, with `code`.
  ///
  /// What is in `value` is not given back piece by piece, which takes longer for a large policy than to write its rulesets:
  /// the kernel takes all memory at once.
  static func leave<Value>(holding value: Value, _ code: ExitCode = .success) -> Never {
    withExtendedLifetime(value) { exit(code.rawValue) }
  }

  /// Says why the program could not run, and ends it.
  static func fail(_ message: String) -> Never {
    say("error: \(printable(message))\n")
    exit(ExitCode.notRun.rawValue)
  }

  /// `true` iff standard error takes colours (https://no-color.org).
  static var hasColors: Bool {
    isatty(STDERR_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
  }

  /// `true` iff standard output takes colours.
  static var outputHasColors: Bool {
    isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
  }

  /// Who runs the program.
  static var author: String { environment("SUDO_USER") ?? environment("USER") ?? "uid \(getuid())" }

  /// Returns the time of the day that `seconds` since 1970 are, in UTC.
  static func clock(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let rest = seconds % 86_400
    return "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
  }

  /// The day that it is, in UTC.
  static var today: CalendarDate { CalendarDate(daysSinceEpoch: secondsSinceEpoch() / 86_400) }
}
