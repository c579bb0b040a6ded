import Deploy
import Foundation
import Nftables
import Support
import Testing

/// Changes that must be confirmed.
@Suite struct ConfirmTests {
  private func host(_ label: String) throws -> (machine: Machine, narrow: String, wide: String) {
    let machine = try Machine(label)
    return (machine, try machine.policy(samplePolicy(), "narrow.port"), try machine.policy(widerPolicy, "wide.port"))
  }

  /// The former rules return with no process alive.
  @Test(arguments: [false, true]) func itGoesBackByItself(isFirst: Bool) throws {
    let (machine, narrow, wide) = try host("confirm")
    if !isFirst { try machine.expect(0, "apply", on: narrow) }
    try machine.expect(0, "apply", "--confirm", "2s", on: wide)
    let start = ContinuousClock.now
    try machine.expect(0, "verify", "--own", on: wide, note: "while it waits")
    let live = try #require(try machine.deployment().live())
    #expect(try #require(live.pending) <= 2000)
    while try machine.deployment().live()?.pending != nil, .now - start < .seconds(5) { usleep(50_000) }
    #expect(try machine.deployment().live()?.pending == nil)
    // What lapsed is still there, and judges nothing.
    if isFirst {
      let ruleset = try #require(try machine.deployment().live()).ruleset
      #expect(ruleset.chains.allSatisfy { $0.rules.isEmpty }, "\(ruleset)")
      try machine.expect(1, "verify", "--own", on: wide)
    } else {
      try machine.expect(0, "verify", "--own", on: narrow, note: "after the time")
    }
    try machine.expect(2, "confirm", note: "too late")
    try machine.expect(0, "rollback", "--lapsed")
    #expect(try #require(try machine.deployment().live()).hasLapsed == false)
    #expect(try !machine.listing().contains("gate"))
    if !isFirst {
      try machine.expect(0, "verify", "--own", on: narrow)
      try machine.expect(0, "plan", on: narrow)
    }
    try machine.expect(0, "apply", on: wide)
    try machine.expect(0, "verify", "--own", on: wide)
  }

  @Test func aConfirmInTimeKeepsIt() throws {
    let (machine, narrow, wide) = try host("intime")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", "--confirm", "1s", on: wide)
    try machine.expect(0, "confirm")
    usleep(1_300_000)
    try machine.expect(0, "verify", "--own", on: wide)
    try machine.expect(0, "plan", on: wide)
    try machine.expect(2, "confirm", note: "twice")
    try machine.expect(0, "verify", "--own", on: wide)
    let list = try machine.portcullis("rollback", "--list").output
    #expect(list.split(separator: "\n").count == 2 && list.contains("2  ") && list.contains("(confirmed)"), "\(list)")
    // A boot brings it back.
    let again = try Machine("again", sharing: machine)
    try again.expect(0, "restore")
    try again.expect(0, "verify", "--own", on: wide)
  }

  @Test func aRollbackTakesBackWhatWaits() throws {
    let (machine, narrow, wide) = try host("takeback")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", "--confirm", "100s", on: wide)
    for words in [["apply"], ["plan"], ["apply", "--confirm", "5s"]] {
      for policy in [narrow, wide] {
        let result = try machine.namespace.run(machine.command(words, on: policy))
        #expect(result.status == 2 && result.errors.contains("confirm"), "\(words): \(result)")
      }
    }
    try machine.expect(2, "restore", note: "while it waits")
    try machine.expect(0, "verify", "--own", on: wide)
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "plan", on: narrow)
    #expect(try !machine.listing().contains("gate"))
    // The state before remains the confirmed one.
    let again = try Machine("again", sharing: machine)
    try again.expect(0, "restore")
    try again.expect(0, "verify", "--own", on: narrow)
  }

  /// A reboot is no confirmation.
  @Test(arguments: [true, false]) func aRebootBootsTheOldState(isIntact: Bool) throws {
    let (machine, narrow, wide) = try host("reboot")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", "--confirm", "100s", on: wide)
    if !isIntact { try Data("x".utf8).write(to: URL(filePath: "\(machine.stateFolder)/draft")) }
    let again = try Machine("again", sharing: machine)
    try again.expect(0, "restore")
    try again.expect(0, "verify", "--own", on: narrow)
    try again.expect(2, "confirm")
    try again.expect(0, "verify", "--own", on: narrow)
    try again.expect(0, "apply", on: wide)
    try again.expect(0, "verify", "--own", on: wide)
  }

  @Test func theHistoryIsBoundedAndEveryStateReturns() throws {
    let (machine, narrow, wide) = try host("history")
    for i in 0..<23 { try machine.expect(0, "apply", on: i % 2 == 0 ? narrow : wide) }
    let list = try machine.portcullis("rollback", "--list").output.split(separator: "\n")
    #expect(list.count == 20 && list[0].hasPrefix("4  ") && list[19].hasPrefix("23  "), "\(list)")
    // Without the policy.
    try FileManager.default.moveItem(atPath: wide, toPath: wide + "-away")
    try machine.expect(0, "rollback", "--to", "10")
    try FileManager.default.moveItem(atPath: wide + "-away", toPath: wide)
    try machine.expect(0, "verify", "--own", on: wide)
    try machine.expect(2, "rollback", "--to", "3")
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "restore", "--remove")
    #expect(try machine.listing() == "")
  }
}
