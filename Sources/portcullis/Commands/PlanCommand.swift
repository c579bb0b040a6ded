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

  func run() async throws {
    let (pipeline, _) = try await policy.soundPipeline(failing: failure.failing) { _ in }
    let wanted = try WantedRuleset(options.firewall(in: pipeline), of: pipeline)
    let deployment = HostOptions.deployment()
    let live = try deployment.live()
    let plan = try Plan.from(live, to: wanted.table)
    let connections = try EstablishedConnections(deployment.kernel, judgedBy: wanted.firewall, of: pipeline)
    try Terminal.print(plan.text + connections.text)
    guard !plan.isEmpty else { return }
    let difference = Difference.between(
      ComparedPolicy(pipeline), host: wanted.firewall.name, and: live.rules, areOld: true)
    let report = DifferenceReport(difference, from: "what the kernel does now", to: "what it would do")
    try Terminal.print("\n" + report.text(color: Terminal.outputHasColors))
    throw ExitCode.found
  }
}
