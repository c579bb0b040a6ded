import Deploy
import Foundation
import Netlink
import Nftables
import Packets
import Support
import Testing

/// What a change leaves behind, where others put something into our table that keeps it from being swept.
@Suite struct LeftoverTests {
  /// Lines of nft(8) that put something into our table which no ruleset of ours has.
  static let foreign = [
    "add counter inet portcullis theirs", "add set inet portcullis theirs { type ether_addr; }",
    "add chain inet portcullis theirs\nadd rule inet portcullis theirs ip ttl 5 accept",
    "add chain inet portcullis theirs\nadd rule inet portcullis theirs tcp dport 23 jump { accept; }",
  ]

  /// A chain that stands in a rule comes and goes with it.
  @Test(arguments: ["host_ip", "judge", "prerouting"]) func chainsInRulesGoWithThem(chain: String) throws {
    let (machine, narrow, wide) = try host("bound")
    try machine.expect(0, "apply", on: narrow)
    for path in [wide, narrow] {
      let names = try machine.listing("list", "chains", "inet")
      let name = names.contains("\(chain).2 ") ? "\(chain).2" : chain
      try machine.nft("add rule inet portcullis \(name) tcp dport 23 jump { accept; }")
      let found = try machine.expect(1, "verify", "--own", on: path == wide ? narrow : wide)
      #expect(found.output.contains("in our table: chain \(name)"), "\(found)")
      try machine.expect(0, "apply", on: path)
      try machine.expect(0, "verify", "--own", on: path)
      try machine.expect(0, "plan", on: path)
    }
    let list = try machine.portcullis("rollback", "--list").output.split(separator: "\n")
    #expect(list.count == 3, "\(list)")
  }

  /// Connections that were cut stay so where the chain in which packets arrive is made anew.
  @Test func cutsOutliveTheirChain() throws {
    let (machine, narrow, _) = try host("outlive")
    try machine.expect(0, "apply", on: narrow)
    let deployment = try machine.deployment()
    let tuple = ConnectionTuple(.tcp, Address(.ipv4, 0xcb00_7109), 50_000, to: Address(.ipv4, 0xc000_020a), 22)
    try deployment.kernel.carryOut(try #require(try deployment.live()?.cutting([tuple])))
    try machine.expect(0, "plan", on: narrow)
    try machine.nft("add chain inet portcullis prerouting { policy drop; }")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "verify", "--own", on: narrow)
    #expect(try machine.listing().contains("jump cut.connections"))
  }

  private func host(_ label: String) throws -> (machine: Machine, narrow: String, wide: String) {
    let machine = try Machine(label)
    return (machine, try machine.policy(samplePolicy(), "narrow.port"), try machine.policy(widerPolicy, "wide.port"))
  }

  /// Returns a host that does what a policy says, on which a wider one waits to be confirmed.
  private func waiting(
    _ label: String, for time: String = "60s"
  ) throws -> (machine: Machine, narrow: String, wide: String) {
    let (machine, narrow, wide) = try host(label)
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", "--confirm", time, on: wide)
    return (machine, narrow, wide)
  }

