import ArgumentParser
import Deploy
import Driver
import Nftables
import Reports

/// `portcullis confirm`.
struct ConfirmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm",
    abstract: "Keep for good what `apply --confirm` made.",
    discussion: """
      Exits with 2 if nothing waits to be confirmed, or if the time is over.

      Example:
        portcullis confirm
      """)

  @Option(help: ArgumentHelp("Where states are kept.", valueName: "dir"), completion: .directory)
  var stateDir = StateFolder.usual

  func run() async throws {
    let state = try StateFolder.locked(stateDir)
    let deployment = HostOptions.deployment()
    guard let live = try deployment.live(), live.pending != nil else {
      if let number = try state.adoptDraft(judging: deployment.live()) {
        return try Terminal.print("State \(number) is confirmed.\n")
      }
      try state.dropDraft()
      Terminal.fail(
        "nothing waits to be confirmed; if there was something, its time is over and the former rules judge")
    }
    let ruleset = live.ruleset
    let draft = try? state.draft()
    try refuseOthersChanges(live, ruleset, draft)
    try deployment.change(
      by: { now in
        guard let now else { throw PlanningError.notPending }
        return try now.pending == nil && now.ruleset == ruleset ? .nothing : now.confirmation()
      },
      proving: { after in
        guard after == ruleset else {
          throw UnprovedRuleset(description: "what would be confirmed is not what judges; nothing was changed")
        }
      })
    // The folder may have been lost meanwhile; what judges is known all the same.
    let record =
      try draft
      ?? state.draft(
        Record(
          number: 0, date: secondsSinceEpoch(), author: Terminal.author, host: machineName(), fingerprint: "unknown",
          reason: "confirmed without its record", table: ruleset))
    try state.confirmDraft()
    try Terminal.print("State \(record.number) is confirmed.\n")
  }

  /// Ends the run if `ruleset`, which judges in `live`, does something else than `draft`, which was applied.
  ///
  /// Nobody asked for that to be kept, and a reboot would restore it. What is there besides is told.
  private func refuseOthersChanges(_ live: LiveTable, _ ruleset: Table, _ draft: Record?) throws {
    if let problem = draft.flatMap({ RulesetProof($0.table).problem(with: ruleset) }) {
      Terminal.say(
        "error: what judges is not what was applied; somebody changed it since, and nothing is confirmed: \(printable(problem))\n"
      )
      Terminal.say("help: `portcullis rollback` takes it back; then apply again\n")
      throw ExitCode.notRun
    }
    if let unknown = live.judgingUnknowns.first {
      Terminal.say(
        "error: there is what is not ours, and would go on judging; nothing is confirmed: \(printable(unknown))\n")
      Terminal.say("help: `portcullis rollback` takes the change back; then apply again\n")
      throw ExitCode.notRun
    }
    for unknown in live.unknowns.prefix(5) {
      Terminal.say("warning: there is what is not ours, and is no part of the state: \(printable(unknown))\n")
    }
  }
}
