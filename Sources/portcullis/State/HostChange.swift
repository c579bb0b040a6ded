import ArgumentParser
import Deploy
import Driver
import Netlink
import Nftables
import Reports

/// What every command takes that lets another ruleset judge.
struct ChangeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Return to the former rules after this time, such as 60s or 5m, unless it is confirmed.", valueName: "time"))
  var confirm: Patience?

  @Flag(help: "Change even if the connection that this runs over could not be opened anew.")
  var allowLockout = false
}

/// A change of this host to another ruleset, for good or until it is confirmed.
///
/// Whatever the ruleset comes from, it is guarded, proved and kept in the same way.
struct HostChange {
  /// The ruleset.
  let table: Table

  /// How long it waits to be confirmed, if it has to be.
  let patience: Patience?

  /// `true` iff it may shut out the one who gives the command.
  let allowsLockout: Bool

  /// `true` iff the ruleset judges already, so that the change is to bring none that does.
  let isThere: Bool

  /// Throws unless a ruleset that was read back does what it should.
  let prove: (Table) throws -> Void

  /// Creates the change to `table`; without `options` it is for good, and guarded.
  init(
    to table: Table, _ options: ChangeOptions?, isThere: Bool = false, proving prove: @escaping (Table) throws -> Void
  ) {
    self.table = table
    self.isThere = isThere
    patience = options?.confirm
    allowsLockout = options?.allowLockout ?? false
    self.prove = prove
  }

  /// Ends the run if the one who gives the command would be shut out, as `guardian` judges; a change that takes itself
  /// back only says so.
  func refuseLockOut(_ kernel: Kernel, _ guardian: @autoclosure () throws -> LockoutGuard) throws {
    guard !allowsLockout, let reason = try LockOut.reason(kernel, guardian()) else { return }
    guard patience == nil else {
      Terminal.say("warning: you could not come in anew.\n\(printable(reason))\n")
      return
    }
    Terminal.say("error: you could not come in anew; nothing was changed.\n\(printable(reason))\n")
    Terminal.say("help: expose what you came in on, try it with --confirm 60s, or insist with --allow-lockout\n")
    throw ExitCode.notRun
  }

  /// Returns the steps of the change from `live`.
  ///
  /// - Throws: `NetlinkError.stale`, too, iff the ruleset was there already, and is not any more.
  func plan(from live: LiveTable?) throws -> Plan {
    let plan = try Plan.from(live, to: table, confirmingWithin: patience?.seconds)
    // Nobody was shown it, and it would be for good, whatever was asked for.
    if isThere, plan.steps.contains(where: { $0.purpose == .swap }) { throw NetlinkError.stale }
    return plan
  }

  /// Makes the change, and keeps it in `state` as `record`, of which `before` judged; for good, unless it must be confirmed.
  ///
  /// - Returns: the record with its number.
  func make(
    by deployment: Deployment, from before: LiveTable?, keeping record: Record, in state: borrowing StateFolder
  ) throws -> Record {
    _ = try state.adoptDraft(judging: before)
    // What a reboot restores is written before it judges, and is for good only when it does.
    let record = try state.draft(record)
    do {
      try deployment.change(
        by: { live in
          // A second round plans from what the first one left; the kernel may hold its gates already.
          if live?.pending != nil { return .nothing }
          return try plan(from: live)
        }, proving: prove, knowing: before)
    } catch {
      // An answer of the kernel may have been lost behind the change, or what was there before could not be removed; it was
      // made if nothing but the ruleset judges.
      guard let live = try? deployment.live(), live.pending == nil, live.judgingUnknowns.isEmpty,
        live.ruleset.isLike(table)
      else {
        try? state.dropDraft()
        throw error
      }
      if !live.unknowns.isEmpty {
        Terminal.say("warning: the new rules judge, but not all that was there besides could be removed: \(error)\n")
      }
    }
    guard patience == nil else { return record }
    do { try state.confirmDraft() } catch {
      Terminal.say("error: the new rules judge, but they could not be kept: a reboot restores the former ones\n")
      throw error
    }
    return record
  }

  /// Says what is to be done next, once what `words` tell is done; nothing more if it is for good.
  func told(_ words: String) -> String {
    guard let patience else { return words + ".\n" }
    return """
      \(words), for \(patience.text).
      Try a new connection to this host now. Then: portcullis confirm
      Without that, the former rules return by themselves.

      """
  }
}

/// The one who gives the commands, and whether a ruleset would let him in again.
enum LockOut {
  /// Returns why what `guardian` guards would shut out the one who gives this command, or nothing if it would not.
  static func reason(_ kernel: Kernel, _ guardian: LockoutGuard) throws -> String? {
    let origin = RemoteSession.Origin(environment("SSH_CONNECTION"))
    var tracked: [TrackedConnection] = []
    var others: [TrackedConnection] = []
    try kernel.forEachConnection { connection in
      if guardian.concerns(connection, origin), tracked.count < 10_000 { tracked.append(connection) }
      if guardian.concerns(connection, .unsaid), others.count < 10_000 { others.append(connection) }
    }
    let finding = try guardian.finding(of: origin, tracked: tracked)
    switch finding.outcome {
    case .shutOut, .unknown: return finding.sentences.joined(separator: "\n")
    case .noSession, .letIn: break
    }
    // A session that is not there any more, such as one that a terminal was detached from, says nothing of the one who is.
    guard case .session = origin, tracked.isEmpty else { return nil }
    let second = try guardian.finding(of: .unsaid, tracked: others)
    return second.outcome == .shutOut ? second.sentences.joined(separator: "\n") : nil
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
