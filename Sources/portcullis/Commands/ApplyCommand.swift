import ArgumentParser
import Deploy
import Driver
import Firewalls
import Netlink
import Nftables
import Reports

/// `portcullis apply`.
struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Make this host do what the policy says.",
    discussion: """
      Checks, compiles and proves the policy; makes the new rules ready in the kernel, reads them back and proves them;
      then lets them judge, at once, while packets flow. With --confirm the former rules return by themselves unless
      `portcullis confirm` comes in time: the kernel itself holds the timer.

      Examples:
        portcullis apply --host web1 --confirm 60s
        portcullis confirm
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var failure: FailureOptions

  @OptionGroup var options: HostOptions

  @OptionGroup var change: ChangeOptions

  @Flag(help: "End established connections that the policy refuses.")
  var cut = false

  func validate() throws {
    if cut, change.confirm != nil {
      throw ValidationError("Cut connections once the change is confirmed: apply --cut.")
    }
  }

  func run() async throws {
    async let early = HostOptions.earlyReading()
    let (pipeline, _) = try await policy.soundPipeline(failing: failure.failing) { _ in }
    let wanted = try WantedRuleset(options.firewall(in: pipeline), of: pipeline)
    let state = try StateFolder.locked(options.stateDir)
    let deployment = HostOptions.deployment()
    let change = HostChange(to: wanted.table, self.change, proving: wanted.prove)
    try change.refuseLockOut(
      deployment.kernel,
      LockoutGuard(
        wanted.firewall, of: pipeline.policy, sources: pipeline.sources, own: HostFacts.ofThisMachine.addresses,
        listeners: Listeners().all(), on: pipeline.today))
    let before = try deployment.live(knowing: await early)
    let first = try change.plan(from: before)
    guard first.steps.contains(where: { $0.purpose == .swap }) else {
      if !first.changes.isEmpty { try Terminal.print(first.shown) }
      let tidying = HostChange(to: wanted.table, nil, isThere: true, proving: wanted.prove)
      try deployment.change(by: tidying.plan, proving: wanted.prove)
      try keepKnown(wanted, pipeline, state)
      try Terminal.print(
        first.changes.isEmpty
          ? "Nothing is to be done: the host does what the policy says.\n"
          : "Removed what is not ours; the host did what the policy says.\n")
      try tellConnections(deployment, wanted.firewall, pipeline)
      return
    }
    try Terminal.print(first.shown)
    let record = try change.make(by: deployment, from: before, keeping: record(of: wanted, pipeline), in: state)
    try Terminal.print(change.told("Applied as state \(record.number), \(record.fingerprint)"))
    // What waits to be confirmed cuts nobody off.
    if change.patience == nil { try tellConnections(deployment, wanted.firewall, pipeline) }
  }

  /// Tells which connections the policy refuses, and ends them if that is wanted.
  private func tellConnections(_ deployment: Deployment, _ firewall: Firewall, _ pipeline: Pipeline) throws {
    let connections = try EstablishedConnections(deployment.kernel, judgedBy: firewall, of: pipeline)
    try Terminal.print(connections.review.refusedText)
    if cut { try Terminal.print(try connections.cut(by: deployment)) }
  }

  /// Sees to it that what judges is the confirmed state, so that a reboot restores it.
  private func keepKnown(_ wanted: WantedRuleset, _ pipeline: Pipeline, _ state: borrowing StateFolder) throws {
    if let number = try state.numbers().last, let known = try? state.record(number), known.table.isLike(wanted.table) {
      return
    }
    _ = try state.draft(record(of: wanted, pipeline))
    try state.confirmDraft()
  }

  /// Returns the state in which the host does what `wanted` says.
  private func record(of wanted: WantedRuleset, _ pipeline: Pipeline) -> Record {
    Record(
      number: 0, date: secondsSinceEpoch(), author: Terminal.author, host: wanted.firewall.name,
      fingerprint: wanted.prover.fingerprint()?.description ?? "unknown",
      revision: Repository.revision(of: policy.path),
      table: wanted.table)
  }
}