  /// The rules of before, which stayed since they could not be swept, are not taken for those that judge.
  @Test(arguments: foreign, [["apply"], ["rollback"]]) func formerRulesAreNotTakenForThose(
    lines: String, words: [String]
  ) throws {
    let (machine, narrow, wide) = try waiting("former")
    try machine.nft(lines)
    let confirmed = try machine.expect(0, "confirm")
    #expect(confirmed.errors.contains("what is not ours"), "\(confirmed)")
    if words == ["apply"] {
      try machine.expect(0, "apply", on: narrow)
    } else {
      // The first takes back what is not ours.
      try machine.expect(0, "rollback")
      try machine.expect(0, "verify", "--own", on: wide)
      try machine.expect(0, "rollback")
    }
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "plan", on: narrow)
    #expect(try !machine.listing().contains("theirs"))
  }

  /// Nor are those of a change that was not confirmed in time.
  @Test(arguments: foreign, [true, false]) func lapsedRulesAreNotTakenForThose(lines: String, isApplied: Bool) throws {
    let machine = try Machine("lapsed")
    func policy(_ source: String) throws -> String {
      try machine.policy(
        samplePolicy(
          #"service more { owner ops; purpose "More"; port 8080/tcp; expose to \#(source) }"#, running: ["more"]),
        "\(source).port")
    }
    let (first, second) = (try policy("198.51.100.1"), try policy("198.51.100.2"))
    try machine.expect(0, "apply", on: first)
    try machine.expect(0, "apply", "--confirm", "60s", on: second)
    try machine.nft(lines)
    try machine.expect(0, "rollback", "--lapsed")
    try machine.expect(1, "rollback")
    try machine.expect(1, "plan", on: second)
    if isApplied { try machine.expect(0, "apply", on: second) } else { try machine.expect(0, "restore") }
    try machine.expect(0, "verify", "--own", on: isApplied ? second : first)
    try machine.expect(0, "plan", on: isApplied ? second : first)
  }

  /// Something called like what cuts connections, which is no part of the ruleset, makes nothing else be believed.
  @Test func aStrangeSetOfCutsIsNothingToGoBy() throws {
    let (machine, narrow, wide) = try host("cuts")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", "--cut", on: narrow)
    try machine.expect(0, "apply", "--confirm", "60s", on: wide)
    try machine.nft(
      """
      add set inet portcullis cut.ip { type ipv4_addr . inet_proto . inet_service . ipv4_addr . inet_service; timeout 1h; }
      add element inet portcullis cut.ip { * timeout 1h }
      """)
    try machine.expect(0, "confirm")
    try machine.expect(1, "plan", on: narrow)
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "plan", on: narrow)
  }

  /// A change that lapsed is removed with what others put beside it, whatever comes next.
  @Test(
    arguments: foreign + [
      "add chain inet portcullis theirs\nadd rule inet portcullis theirs jump prerouting.gate\nadd counter inet portcullis c"
    ])
  func whatLapsedGoesWithWhatIsNotOurs(lines: String) throws {
    for words in [["apply", "wide"], ["apply", "narrow"], ["restore", "narrow"]] {
      let (machine, narrow, wide) = try waiting("gone", for: "1s")
      try machine.nft(lines)
      while try machine.deployment().live()?.pending != nil { usleep(50_000) }
      let path = words[1] == "wide" ? wide : narrow
      if words[0] == "apply" { try machine.expect(0, "apply", on: path) } else { try machine.expect(0, "restore") }
      try machine.expect(0, "verify", "--own", on: path, note: "\(words)")
      try machine.expect(0, "plan", on: path, note: "\(words)")
    }
  }

  /// What judges behind a confirm must be understood.
  @Test(arguments: [
    "add table inet portcullis { flags dormant; }", "insert rule inet portcullis judge.2 ip ttl 5 accept",
    "add chain inet portcullis theirs { type filter hook input priority 5; policy drop; }",
  ]) func whatIsNotUnderstoodIsNotConfirmed(lines: String) throws {
    let (machine, narrow, _) = try waiting("strange")
    try machine.nft(lines)
    let refused = try machine.expect(2, "confirm")
    #expect(refused.errors.contains("would go on judging"), "\(refused)")
    let back = try machine.namespace.run(machine.command(["rollback"]))
    #expect(back.status < 2, "\(back)")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "verify", "--own", on: narrow)
  }

  /// A chain that the kernel enters and that does nothing, as one that translated leaves it, makes no other ruleset.
  @Test(arguments: [
    "transit office to internet via web1 masquerade",
    #"service more { owner ops; purpose "More"; port 8443/tcp; expose to internet as 8080/tcp }"#,
  ]) func idleHooksAreNoDifference(statement: String) throws {
    let (machine, narrow, wide) = try host("idle")
    let translating = try machine.policy(
      samplePolicy(statement, running: statement.hasPrefix("service") ? ["more"] : []), "translating.port")
    try machine.expect(0, "apply", on: translating)
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", on: wide)
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    // The state before the last one that says something else.
    try machine.expect(0, "rollback", "--to", "1")
    try machine.expect(0, "verify", "--own", on: translating)
  }

  /// What others did is undone first, which is no new state; then older states return, one after the other.
  @Test(arguments: [
    "insert rule inet portcullis judge ip ttl 5 accept", "insert rule inet portcullis judge tcp dport 23 accept",
    "delete table inet portcullis",
  ]) func aRepairIsNoNewState(lines: String) throws {
    let (machine, narrow, wide) = try host("repair")
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "apply", on: wide)
    try machine.nft(
      try machine.listing("list", "chains", "inet").contains("judge.2")
        ? lines.replacing("portcullis judge", with: "portcullis judge.2") : lines)
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: wide)
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    let list = try machine.portcullis("rollback", "--list").output.split(separator: "\n")
    #expect(list.count == 3, "\(list)")
  }

  /// What somebody did to the rules that wait is not kept by a confirm that was meant for them.
  @Test func whatOthersAddedIsNotConfirmed() throws {
    let (machine, narrow, _) = try waiting("added")
    let chains = try machine.listing("list", "chains", "inet")
    let name = chains.contains("judge.2") ? "judge.2" : "judge"
    try machine.nft("insert rule inet portcullis \(name) tcp dport 23 accept")
    let refused = try machine.expect(2, "confirm")
    #expect(refused.errors.contains(":23 arriving") && refused.errors.contains("rollback"), "\(refused)")
    try machine.expect(0, "rollback")
    try machine.expect(0, "verify", "--own", on: narrow)
    let again = try Machine("again", sharing: machine)
    try again.expect(0, "restore")
    try again.expect(0, "verify", "--own", on: narrow)
  }
}
