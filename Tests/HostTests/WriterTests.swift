import Deploy
import Foundation
import Netlink
import Nftables
import Support
import Testing

/// Others who change rules while we do: theirs are no hindrance, and ours are never overwritten unseen.
@Suite struct WriterTests {
  /// A program that changes another table as fast as it can.
  private final class Writer {
    private let go: URL
    private let process: ChildProcess

    init(_ machine: Machine, _ lines: String...) throws {
      go = machine.folder.appending(path: "go-\(UUID().uuidString)")
      try Data().write(to: go)
      let loop = "while [ -e '\(go.path)' ]; do \(lines.joined(separator: "; ")); done >/dev/null 2>&1"
      process = try ChildProcess(["ip", "netns", "exec", machine.namespace.name, "sh", "-c", loop])
    }

    func stop() {
      try? FileManager.default.removeItem(at: go)
      process.finish()
    }
  }

  @Test func aTightWriterOfOtherTablesIsNoHindrance() throws {
    let machine = try Machine("tight")
    let (narrow, wide) = (
      try machine.policy(samplePolicy(), "narrow.port"), try machine.policy(widerPolicy, "wide.port")
    )
    let kernel = try Kernel(namespace: "/run/netns/\(machine.namespace.name)")
    let writer = try Writer(
      machine, "nft add chain ip others x 2>/dev/null || nft add table ip others", "nft add rule ip others x counter",
      "nft delete table ip others")
    defer { writer.stop() }
    let before = try kernel.generation().number
    for i in 0..<6 {
      let policy = i % 2 == 0 ? wide : narrow
      try machine.expect(0, "apply", on: policy, note: "round \(i)")
      try machine.expect(0, "verify", "--own", on: policy, note: "round \(i)")
    }
    try machine.expect(0, "apply", "--confirm", "100s", on: wide)
    try machine.expect(0, "confirm")
    try machine.expect(0, "verify", "--own", on: wide)
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "restore", "--remove")
    try machine.expect(0, "restore")
    try machine.expect(0, "verify", "--own", on: narrow)
    let writes = try kernel.generation().number &- before
    #expect(writes > 50, "nobody wrote: \(writes)")
  }

  /// Carries out the change to `wanted`; at each proof, `foreign` is carried out behind its back.
  private func change(
    _ machine: Machine, to wanted: Wanted, while foreign: (Int) throws -> Void
  ) throws -> (proofs: Int, rulesets: [Table]) {
    let deployment = try machine.deployment()
    var rulesets: [Table] = []
    try deployment.change(
      by: { try .from($0, to: wanted.table) },
      proving: { ruleset in
        rulesets.append(ruleset)
        #expect(wanted.means(ruleset))
        try foreign(rulesets.count)
      })
    return (rulesets.count, rulesets)
  }

  @Test func whatOthersDoToTheirTablesIsNoReasonToProveAgain() throws {
    let machine = try Machine("theirs")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    _ = try change(machine, to: old) { _ in }
    let (proofs, _) = try change(machine, to: new) { round in
      for i in 0..<5 { try machine.nft("add table ip others-\(round)-\(i)") }
    }
    #expect(proofs == 1)
    #expect(new.isDone(by: try machine.deployment().live()))
    #expect(try machine.listing("list", "tables").contains("others-1-4"))
  }

  /// Whatever is done to our table between the proof and the swap begins the change anew.
  @Test(arguments: [
    "insert rule inet portcullis prerouting accept", "add chain inet portcullis theirs",
    "add counter inet portcullis theirs", "insert rule inet portcullis refuse meta mark set 1",
    "add set inet portcullis theirs { type ipv4_addr; }", "flush chain inet portcullis refuse",
  ])
  func whatOthersDoToOurTableIsNoticed(line: String) throws {
    let machine = try Machine("ours")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    _ = try change(machine, to: old) { _ in }
    let (proofs, _) = try change(machine, to: new) { round in
      if round == 1 { try machine.nft(line + "\nadd table ip others") }
    }
    #expect(proofs == 2, "\(line)")
    let live = try machine.deployment().live()
    #expect(new.isDone(by: live), "\(line): \(live?.unknowns ?? [])")
    #expect(live?.unknowns == [])
  }

  /// Whoever changes our table each time is never overwritten: the change gives up, and says so.
  @Test func whoeverWritesOurTableAllTheTimeIsNotOverwritten() throws {
    let machine = try Machine("always")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    _ = try change(machine, to: old) { _ in }
    #expect(throws: NetlinkError.stale) {
      _ = try change(machine, to: new) { round in
        try machine.nft("add chain inet portcullis theirs-\(round)")
      }
    }
    let live = try #require(try machine.deployment().live())
    #expect(old.means(live.ruleset))
    #expect(live.chains.contains { $0.name == "theirs-10" })
  }

  /// More is staged than is listened to; then the table itself is looked at.
  @Test func aLargeChangeBesideAWriterIsOneToo() throws {
    let machine = try Machine("large")
    let services = (0..<1500).map {
      "service s\($0) { owner ops; purpose \"One of many\"; port \(10_000 + $0)/tcp; expose to 198.51.\($0 / 250).\($0 % 250) }"
    }
    let policy = samplePolicy(services.joined(separator: "\n"), running: (0..<1500).map { "s\($0)" })
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(policy))
    _ = try change(machine, to: old) { _ in }
    let writer = try Writer(machine, "nft add table ip others", "nft delete table ip others")
    defer { writer.stop() }
    let kernel = try Kernel(namespace: "/run/netns/\(machine.namespace.name)")
    let before = try kernel.generation().number
    let (proofs, _) = try change(machine, to: new) { _ in }
    // What is done to the tables of others begins no change anew, and is more than our three transactions.
    #expect(proofs == 1)
    let writes = try kernel.generation().number &- before
    #expect(writes > 3, "nobody wrote: \(writes)")
    #expect(new.isDone(by: try machine.deployment().live()))
  }

  /// An element of ours comes with so many of another table that it is not shown yet when the change is counted.
  ///
  /// The change of ours begins at that moment, and would keep the set.
  @Test(arguments: [true, false]) func aChangeUnderWayIsWaitedFor(isConcatenated: Bool) throws {
    let machine = try Machine("underway")
    let prefixes = (22...30).flatMap { length in (0..<5).map { "203.\(length).\($0 * 8).0/\(length)" } }
    let office = isConcatenated ? prefixes : (0..<40).map { "203.0.113.\($0 * 3)" }
    let services = (0..<3).map {
      "service s\($0) { owner ops; purpose \"One of some\"; port 700\($0)/tcp; expose to places }"
    }
    let policy = { (more: Bool) in
      samplePolicy(
        "zone places { \(office.joined(separator: ", ")) }\n" + services.joined(separator: "\n")
          + (more ? "\nservice extra { owner ops; purpose \"More\"; port 8443/tcp; expose to internet }" : ""),
        running: ["s0", "s1", "s2"] + (more ? ["extra"] : []))
    }
    let (old, new) = (try Wanted(policy(false)), try Wanted(policy(true)))
    _ = try change(machine, to: old) { _ in }
    let live = try #require(try machine.deployment().live())
    let set = try #require(
      live.sets.first {
        $0.definition.key == [.ipv4, .transport, .port] && $0.definition.isInterval == isConcatenated
          && !$0.definition.isDynamic
      }, "\(live.sets.map(\.definition))")
    // Without the element, the set would stay as it is.
    let plan = try Plan.from(live, to: new.table)
    #expect(!plan.steps.flatMap(\.transaction.commands).contains(.deleteSet(set.definition.name)))
    let element = "\(isConcatenated ? "99.99.99.0/24" : "99.99.99.99") . tcp . 22"
    try machine.nft("add table inet bulk; add set inet bulk s { type ipv4_addr; }")
    let others = (0..<60_000).map { "10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)" }
    let file = machine.folder.appending(path: "foreign.nft")
    try """
    add element inet portcullis \(set.definition.name) { \(element) }
    add element inet bulk s { \(others.joined(separator: ", ")) }

    """.write(to: file, atomically: true, encoding: .utf8)
    let kernel = try Kernel(namespace: "/run/netns/\(machine.namespace.name)")
    let before = try kernel.generation().number
    let writer = try ChildProcess(["ip", "netns", "exec", machine.namespace.name, "nft", "-f", file.path])
    while try kernel.generation().number == before {}
    _ = try change(machine, to: new) { _ in }
    #expect(writer.finish() == 0)
    let made = try #require(try machine.deployment().live())
    let isDone = new.isDone(by: made)
    #expect(isDone)
    let isSeen = try !machine.listing().contains("99.99.99")
    #expect(isSeen, "the element judges still")
  }

  /// What is made anew at once is read back too, and proved.
  @Test func aTableThatIsMadeAnewIsProvedOnceItIsThere() throws {
    let machine = try Machine("anew")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    _ = try change(machine, to: old) { _ in }
    try machine.nft("add table inet portcullis { flags dormant; }")
    let (proofs, _) = try change(machine, to: new) { _ in }
    #expect(proofs == 2)
    #expect(new.isDone(by: try machine.deployment().live()))
    try machine.nft("add table inet portcullis { flags dormant; }")
    #expect(throws: UnprovedTable.self) {
      _ = try change(machine, to: old) { round in if round == 2 { throw Machine.Failure(description: "other") } }
    }
  }
}
