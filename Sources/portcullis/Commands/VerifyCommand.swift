import ArgumentParser
import Deploy
import Driver
import Firewalls
import Netlink
import Nftables
import Reports

/// `portcullis verify`.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove that this host does what the policy says.",
    discussion: """
      Reads the kernel's rules back and tells every difference as traffic: what is open that should not be, and what is
      closed that should be open. The rules of other programs in the same hooks are read too.
      Exits with 1 if there is a difference.

      Example:
        portcullis verify /etc/portcullis --host web1
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var options: HostOptions

  @Flag(help: "Look at our table alone, and not at what other programs' rules do to the host.")
  var own = false

  @Option(help: "How the answer is written: text or json.")
  var format = AnswerFormat.text

  /// The program that lists rules: where Debian has it, whatever the caller's search path says.
  private static var nft: String { if case .success = fileStatus("/usr/sbin/nft") { "/usr/sbin/nft" } else { "nft" } }

  func run() async throws {
    let pipeline = try await policy.resolvedPipeline()
    let firewall = options.firewall(in: pipeline)
    let compared = ComparedPolicy(pipeline)
    let deployment = HostOptions.deployment()
    let live = try deployment.live()
    let others = own ? [] : try deployment.kernel.baseChains().filter { !$0.isOurs }
    var difference: Difference
    var title = live == nil ? "the kernel, which has no table \(Deployment.table)" : live.rules.path
    if live?.unknowns.isEmpty ?? true, others.isEmpty {
      difference = .between(compared, host: firewall.name, and: live.rules, areOld: false)
    } else {
      // What is not ours is read by what nft(8) says of it.
      guard let listing = try output(of: VerifyCommand.nft, ["-j", "list", "ruleset"], atMost: 256 << 20) else {
        Terminal.fail("the rules of other programs cannot be listed: `nft -j list ruleset` failed")
      }
      let rules = ForeignRules(.nft, path: "the kernel", text: String(decoding: listing, as: UTF8.self))
      difference = .between(compared, host: firewall.name, and: rules, areOld: false)
      title = "the kernel, with the rules of \(Set(others.map(\.owner)).sorted().joined(separator: ", "))"
      if others.isEmpty { title = "the kernel" }
    }
    if let unknowns = live?.unknowns { difference.unknowns += unknowns.map { "in our table: \($0)" } }
    let report = DifferenceReport(difference, from: "the policy", to: title)
    try Terminal.print(format == .json ? report.json : report.text(color: Terminal.outputHasColors))
    if !difference.failures.isEmpty { throw ExitCode.notRun }
    if !difference.isEmpty || live == nil || live?.unknowns.isEmpty == false { throw ExitCode.found }
  }
}

extension SurveyedChain {
  /// `true` iff the chain is in our table.
  fileprivate var isOurs: Bool { family == "inet" && table == Deployment.table }

  /// Whose the chain is, as far as its table tells.
  fileprivate var owner: String { "table \(family) \(table)" }
}
