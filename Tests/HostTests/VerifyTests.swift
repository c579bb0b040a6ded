import Foundation
import Support
import Testing

/// The host as a whole, whoever's rules its packets meet.
@Suite struct VerifyTests {
  private func host(_ label: String, _ policy: String = samplePolicy()) throws -> (machine: Machine, path: String) {
    let machine = try Machine(label)
    let path = try machine.policy(policy)
    try machine.expect(0, "apply", on: path)
    return (machine, path)
  }

  private func load(_ machine: Machine, _ lines: String...) throws {
    for line in lines {
      let result = try machine.namespace.run(line.split(separator: " ").map(String.init))
      guard result.status == 0 else { throw Machine.Failure(description: result.errors) }
    }
  }

  @Test func whatLegacyTablesRefuseIsTold() throws {
    let (machine, path) = try host("legacy")
    try load(machine, "iptables-legacy -A INPUT -p tcp --dport 443 -j DROP")
    let result = try machine.expect(1, "verify", on: path)
    for words in [
      "Closes (1 change)", "- 443/tcp from anywhere (IPv4 only)",
      "drop (iptables-legacy: -A INPUT -p tcp -m tcp --dport 443 -j DROP)",
      "the rules of the kernel (with iptables-legacy (filter)) treat packets of known connections",
    ] {
      #expect(result.output.contains(words), "\(words): \(result.output)")
    }
    try machine.expect(0, "verify", "--own", on: path)
    // The other family, and the policy of a chain.
    try load(machine, "iptables-legacy -F", "ip6tables-legacy -P INPUT DROP")
    let other = try machine.expect(1, "verify", on: path)
    #expect(other.output.contains("drop (the policy of the chain ip6tables-legacy filter INPUT)"), "\(other.output)")
    #expect(!other.output.contains("IPv4 only"), "\(other.output)")
    // Both, beside a table of nf_tables, which lets in and translates.
    try load(machine, "ip6tables-legacy -P INPUT ACCEPT", "iptables-legacy -A INPUT -j ACCEPT")
    try machine.nft("table ip other { chain in { type filter hook input priority 0; tcp dport 6000 accept; }; }")
    try machine.expect(0, "verify", on: path)
    try load(machine, "iptables-legacy -t nat -A PREROUTING -p tcp --dport 443 -j REDIRECT --to-ports 8080")
    let sent = try machine.expect(1, "verify", on: path)
    #expect(sent.output.contains("Sends elsewhere") && sent.output.contains("443/tcp"), "\(sent.output)")
    // A match that has no meaning here bounds what is known.
    try load(
      machine, "iptables-legacy -t nat -F",
      "iptables-legacy -I INPUT -p tcp --dport 80 -m string --string x --algo bm -j DROP")
    let unknown = try machine.expect(1, "verify", on: path)
    #expect(unknown.output.contains("Not known here") && unknown.output.contains("string"), "\(unknown.output)")
  }

  @Test func legacyTablesThatCannotBeReadAreSaid() throws {
    let (machine, path) = try host("unread")
    try load(machine, "iptables-legacy -A INPUT -p tcp --dport 443 -j DROP")
    // Its program needs a raw socket.
    let prefix = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    for words in [["verify"], ["verify", "--format", "json"]] {
      let result = try machine.namespace.run(prefix + machine.command(words, on: path))
      #expect(result.status == 2, "\(result)")
      #expect(result.output.contains("the rules of iptables-legacy (filter)"), "\(result)")
      #expect(!result.output.contains("proved"), "\(result)")
    }
    let own = try machine.namespace.run(prefix + machine.command(["verify", "--own"], on: path))
    #expect(own.status == 0, "\(own)")
  }

  @Test func thePolicyOfAChainIsNamed() throws {
    let (machine, path) = try host("policy")
    try machine.nft(
      """
      table inet other {
        chain allowed { tcp dport 80 accept; }
        chain in { type filter hook input priority 0; policy drop; jump allowed; ct state established accept; }
      }
      """)
    let result = try machine.expect(1, "verify", on: path)
    #expect(result.output.contains("after:  drop (the policy of the chain inet other in)"), "\(result.output)")
    #expect(!result.output.contains("after:  drop (chain inet portcullis"), "\(result.output)")
  }

  /// nft(8) lists moments in the time zone of whoever asks.
  @Test(arguments: ["UTC", "America/New_York", "Asia/Tokyo"]) func momentsAreTheSameEverywhere(zone: String) throws {
    let policy = samplePolicy(
      #"service fair { owner ops; purpose "Soon over"; port 8080/tcp; expose to internet until 2026-12-24 because "fair" }"#,
      running: ["fair"])
    let (machine, path) = try host("zone", policy)
    try machine.nft("table inet other { chain in { type filter hook input priority 0; }; }")
    let line = machine.command(["verify"], on: path)
    let result = try machine.namespace.run(["env", "TZ=\(zone)"] + line)
    #expect(result.status == 0, "\(result)")
  }

  /// What a set's elements let through for some packets alone is not taken for all of them.
  @Test(arguments: ["limit rate 5/minute", "quota 1 mbytes"]) func elementsWithConditionsAreNotCertain(
    condition: String
  ) throws {
    let (machine, path) = try host("elements")
    try machine.nft(
      """
      add set inet portcullis theirs { type ipv4_addr; \(condition); }
      add element inet portcullis theirs { 198.51.100.99 }
      insert rule inet portcullis judge ip saddr @theirs accept
      """)
    for words in [["verify"], ["verify", "--own"]] {
      let result = try machine.namespace.run(machine.command(words, on: path))
      #expect(result.status == 1 && result.output.contains("Not known here"), "\(result)")
      #expect(result.output.contains("set theirs"), "\(result)")
    }
    try machine.expect(0, "apply", on: path)
    try machine.expect(0, "verify", on: path)
  }

