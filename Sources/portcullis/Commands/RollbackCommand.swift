import ArgumentParser
import Deploy
import Driver
import Firewalls
import Netlink
import Nftables
import Policies
import Reports
import Syntax

/// `portcullis rollback`.
struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Return to a former state of this host.",
    discussion: """
      Without --to: takes back what waits to be confirmed, or else returns to the state before the confirmed one.
      The policy is not needed. With --confirm the rules of now return by themselves unless `portcullis confirm` comes in
      time, as with apply; what waits is taken back for good, so that --confirm and --allow-lockout are refused while
      something waits, unless --to names a state. Exits with 1 if the former rules judge again, and are not those of the confirmed state.

      Examples:
        portcullis rollback
        portcullis rollback --list
        portcullis rollback --to 3 --confirm 60s
      """)

  @Option(help: ArgumentHelp("Return to this state.", valueName: "number"))
  var to: Int?

  @Flag(help: "List the states that are kept, and change nothing.")
  var list = false

  @Flag(help: "Only remove what was not confirmed in time, if there is something.")
  var lapsed = false

  @OptionGroup var change: ChangeOptions

  @Option(help: ArgumentHelp("Where states are kept.", valueName: "dir"), completion: .directory)
  var stateDir = StateFolder.usual

  func validate() throws {
    if [to != nil, list, lapsed].filter({ $0 }).count > 1 {
      throw ValidationError("--to, --list and --lapsed exclude one another.")
    }
    if list || lapsed, change.confirm != nil || change.allowLockout {
      throw ValidationError("--confirm and --allow-lockout are for a return to a state.")
    }
  }

  func run() async throws {
    if list { return try tellStates() }
    let state = try StateFolder.locked(stateDir)
    let deployment = HostOptions.deployment()
    let live = try deployment.live()
    if live?.pending != nil || live?.hasLapsed == true, to == nil, change.confirm != nil || change.allowLockout {
      Terminal.fail(
        "a change was not confirmed: `portcullis rollback` takes it back, without --confirm and --allow-lockout; nothing was changed"
      )
    }
    if let live, live.hasLapsed || live.pending != nil && to == nil && !lapsed {
      let isLapsed = live.hasLapsed
      try deployment.change(
        by: { now in now?.hasLapsed == true || now?.pending != nil ? try now?.withdrawal() ?? .nothing : .nothing },
        proving: { _ in })
      try state.dropDraft()
      try Terminal.print(
        isLapsed
          ? "Removed what was not confirmed in time; the former rules judge.\n"
          : "Took back what waited to be confirmed; the former rules judge.\n")
      if to == nil { return try proveReturned(deployment, state) }
    }
    let adopted = try state.adoptDraft(judging: live)
    if lapsed {
      // A host that was restarted knows nothing of the change that waited.
      if live?.pending == nil, adopted == nil { try state.dropDraft() }
      return
    }
    if live?.pending != nil { throw PlanningError.pending }
    let number = try target(in: state, judging: live)
    let old = try state.record(number)
    let change = HostChange(to: old.table, self.change, proving: RulesetProof(old.table).prove)
    try change.refuseLockOut(
      deployment.kernel,
      LockoutGuard(
        old.table, of: old.host, facts: HostFacts.ofThisMachine, listeners: Listeners().all(), on: Terminal.today))
    // A state that judges already has nothing to wait for.
    let isThere = try !change.plan(from: live).steps.contains { $0.purpose == .swap }
    let made = isThere ? HostChange(to: old.table, nil, isThere: true, proving: change.prove) : change
    let last = try state.numbers().last
    let isConfirmed = try number == last || last.map { try state.record($0).table.isLike(old.table) } ?? false
    if isConfirmed, isThere || change.patience == nil {
      return try undo(made, to: old, from: live, by: deployment, in: state)
    }
    var record = old
    record.date = secondsSinceEpoch()
    record.author = Terminal.author
    record.reason = "rollback to \(number)"
    record = try made.make(by: deployment, from: live, keeping: record, in: state)
    try Terminal.print(
      made.told("Returned to state \(number), \(old.fingerprint), which is now state \(record.number)"))
  }

  /// Makes the confirmed state `old` judge again by `change`, if something else does, which is no new state.
  private func undo(
    _ change: HostChange, to old: Record, from live: LiveTable?, by deployment: Deployment,
    in state: borrowing StateFolder
  ) throws {
    let isEmpty = try change.plan(from: live).isEmpty
    let hasChanged = try deployment.change(by: change.plan, proving: change.prove, knowing: live)
    try state.dropDraft()
    let name = "\(old.number), \(old.fingerprint)"
    let more = isEmpty ? "" : "; what was there besides is removed"
    try Terminal.print(hasChanged ? "Returned to state \(name).\n" : "State \(name), judges already\(more).\n")
  }

  /// Ends the run with 1 unless what judges, now that a change was taken back, does what the confirmed state says.
  private func proveReturned(_ deployment: Deployment, _ state: borrowing StateFolder) throws {
    let live = try deployment.live()
    guard let number = try state.numbers().last else {
      // A table that was there before the first change is no state.
      if live?.ruleset.chains.contains(where: { !$0.rules.isEmpty }) == true {
        Terminal.say("warning: no state was ever confirmed, with which the former rules could be compared\n")
      }
      return
    }
    let unknown = live?.unknowns.first.map { "there is what is not ours: \($0)" }
    let proof = RulesetProof(try state.record(number).table)
    guard let problem = unknown ?? proof.difference(from: live?.ruleset ?? .none) else { return }
    Terminal.say(
      "error: the former rules judge, but they do not do what the confirmed state \(number) says: \(printable(problem))\n"
    )
    Terminal.say("help: `portcullis restore` loads that state\n")
    throw ExitCode.found
  }

  /// Returns the number of the state to return to from `live`, which judges.
  private func target(in state: borrowing StateFolder, judging live: LiveTable?) throws -> Int {
    let numbers = try state.numbers()
    if let to {
      guard numbers.contains(to) else {
        Terminal.fail("there is no state \(to); `portcullis rollback --list` shows those that are kept")
      }
      return to
    }
    // A change that was cut short, or was made by others, is taken back first.
    guard let last = numbers.last, let confirmed = try? state.record(last) else {
      guard let before = numbers.dropLast().last else { Terminal.fail("there is no state before the confirmed one") }
      return before
    }
    guard let live, live.unknowns.isEmpty, confirmed.table.isLike(live.ruleset) else { return last }
    // A state that says the same is no other one.
    let before = numbers.dropLast().last { number in
      (try? state.record(number).table.isLike(confirmed.table)) != true
    }
    guard let before else { Terminal.fail("there is no other state before the confirmed one") }
    return before
  }

  /// Returns what is known of `record`, on a line.
  private func line(of record: Record) -> String {
    let day = CalendarDate(daysSinceEpoch: record.date / 86_400)
    let words = ["\(record.number)", "\(day) \(Terminal.clock(record.date))", record.author, record.fingerprint]
    return (words + [record.revision, record.reason].compactMap { $0 }).joined(separator: "  ")
  }

  /// Prints the states that are kept.
  private func tellStates() throws {
    guard let state = try StateFolder.opened(stateDir) else {
      try Terminal.print("No states are kept.\n")
      return
    }
    let numbers = try state.numbers()
    var text = ""
    for number in numbers {
      let mark = number == numbers.last ? "  (confirmed)" : ""
      do {
        text += line(of: try state.record(number)) + mark + "\n"
      } catch {
        text += "\(number)  \(error)\(mark)\n"
      }
    }
    if let draft = try? state.draft() { text += line(of: draft) + "  (not confirmed)\n" }
    try Terminal.print(text.isEmpty ? "No states are kept.\n" : text)
  }
}

/// The proof that a ruleset does what another one does.
struct RulesetProof {
  private let table: Table

  /// Creates the proof of rulesets that do what `table` does.
  init(_ table: Table) { self.table = table }

  /// Returns what `ruleset` does otherwise, or nothing if it does what the table does, for every packet.
  func difference(from ruleset: Table) -> String? {
    Proof.difference(between: Script([.define(table)]), and: Script([.define(ruleset)]))
  }

  /// Returns what `ruleset` does otherwise, unless it is the table, rule by rule, which needs no proof.
  func problem(with ruleset: Table) -> String? { ruleset.isLike(table) ? nil : difference(from: ruleset) }

  /// Throws unless `ruleset` does what the table does, for every packet.
  func prove(_ ruleset: Table) throws {
    guard let problem = problem(with: ruleset) else { return }
    throw UnprovedRuleset(
      description: "the ruleset would not do what the state did: \(problem); nothing judges by it")
  }
}
