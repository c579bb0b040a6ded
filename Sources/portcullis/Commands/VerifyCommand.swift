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
      closed that should be open. The rules of other programs in the same hooks are read too, those of iptables-legacy among
      them. Exits with 1 if there is a difference, and with 2 if there are rules that could not be read.

      Example:
        portcullis verify /etc/portcullis --host web1
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var options: HostOptions

  @Flag(help: "Look at our table alone, and not at what other programs' rules do to the host.")
  var own = false

  @Option(help: "How the answer is written: text or json.")
  var format = AnswerFormat.text

  func run() async throws {
    async let early = HostOptions.earlyReading()
    let pipeline = try await policy.resolvedPipeline()
    let firewall = options.firewall(in: pipeline)
    let compared = ComparedPolicy(pipeline)
    let deployment = HostOptions.deployment()
    let live = try deployment.live(knowing: await early)
    let others = own ? [] : try deployment.kernel.baseChains().filter { !$0.isOurs }
    let legacy = own ? OtherRules() : OtherRules.ofLegacyTables()
    let parts: [ForeignRules]
    var title = live == nil ? "the kernel, which has no table \(Deployment.table)" : live.rules.path
    if live?.unknowns.isEmpty ?? true, others.isEmpty {
      parts = [live.rules]
    } else {
      // What is not ours is read by what nft(8) says of it.
      parts = [try OtherRules.ofNftables()]
      title = "the kernel"
    }
    let owners = Set(others.map(\.owner)).sorted() + legacy.owners
    if !owners.isEmpty { title = "the kernel (with \(owners.joined(separator: ", ")))" }
    let rules = ForeignRules(joining: parts + legacy.rules, path: title)
    var difference = Difference.between(compared, host: firewall.name, and: rules, areOld: false)
    difference.failures += legacy.unread
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
