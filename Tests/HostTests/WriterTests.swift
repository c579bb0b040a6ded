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
    let (proofs, _) = try change(machine, to: new) { _ in }
    #expect(proofs >= 1)
    #expect(new.isDone(by: try machine.deployment().live()))
  }
}
