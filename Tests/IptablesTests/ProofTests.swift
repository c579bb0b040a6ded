import Firewalls
import Packets
import Support
import Syntax
import Testing

@testable import Iptables

/// What is emitted means what the firewall means, and what is broken on purpose does not.
@Suite struct ProofTests {
  /// Returns a packet, in words, that `text` and `firewall` treat differently, or nothing if there is none.
  static func difference(_ text: String, _ family: AddressFamily, from firewall: Firewall) throws -> String? {
    let universe = Universe()
    let wanted = try firewall.meaning(in: universe)
    let ruleset = try ForeignRuleset(text, family, in: universe)
    #expect(ruleset.problems.isEmpty && ruleset.unknown.isEmpty, "\(ruleset.problems) \(ruleset.unknown)")
    let found = try ruleset.chains.meaning(in: universe)
    let about = try universe.space.set(.family, in: universe.space.value(family.number, of: .family))
    let differing = try wanted.restricted(to: about).differing(from: found.restricted(to: about))
    guard let packet = try universe.example(of: differing) else { return nil }
    let rules = try ruleset.chains.trace(packet, in: universe).map(\.text).joined(separator: "\n")
    return "\(universe.text(of: packet)): \(wanted.fate(of: packet)), but \(found.fate(of: packet)) by\n\(rules)"
  }

  static func text(_ firewall: Firewall, _ family: AddressFamily) throws -> String {
    let compilation = (family == .ipv4 ? IPv4Backend.compile : IPv6Backend.compile)(firewall, testSources)
    #expect(compilation.diagnostics.allSatisfy { $0.severity != .error })
    return try #require(compilation.artefacts.first).text
  }

  @Test(arguments: Worlds.batches(of: 250)) func outputMeansTheFirewall(batch: Int) throws {
    var proved = 0
    for seed in Worlds.seeds(of: batch) {
      var maker = FirewallMaker(seed: seed + 9000)
      let firewall = maker.firewall()
      for family in AddressFamily.allCases {
        let compilation = (family == .ipv4 ? IPv4Backend.compile : IPv6Backend.compile)(firewall, testSources)
        // Two limited openings may send one packet to two places, which is refused.
        let errors = Set(compilation.diagnostics.filter { $0.severity == .error }.map(\.code))
        guard errors != ["iptables-translation"] else { continue }
        #expect(errors.isEmpty, "seed \(seed), \(family)")
        let text = try #require(compilation.artefacts.first).text
        let difference = try Self.difference(text, family, from: firewall)
        #expect(difference == nil, "seed \(seed), \(family)")
        proved += 1
      }
    }
    #expect(proved > Worlds.batch, "\(proved) proved")
  }

  /// Ranges that are translated meet single ports and each other, in more openings than one chain asks.
  @Test(arguments: AddressFamily.allCases, [false, true]) func contestedPortsAreTranslatedInOrder(
    family: AddressFamily, isLimited: Bool
  ) throws {
    var firewall = FirewallMaker.empty
    let office = Reach(blocks("10.0.0.0/16", "2001:db8::/48"))
    func open(_ lower: UInt16, _ upper: UInt16, _ reach: Reach, _ port: UInt16?, limit: Limit? = nil) {
      firewall.openings.append(
        Opening(
          sources: [reach], destinations: nil, traffic: .ports(.tcp, PortRange(from: lower, through: upper)),
          translation: port.map { .redirect(to: $0) }, limit: limit, cause: cause("s", line: Int(lower))))
    }
    for port in 100..<140 as Range<UInt16> { open(port, port, office, port % 3 == 0 ? nil : port + 2000) }
    open(105, 130, .everywhere, 5105)
    open(110, 120, office, 6110)
    open(111, 112, .everywhere, nil)
    open(111, 125, .everywhere, 7111)
    if isLimited { open(104, 135, .everywhere, 8104, limit: Limit(Rate(5, per: .second))) }
    firewall.openings.sort { $0.traffic < $1.traffic }
    let difference = try Self.difference(Self.text(firewall, family), family, from: firewall)
    #expect(difference == nil)
  }
}
