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

  @Option(
    help: ArgumentHelp(
      "Return to the former rules after this time, such as 60s or 5m, unless it is confirmed.", valueName: "time"))
  var confirm: Patience?

  @Flag(help: "Change even if the connection that this runs over could not be opened anew.")
  var allowLockout = false

  @Flag(help: "End established connections that the policy refuses.")
  var cut = false

  func validate() throws {
    if cut, confirm != nil { throw ValidationError("Cut connections once the change is confirmed: apply --cut.") }
  }

  func run() async throws {
    let (pipeline, _) = try await policy.soundPipeline(failing: failure.failing) { _ in }
    let wanted = try WantedRuleset(options.firewall(in: pipeline), of: pipeline)
    let state = try StateFolder.locked(options.stateDir)
    let deployment = HostOptions.deployment()
    try refuseLockOut(deployment.kernel, wanted.firewall, pipeline)
    let before = try deployment.live()
    let first =
      try Plan.from(before, to: wanted.table, confirmingWithin: confirm?.seconds)
    guard first.steps.contains(where: { $0.purpose == .swap }) else {
      try deployment.change(
        by: { try .from($0, to: wanted.table) }, proving: wanted.prove)
      try keepKnown(wanted, pipeline, state)
      try Terminal.print("Nothing is to be done: the host does what the policy says.\n")
      try tellConnections(deployment, wanted.firewall, pipeline)
      return
    }
    try Terminal.print(first.text)
    // What a reboot restores is written before it judges, and is for good only when it does.
    let record = try state.draft(record(of: wanted, pipeline))
    do {
      try deployment.change(
        by: { live in
          // A second round plans from what the first one left; the kernel may hold its gates already.
          if live?.pending != nil { return .nothing }
          return try .from(live, to: wanted.table, confirmingWithin: confirm?.seconds)
        }, proving: wanted.prove)
    } catch {
      // An answer of the kernel may have been lost behind the change.
      guard let live = try? deployment.live(), live.pending == nil, live.ruleset.isLike(wanted.table) else {
        try? state.dropDraft()
        throw error
      }
    }
    guard let confirm else {
      do { try state.confirmDraft() } catch {
        Terminal.say("error: the new rules judge, but they could not be kept: a reboot restores the former ones\n")
        throw error
      }
      try Terminal.print("Applied as state \(record.number), \(record.fingerprint).\n")
      try tellConnections(deployment, wanted.firewall, pipeline)
      return
    }
    try Terminal.print(
      """
      Applied as state \(record.number), \(record.fingerprint), for \(confirm.text).
      Try a new connection to this host now. Then: portcullis confirm
      Without that, the former rules return by themselves.

      """)
  }

  /// Ends the run if the one who gives the command would be shut out; a change that takes itself back only says so.
  private func refuseLockOut(_ kernel: Kernel, _ firewall: Firewall, _ pipeline: Pipeline) throws {
    guard !allowLockout, let reason = try LockOut.reason(kernel, firewall, of: pipeline) else { return }
    guard confirm == nil else {
      Terminal.say("warning: you could not come in anew.\n\(printable(reason))\n")
      return
    }
    Terminal.say("error: you could not come in anew; nothing was changed.\n\(printable(reason))\n")
    Terminal.say("help: expose what you came in on, try it with --confirm 60s, or insist with --allow-lockout\n")
    throw ExitCode.notRun
  }

  /// Tells which connections the policy refuses, and ends them if that is wanted.
  private func tellConnections(_ deployment: Deployment, _ firewall: Firewall, _ pipeline: Pipeline) throws {
    let connections = try EstablishedConnections(deployment.kernel, judgedBy: firewall, of: pipeline)
    try Terminal.print(connections.text)
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
      fingerprint: wanted.prover.fingerprint?.description ?? "unknown", revision: Repository.revision(of: policy.path),
      table: wanted.table)
  }
}

/// A time to wait, such as `60s`.
struct Patience: ExpressibleByArgument {
  /// The number of seconds, up to a day.
  var seconds: Int

  init?(argument: String) {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()),
      argument.dropLast().allSatisfy(\.isNumber), (1...86_400).contains(count), count * unit <= 86_400
    else { return nil }
    seconds = count * unit
  }

  /// The time in words.
  var text: String {
    seconds % 60 == 0 ? "\(seconds / 60) \(seconds == 60 ? "minute" : "minutes")" : "\(seconds) seconds"
  }
}
