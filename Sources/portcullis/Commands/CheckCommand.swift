import ArgumentParser
import Reports

/// `portcullis check`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find what is wrong with a policy.",
    discussion: """
      Findings go to standard error as text, or to standard output in any other format.
      Exits with 1 if there is an error (with --strict: or a warning), with 2 if a file cannot be read.

      Example:
        portcullis check --format sarif > portcullis.sarif
      """)

  @OptionGroup var policy: PolicyOptions

  @Option(help: "How findings are written: text, json, sarif, github, gitlab, junit or markdown.")
  var format = ReportFormat.text

  func run() throws {
    let (pipeline, isIncomplete) = policy.judged()
    let report = policy.report(pipeline)
    if format == .text {
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
    } else {
      try Terminal.print(render(report, as: format))
    }
    if isIncomplete { throw ExitCode.notRun }
    if report.fails { throw ExitCode.found }
  }
}
