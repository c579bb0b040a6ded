import ArgumentParser
import Deploy
import Driver
import Netlink
import Nftables
import Reports

/// `portcullis status`.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what this host's rules counted, line by line of the policy.",
    discussion: """
      Shows how often each exposure was used since the rules were loaded, which ones never, and which ones end soon;
      what was refused; and whether a change waits to be confirmed. Nothing is changed.

      The rules count what they refuse, but not from where and for which port. That stands in the kernel's log, where the
      policy says `log denied`: give that log with --log (`-` is standard input).

      Examples:
        portcullis status --host web1 --within 14d
        journalctl -k -o cat --since today | portcullis status --log -
        portcullis status --format prometheus --output /var/lib/prometheus/node-exporter/portcullis.prom
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var options: HostOptions

  @OptionGroup var answer: WatchOptions

  @Option(help: ArgumentHelp("Tell what ends within this many days.", valueName: "30d"))
  var within = Days(number: 30)

  @Option(
    help: ArgumentHelp("The kernel's log, to tell what was refused by zone and port.", valueName: "file"),
    completion: .file())
  var log: String?

  func run() async throws {
    let pipeline = try await policy.resolvedPipeline()
    let firewall = options.firewall(in: pipeline)
    let live = try HostOptions.deployment().live()
    let (wanted, _) = NftablesBackend.table(for: firewall, sources: pipeline.sources)
    var status = Status(
      firewall, of: pipeline.policy, sources: pipeline.sources, wanted: wanted, live: live,
      fingerprint: Prover(firewall).fingerprint(), on: pipeline.today)
    if let log {
      guard let text = textIfReadable(at: log == "-" ? "/dev/stdin" : log) else {
        Terminal.fail("\(log): cannot be read, or has more than 64 MiB")
      }
      status.refusals = RefusedTraffic(log: text, of: pipeline.policy, on: firewall)
    }
    let report = StatusReport(status, endingWithin: within.number)
    switch answer.format {
    case .text: try answer.give(report.text(color: answer.hasColors))
    case .json: try answer.give(report.json)
    case .prometheus: try answer.give(report.prometheus)
    }
  }
}

/// A number of days, such as `30d`.
struct Days: ExpressibleByArgument {
  /// The number.
  var number: Int

  init(number: Int) { self.number = number }

  init?(argument: String) {
    let digits = argument.hasSuffix("d") ? argument.dropLast() : argument[...]
    guard let number = Int(digits), digits.allSatisfy(\.isNumber), (0...36_500).contains(number) else { return nil }
    self.number = number
  }

  /// The text that help shows.
  var defaultValueDescription: String { "\(number)d" }
}
