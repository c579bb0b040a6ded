import ArgumentParser
import Driver
import Reports

/// `portcullis check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find what is wrong with a policy.",
    discussion: """
      Findings go to standard error as text, or to standard output in any other format.
      Exits with 1 if there is an error (with --strict: or a warning), with 2 if a file cannot be read.

      Examples:
        portcullis check --format sarif > portcullis.sarif
        portcullis check --changed-since origin/main
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var failure: FailureOptions

  @Option(help: "How findings are written: text, json, sarif, github, gitlab, junit or markdown.")
  var format = ReportFormat.text

  @Option(
    help: ArgumentHelp(
      "Judge the whole policy, but tell only what has a place in a file that changed since this commit.",
      valueName: "gitref"))
  var changedSince: String?

  func validate() throws {
    guard let changedSince else { return }
    if changedSince.isEmpty || changedSince.hasPrefix("-") {
      throw ValidationError("`\(changedSince)` cannot be the name of a commit.")
    }
  }

  func run() async throws {
    let changes = try changedSince.map { try ChangedFiles(since: $0, around: policy.path) }
    var (pipeline, isIncomplete) = await policy.prepared()
    if pipeline.lowering != nil { await pipeline.check() }
    var report = policy.report(pipeline, failing: failure.failing)
    report.isIncomplete = isIncomplete
    // What keeps the policy from being judged is told wherever it is.
    if let changes, pipeline.lowering != nil { report.keepFindings(in: changes) }
    if format == .text {
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
    } else {
      try Terminal.print(render(report, as: format))
    }
    Terminal.leave(holding: (pipeline, report), isIncomplete ? .notRun : report.fails ? .found : .success)
  }
}
