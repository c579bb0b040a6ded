import ArgumentParser
import Deploy
import Glibc
import Nftables
import Reports

/// `portcullis restore`.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Load the last confirmed state, as at boot.",
    discussion: """
      Needs neither the policy nor the network. Does nothing if no state was ever confirmed.
      With --remove, the table of portcullis is removed, and nothing else: the host is open then.

      Example:
        portcullis restore
      """)

  @Option(help: ArgumentHelp("Where states are kept.", valueName: "dir"), completion: .directory)
  var stateDir = StateFolder.usual

  @Flag(help: "Remove our table and no other; what it refused is let in.")
  var remove = false

  func run() async throws {
    if remove {
      let state = try StateFolder.locked(stateDir)
      let deployment = HostOptions.deployment()
      let isThere = try deployment.remove()
      try state.dropDraft()
      if try deployment.live() != nil { Terminal.fail("the table was removed, and somebody made another one since") }
      try Terminal.print(isThere ? "The table is removed: nothing is refused any more.\n" : "There is no table.\n")
      return
    }
    if case .failure(let error) = fileStatus(stateDir) {
      guard error.number == ENOENT else { throw error }
      try Terminal.print("No state was ever confirmed; nothing is restored.\n")
      return
    }
    let state = try StateFolder.locked(stateDir)
    guard let (record, damage) = try newest(in: state) else {
      try Terminal.print("No state was ever confirmed; nothing is restored.\n")
      return
    }
    let deployment = HostOptions.deployment()
    let live = try deployment.live()
    if !damage.isEmpty, live != nil {
      Terminal.fail("a table judges, which an older state does not replace; `portcullis rollback --to N` does")
    }
    // Somebody waits for an answer to the last change, and restarts the service: that is no answer.
    if live?.pending != nil {
      Terminal.fail("a change waits to be confirmed; confirm it or roll it back first")
    }
    let proof = RulesetProof(record.table)
    let hasChanged = try deployment.change(
      by: { try .from($0, to: record.table) }, proving: proof.prove)
    try state.dropDraft()
    try Terminal.print(
      "State \(record.number) \(hasChanged ? "is restored" : "judges already"), \(record.fingerprint).\n")
    if !damage.isEmpty { throw ExitCode.found }
  }

  /// Returns the newest state that is whole, and what is wrong with those after it, which is said.
  ///
  /// An older state is safer than a host without rules.
  private func newest(in state: borrowing StateFolder) throws -> (record: Record, damage: [String])? {
    var damage: [String] = []
    for number in try state.numbers().reversed() {
      do {
        return (try state.record(number), damage)
      } catch {
        damage.append("\(error)")
        Terminal.say("error: \(printable("\(error)"))\n")
      }
    }
    if damage.isEmpty { return nil }
    Terminal.fail("no state is whole; nothing is restored")
  }
}