  // MARK: - Plans

  @Test func aPlanIsADocumentToo() throws {
    let (machine, path) = try host("json")
    func plan(_ code: Int32, on path: String) throws -> [String: Any] {
      let result = try machine.expect(code, "plan", "--format", "json", on: path)
      return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }
    let nothing = try plan(0, on: path)
    #expect(nothing["format"] as? String == "portcullis-plan" && nothing["version"] as? Int == 1)
    #expect(nothing["empty"] as? Bool == true && nothing["difference"] is NSNull)
    #expect((nothing["steps"] as? [Any])?.isEmpty == true && nothing["host"] as? String == "web1")
    let wide = try machine.policy(widerPolicy, "wide.port")
    let some = try plan(1, on: wide)
    #expect(some["empty"] as? Bool == false)
    let purposes = (some["steps"] as? [[String: Any]])?.compactMap { $0["purpose"] as? String }
    #expect(purposes == ["stage", "swap", "clean"], "\(some)")
    let changes = try #require(some["changes"] as? [[String: Any]])
    #expect(changes.contains { ($0["added"] as? [String])?.contains { $0.contains("8443") } ?? false }, "\(changes)")
    let difference = try #require(some["difference"] as? [String: Any])
    #expect(difference["format"] as? String == "portcullis-difference")
    #expect((difference["changes"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["opens"])
    #expect((some["connections"] as? [String: Any])?["refused"] as? Int == 0)
  }

  /// What others put into our table is named before it goes, and the rules that judge stay where they are.
  @Test func objectsOfOthersAreNamedAndRemoved() throws {
    let (machine, path) = try host("objects")
    let chains = try machine.listing("-a", "list", "chains")
    try machine.nft(
      """
      add counter inet portcullis theirs
      add quota inet portcullis much { over 25 mbytes }
      add map inet portcullis names { type inet_service : counter; elements = { 80 : "theirs" }; }
      insert rule inet portcullis host tcp dport 80 counter name "theirs"
      insert rule inet portcullis host counter name tcp dport map @names
      """)
    let told = try machine.expect(1, "verify", "--own", on: path)
    for words in ["in our table: counter theirs", "in our table: quota much"] {
      #expect(told.output.contains(words), "\(told.output)")
    }
    let plan = try machine.expect(1, "plan", on: path)
    for words in ["object theirs: 0 added, 1 removed", "- counter (not ours)", "- quota (not ours)", "(not ours)"] {
      #expect(plan.output.contains(words), "\(words): \(plan.output)")
    }
    #expect(!plan.output.contains("anew"), "\(plan.output)")
    try machine.expect(2, "apply", "--confirm", "60s", on: path, note: "it could not come back")
    let applied = try machine.expect(0, "apply", on: path)
    #expect(applied.output.contains("object much"), "\(applied.output)")
    try machine.expect(0, "verify", "--own", on: path)
    // The chain with the hook was never away.
    let hook = try #require(chains.split(separator: "\n").first { $0.contains("chain prerouting") })
    #expect(try machine.listing("-a", "list", "chains").contains(hook))
    // One that nothing leads to is removed too, and that is said.
    try machine.nft("add counter inet portcullis theirs")
    let alone = try machine.expect(0, "apply", on: path)
    #expect(alone.output.contains("object theirs") && alone.output.contains("Removed what is not ours"), "\(alone)")
    try machine.expect(0, "plan", on: path)
  }

  @Test func aTableThatIsMadeAnewIsSaidToBe() throws {
    let (machine, path) = try host("anew")
    try machine.nft("add table inet portcullis { flags dormant; }")
    let plan = try machine.expect(1, "plan", on: path)
    #expect(plan.output.contains("is made anew at once:\n  dormant: no chain judges\n"), "\(plan.output)")
    let json = try machine.expect(1, "plan", "--format", "json", on: path)
    #expect(json.output.contains("\"dormant: no chain judges\""), "\(json.output)")
    try machine.expect(0, "apply", on: path)
    try machine.expect(0, "plan", on: path)
  }

  // MARK: - What returns

  /// What stands after a change was taken back is compared with the confirmed state.
  @Test(arguments: [false, true]) func whatReturnsIsProved(isLapsed: Bool) throws {
    let (machine, _) = try host("returns")
    let wide = try machine.policy(widerPolicy, "wide.port")
    try machine.expect(0, "apply", "--confirm", isLapsed ? "1s" : "100s", on: wide)
    // Somebody opens what will return.
    try machine.nft("add rule inet portcullis prerouting tcp dport 23 accept")
    let handle = try machine.listing("-a", "list", "chain", "inet", "portcullis", "prerouting")
      .split(separator: "\n").last { $0.contains("handle") && $0.contains("goto judge") }?
      .split(separator: " ").last.map(String.init)
    try machine.nft("delete rule inet portcullis prerouting handle \(try #require(handle))")
    if isLapsed { usleep(1_200_000) }
    let words = isLapsed ? ["rollback", "--lapsed"] : ["rollback"]
    let result = try machine.namespace.run(machine.command(words))
    #expect(result.status == 1, "\(result)")
    #expect(result.errors.contains("do not do what the confirmed state 1 says"), "\(result)")
    #expect(result.errors.contains("portcullis restore"), "\(result)")
    try machine.expect(0, "restore")
    try machine.expect(0, "verify", "--own", on: try machine.policy(samplePolicy()))
  }
}
