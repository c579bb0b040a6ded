import ArgumentParser
import Deploy
import Driver
import Netlink
import Reports

/// `portcullis audit`.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Compare what listens on this host with what the policy declares.",
    discussion: """
      Finds what listens and no service declares, with its process and user, and whether the policy lets somebody reach
      it; services that nothing listens for; what listens on more addresses than it should; and ports that a client may
      take before its service starts.
      Exits with 1 if host and policy disagree; notes alone do not count.

      Examples:
        portcullis audit /etc/portcullis --host web1
        portcullis audit --format prometheus --output /var/lib/prometheus/node-exporter/portcullis-audit.prom
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var options: HostOptions

  @OptionGroup var answer: WatchOptions

  func run() async throws {
    let pipeline = try await policy.resolvedPipeline()
    let firewall = options.firewall(in: pipeline)
    let audit = Audit(
      firewall, of: pipeline.policy, sources: pipeline.sources, listeners: try Listeners().all(),
      facts: .ofThisMachine, on: pipeline.today)
    let report = AuditReport(audit)
    switch answer.format {
    case .text: try answer.give(report.text(color: answer.hasColors))
    case .json: try answer.give(report.json)
    case .prometheus: try answer.give(report.prometheus)
    }
    if audit.fails { throw ExitCode.found }
  }
}

/// How a command that watches a host answers.
struct WatchOptions: ParsableArguments {
  /// How an answer is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json, prometheus
  }

  @Option(help: "How the answer is written: text, json or prometheus.")
  var format = Format.text

  @Option(
    help: ArgumentHelp(
      "Write the answer to this file, at once: a reader sees the old or the new one.", valueName: "file"),
    completion: .file())
  var output: String?

  /// `true` iff the answer takes colours.
  var hasColors: Bool { output == nil && Terminal.outputHasColors }

  /// Writes the answer where it is wanted.
  func give(_ text: String) throws {
    if let output { try writeFile(at: output, text) } else { try Terminal.print(text) }
  }
}
