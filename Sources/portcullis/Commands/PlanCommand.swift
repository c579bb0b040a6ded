import ArgumentParser
import Deploy
import Driver
import Firewalls
import Netlink
import Nftables
import Reports

/// `portcullis plan`.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what apply would change on this host.",
    discussion: """
      Shows the smallest change of the kernel's rules, and what it opens and closes. Nothing is changed.
      Exits with 1 if there is something to do.

      Example:
        portcullis plan --host web1
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var failure: FailureOptions

  @OptionGroup var options: HostOptions

  @Option(help: "How the answer is written: text or json.")
  var format = AnswerFormat.text

  func run() async throws {
    async let early = HostOptions.earlyReading()
    let (pipeline, _) = try await policy.soundPipeline(failing: failure.failing) { _ in }
    let wanted = try WantedRuleset(options.firewall(in: pipeline), of: pipeline)
    let deployment = HostOptions.deployment()
    let live = try deployment.live(knowing: await early)
    let plan = try Plan.from(live, to: wanted.table)
    let connections = try EstablishedConnections(deployment.kernel, judgedBy: wanted.firewall, of: pipeline)
    let difference =
      plan.isEmpty
      ? nil
      : Difference.between(ComparedPolicy(pipeline), host: wanted.firewall.name, and: live.rules, areOld: true)
    let report = PlanReport(
      plan, host: wanted.firewall.name, connections: connections.review, difference: difference)
    try Terminal.print(format == .json ? report.json : report.text(color: Terminal.outputHasColors))
    if !plan.isEmpty { throw ExitCode.found }
  }
}
