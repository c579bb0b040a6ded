import Firewalls
import Foundation
import Packets
import Support
import Syntax
import Testing

@testable import Iptables

/// What the four programs make of the text.
@Suite(.enabled(if: Namespace.isPossible, "needs root, ip and both variants of iptables")) struct RestoreTests {
  static let variants = ["nft", "legacy"]

  private func program(_ family: AddressFamily, _ variant: String) -> String {
    (family == .ipv4 ? "iptables-" : "ip6tables-") + variant
  }

  /// The kernel takes every text, gives back the same model, and a second restore changes nothing.
  @Test(arguments: 0..<8, variants) func kernelTakesAndKeepsIt(seed: Int, variant: String) throws {
    var maker = FirewallMaker(seed: seed)
    let firewall = maker.firewall()
    for family in AddressFamily.allCases {
      let program = program(family, variant)
      let namespace = try Namespace("restore-\(seed)-\(program)")
      let text = try #require(
        (family == .ipv4 ? IPv4Backend.compile : IPv6Backend.compile)(firewall, testSources).artefacts.first
      ).text
      _ = try namespace.run("\(program)-restore", "--test", input: text)
      _ = try namespace.run("\(program)-restore", input: text)
      let saved = try namespace.run("\(program)-save")
      _ = try namespace.run("\(program)-restore", input: text)
      #expect(normalized(try namespace.run("\(program)-save")) == normalized(saved))

      let (kept, problems) = Ruleset.parse(saved, family)
      #expect(problems.isEmpty)
      var compiler = Compiler(firewall, family, sources: testSources)
      for table in compiler.ruleset().tables {
        let other = try #require(kept.table(table.name))
        for chain in table.chains { #expect(other.chain(chain.name)?.rules == chain.rules) }
        #expect(
          Set(other.chains.map(\.name)).subtracting(table.chains.map(\.name)).allSatisfy { !$0.hasPrefix("PORTC") })
      }
    }
  }

  /// What Docker, ufw and a hand-written rule leave behind, in short.
  private static let others = """
    *nat
    :DOCKER - [0:0]
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
    -A POSTROUTING -o docker0 -j MASQUERADE
    -A DOCKER -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
    COMMIT
    *mangle
    -A PREROUTING -i wg0 -j MARK --set-xmark 0x1/0x1
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD DROP [0:0]
    :ufw-user-input - [0:0]
    -A INPUT -p tcp -m tcp --dport 22 -j ufw-user-input
    -A INPUT -p tcp -m comment --comment "not ours: -j PORTCULLIS-X" -j ACCEPT
    -A ufw-user-input -j ACCEPT
    COMMIT

    """

  /// The script of the documentation keeps what others wrote, can be repeated, and leaves nothing of an old policy.
  @Test(arguments: variants) func othersLiveOn(variant: String) throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("docs/iptables.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let block = try #require(text.components(separatedBy: "<!-- a test runs this -->\n```sh\n").last)
    let script = try #require(block.components(separatedBy: "\nbeside iptables <").first)

    var maker = FirewallMaker(seed: 7)
    var large = maker.firewall()
    large.rejects = true
    large.openings = (0..<60).map { i in
      Opening(
        sources: [Reach(blocks("10.\(i).0.0/16", "10.\(i).9.0/24"))], destinations: nil,
        traffic: .ports(.tcp, PortRange(UInt16(1000 + i))),
        translation: i % 3 == 0 ? .redirect(to: UInt16(3000 + i)) : nil,
        cause: cause("s\(i)", line: i))
    }
    var small = large
    small.openings = Array(large.openings.prefix(2))
    small.passages = []
    small.departures = nil

    let program = "iptables-\(variant)"
    let namespace = try Namespace("beside-\(variant)")
    func load(_ firewall: Firewall) throws {
      let text = try #require(IPv4Backend.compile(firewall, sources: testSources).artefacts.first).text
      _ = try namespace.run("bash", "-euo", "pipefail", "-c", "\(script)\nbeside \(program)", input: text)
    }
    // On an empty host, too.
    try load(small)
    let alone = normalized(try namespace.run("\(program)-save"))
    try load(small)
    #expect(normalized(try namespace.run("\(program)-save")) == alone)

    _ = try namespace.run("\(program)-restore", "--noflush", input: Self.others)
    try load(small)
    let first = normalized(try namespace.run("\(program)-save"))
    try load(large)
    #expect(normalized(try namespace.run("\(program)-save")) != first)
    try load(small)
    #expect(normalized(try namespace.run("\(program)-save")) == first)
    for line in Self.others.split(separator: "\n") where line.hasPrefix("-A") || line.hasPrefix(":FORWARD") {
      let wanted = line.hasPrefix(":") ? ":FORWARD DROP" : String(line)
      #expect(first.contains(wanted), "\(wanted)")
    }
    // Ours comes first.
    let (kept, _) = Ruleset.parse(try namespace.run("\(program)-save"), .ipv4)
    for (table, hook) in [("mangle", "PREROUTING"), ("nat", "PREROUTING"), ("filter", "INPUT"), ("filter", "FORWARD")] {
      guard case .jump(let chain) = kept.table(table)?.chain(hook)?.rules.first?.target else {
        Issue.record("\(table) \(hook)")
        continue
      }
      #expect(chain.hasPrefix("PORTCULLIS-"))
    }
  }

  /// Every form of limit that is emitted is kept with the same numbers.
  @Test(arguments: variants) func limitsAreKept(variant: String) throws {
    var rules: [Rule] = []
    var compiler = Compiler(FirewallMaker.empty, .ipv4, sources: testSources)
    for (count, unit) in [
      (1, .second), (3, .second), (7, .second), (200, .second), (300, .second), (10_000, .second),
      (20_000, .second), (5, .minute), (100, .minute), (1, .hour), (50, .hour), (1, .day), (1000, .day),
    ] as [(UInt32, Rate.Unit)] {
      for burst in [nil, 1, 400] as [UInt32?] {
        for perSource in [false, true] {
          let limit = Limit(Rate(count, per: unit), burst: burst, perSource: perSource)
          let match = compiler.counting(limit, key: "x", at: Span(file: 0, lower: 0, upper: 1))
          if let match { rules.append(Rule(matches: [match], target: .accept)) }
        }
      }
    }
    #expect(rules.count > 60)
    let ruleset = Ruleset(family: .ipv4, tables: [Table("mangle", chains: [Chain("X", rules: rules)])])
    let namespace = try Namespace("limits-\(variant)")
    _ = try namespace.run("iptables-\(variant)-restore", input: ruleset.text())
    let (kept, problems) = Ruleset.parse(try namespace.run("iptables-\(variant)-save"), .ipv4)
    #expect(problems.isEmpty)
    let back = try #require(kept.table("mangle")?.chain("X")).rules
    #expect(back.count == rules.count)
    // The program prints the rate in a unit of its own; what is counted in a day is the same but for rounding.
    func daily(_ rate: Rate) -> Double { Double(rate.count) * 86_400 / Double(rate.unit.seconds) }
    for (rule, other) in zip(rules, back) {
      switch (rule.matches[0], other.matches[0]) {
      case (.limit(let a, let x), .limit(let b, let y)):
        #expect(x == y && abs(daily(a) - daily(b)) <= daily(a) * 0.01, "\(a) \(b)")
      case (.hashLimit(let a, let x, let p, let n, let e), .hashLimit(let b, let y, let q, let m, let f)):
        #expect(x == y && p == q && n == m && e == f && abs(daily(a) - daily(b)) <= daily(a) * 0.01, "\(a) \(b)")
      default: Issue.record("\(rule) became \(other)")
      }
    }
  }

  /// Trees of ports and of addresses at their deepest stay within the 15 chains that the kernel nests.
  @Test(arguments: variants) func deepTreesAreTaken(variant: String) throws {
    var random = SeededGenerator(seed: 3)
    let networks = (0..<3000).map { _ in
      Prefix(containing: Address(.ipv6, UInt128.random(in: 0...UInt128.max, using: &random)), length: 64)
    }
    // Blocks that halve what is left, so that first bits divide them badly.
    let skewed = (1..<100).map { Prefix(containing: Address(.ipv6, 1 << UInt128(127 - $0)), length: $0 + 1) }
    var firewall = FirewallMaker.empty
    firewall.rejects = true
    firewall.logDenied = Limit(Rate(5, per: .second))
    let reaches = [
      Reach(AddressSet(networks), on: .only(["eth0"])), Reach(AddressSet(skewed), on: .except(["eth0", "eth1"])),
    ].normalized
    for i in 0..<4000 {
      let bound = i % 7 == 0 ? AddressSet(networks.prefix(40)) : nil
      firewall.openings.append(
        Opening(
          sources: reaches, destinations: bound, traffic: .ports(.tcp, PortRange(UInt16(1000 + i / 2))),
          limit: i % 2 == 0 ? nil : Limit(Rate(5, per: .second)), logged: true, cause: cause("s", line: i / 2)))
    }
    let text = try #require(IPv6Backend.compile(firewall, sources: testSources).artefacts.first).text
    let namespace = try Namespace("deep-\(variant)")
    _ = try namespace.run("ip6tables-\(variant)-restore", input: text)
  }
}
