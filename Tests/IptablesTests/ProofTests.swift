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

  /// A change of the emitted text that a bug of the compiler could make.
  struct Mutation: CustomTestStringConvertible, Sendable {
    /// What went wrong.
    var name: String
    /// What the line has to contain.
    var line: String
    /// What is replaced in it, or nothing if the line is lost.
    var old: String?
    /// What stands there instead.
    var new = ""
    /// The family of the text.
    var family = AddressFamily.ipv4
    /// `true` iff the firewall answers what it refuses.
    var rejects = false

    var testDescription: String { name }

    /// Returns `text` with the first line that can be changed so changed.
    func applied(to text: String) -> String? {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      guard
        let place = lines.firstIndex(where: { $0.contains(line) && !$0.hasPrefix("#") && $0.contains(old ?? line) })
      else { return nil }
      if let old {
        lines[place] = lines[place].replacing(old, with: new, maxReplacements: 1)
      } else {
        lines.remove(at: place)
      }
      return lines.joined(separator: "\n")
    }
  }

  /// A firewall with something of everything that is emitted.
  static func sample(rejects: Bool) -> Firewall {
    var result = FirewallMaker.empty
    result.addresses = blocks("10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2")
    result.rejects = rejects
    result.pingOpen = true
    func open(
      _ line: Int, _ traffic: Traffic, _ sources: [Reach], to destinations: AddressSet? = nil,
      _ translation: Opening.Translation? = nil, limit: Limit? = nil, until: CalendarDate? = nil
    ) {
      result.openings.append(
        Opening(
          sources: sources, destinations: destinations, traffic: traffic, translation: translation, limit: limit,
          until: until, cause: cause("s\(line)", line: line)))
    }
    let office = Reach(blocks("203.0.113.0/24", "2001:db8:10::/48"), on: .only(["eth0"]))
    open(1, .ports(.tcp, PortRange(22)), [office])
    open(2, .ports(.tcp, PortRange(80)), [.everywhere])
    open(3, .ports(.tcp, PortRange(443)), [.everywhere], .redirect(to: 8443))
    let range = AddressRange(from: address("198.51.100.5"), through: address("198.51.100.77"))
    open(4, .ports(.tcp, PortRange(from: 9000, through: 9010)), [Reach(AddressSet([range]))])
    let many = AddressSet((0..<20).map { Prefix(containing: address("10.\($0 * 3).0.0"), length: 16) })
    open(5, .ports(.udp, PortRange(53)), [Reach(many)])
    open(6, .ports(.tcp, PortRange(8080)), [Reach(blocks("10.0.0.0/8"))], limit: Limit(Rate(5, per: .second), burst: 7))
    open(
      7, .ports(.tcp, PortRange(7000)), [.everywhere],
      .forward(to: [address("192.0.2.1"), address("192.0.2.2"), address("2001:db8:f::1")], port: 70))
    open(8, .ports(.tcp, PortRange(8888)), [.everywhere], until: CalendarDate("2027-03-31"))
    open(9, .ports(.udp, PortRange(from: 30_000, through: 30_009)), [.everywhere], .redirect(to: 40_000))
    open(10, .icmp(type: 13, code: nil), [.everywhere])
    open(11, .ports(.tcp, PortRange(3306)), [.everywhere], to: blocks("10.0.0.2", "2001:db8::2"))
    open(12, .ports(.tcp, PortRange(5000)), [Reach(.all, on: .except(["eth2"]))])
    open(
      13, .ports(.tcp, PortRange(6000)), [.everywhere],
      limit: Limit(Rate(9, per: .second), burst: 3, perSource: true))
    result.openings.sort { $0.traffic < $1.traffic }
    result.blocks = [
      Refusal(
        sources: [Reach(blocks("198.51.100.66", "2001:db8:66::/48"))], destinations: nil, traffic: nil, until: nil,
        logged: false, cause: cause("block", line: 20)),
      Refusal(
        sources: [Reach(blocks("192.0.2.128/25"))], destinations: nil, traffic: [.ports(.tcp, PortRange(80))],
        until: nil, logged: true, cause: cause("block", line: 21)),
    ]
    result.passages = [
      Passage(
        sources: [Reach(blocks("10.0.0.0/8"), on: .only(["eth1"]))], destinations: [Reach(.all, on: .only(["eth0"]))],
        traffic: nil, masquerade: true, cause: cause("transit", line: 30)),
      Passage(
        sources: [Reach(blocks("203.0.113.0/24"))], destinations: [Reach(blocks("10.5.0.0/16"), on: .only(["eth1"]))],
        traffic: [.ports(.tcp, PortRange(25))], masquerade: false, cause: cause("transit", line: 31)),
    ]
    result.departures = [
      Departure(
        destinations: blocks("10.0.0.0/8"), traffic: [.ports(.tcp, PortRange(5432))], until: nil,
        cause: cause("uses", line: 40))
    ]
    return result
  }

  static let mutations: [Mutation] = [
    .init(name: "source and destination swapped", line: "-s 203.0.113.0/24 -i eth0", old: "-s ", new: "-d "),
    .init(name: "source too wide", line: "-s 203.0.113.0/24 -i eth0", old: "/24", new: "/23"),
    .init(name: "source too narrow", line: "-s 203.0.113.0/24 -i eth0", old: "/24", new: "/25"),
    .init(name: "source lost", line: "-s 203.0.113.0/24 -i eth0", old: "-s 203.0.113.0/24 ", new: ""),
    .init(name: "interface lost", line: "-s 203.0.113.0/24 -i eth0", old: "-i eth0 ", new: ""),
    .init(name: "wrong interface", line: "-s 203.0.113.0/24 -i eth0", old: "eth0", new: "eth1"),
    .init(name: "interface with any end", line: "-s 203.0.113.0/24 -i eth0", old: "eth0", new: "eth+"),
    .init(name: "negation lost", line: "! -i eth2", old: "! ", new: ""),
    .init(name: "wrong port", line: "--dport 22 ", old: "22", new: "23"),
    .init(name: "range one longer", line: "--dport 9000:9010", old: "9010", new: "9011"),
    .init(name: "range one later", line: "--dport 9000:9010", old: "9000", new: "9001"),
    .init(name: "address range one longer", line: "198.51.100.5-198.51.100.77", old: ".77", new: ".78"),
    .init(name: "address range one later", line: "198.51.100.5-198.51.100.77", old: ".5-", new: ".6-"),
    .init(
      name: "wrong protocol", line: "--dport 80 -m comment --comment \"s2", old: "-p tcp -m tcp", new: "-p udp -m udp"),
    .init(name: "lost opening", line: "--dport 80 -m comment --comment \"s2", old: nil),
    .init(name: "lost block", line: "HOST-JUDGE -s 198.51.100.66/32", old: nil),
    .init(
      name: "block of another protocol", line: "HOST-JUDGE -s 192.0.2.128/25", old: "-p tcp -m tcp",
      new: "-p udp -m udp"),
    .init(
      name: "listening port opened", line: "-A PORTCULLIS-DELIVERED -m conntrack", old: "-A",
      new: "-A PORTCULLIS-HOST -p tcp -m tcp --dport 8443 -g PORTCULLIS-ADMIT\n-A"),
    .init(
      name: "mark test lost", line: "-A PORTCULLIS-DELIVERED -m mark --mark 0x1000000/0x1000000",
      old: "-m mark --mark 0x1000000/0x1000000", new: "-p tcp -m tcp --dport 1"),
    .init(name: "established refused", line: "-A PORTCULLIS-ARRIVING -m conntrack --ctstate RELATED,ESTABLISHED"),
    .init(name: "related refused", line: "-A PORTCULLIS-ARRIVING -m conntrack --ctstate RELATED", old: "RELATED,"),
    .init(name: "loopback refused", line: "-A PORTCULLIS-ARRIVING -i lo"),
    .init(
      name: "invalid accepted", line: "-A PORTCULLIS-ARRIVING -m conntrack --ctstate INVALID", old: "DROP",
      new: "RETURN"),
    .init(name: "broadcast not judged", line: "-A PORTCULLIS-ARRIVING -m addrtype", old: "BROADCAST,"),
    .init(name: "translation lost", line: "--to-destination :8443"),
    .init(name: "wrong target port", line: "--to-destination :8443", old: "8443", new: "8444"),
    .init(name: "wrong distance", line: "40000-40009/30000", old: "/30000", new: "/30001"),
    .init(name: "wrong target", line: "192.0.2.2:70", old: "192.0.2.2", new: "192.0.2.3"),
    .init(name: "target lost", line: "192.0.2.1:70"),
    .init(
      name: "no chance for the last target", line: "192.0.2.1:70",
      old: "-m statistic --mode random --probability 0.50000000000 "),
    .init(name: "limit lost", line: "--limit 5/sec", old: "-m limit --limit 5/sec --limit-burst 7 "),
    .init(name: "wrong limit", line: "--limit 5/sec", old: "5/sec", new: "50/sec"),
    .init(name: "wrong burst", line: "--limit 5/sec", old: "burst 7", new: "burst 70"),
    .init(name: "limit of everybody", line: "--hashlimit-mode srcip", old: "--hashlimit-mode srcip "),
    .init(name: "end lost", line: "--datestop", old: "-m time --datestop 2027-03-31T23:59:59 "),
    .init(name: "a day too long", line: "--datestop", old: "2027-03-31", new: "2027-04-01"),
    .init(name: "wrong message", line: "--icmp-type 13", old: "13", new: "14"),
    .init(name: "service bound to no address", line: "-d 10.0.0.2/32", old: "-d 10.0.0.2/32 "),
    .init(name: "service bound to another address", line: "-d 10.0.0.2/32", old: "10.0.0.2", new: "10.0.0.1"),
    .init(name: "masquerade lost", line: "-j MASQUERADE"),
    .init(name: "everything masqueraded", line: "-j MASQUERADE", old: "-m mark --mark 0x8000000/0x8000000 "),
    .init(name: "transit from elsewhere", line: "-s 10.0.0.0/8 -i eth1 -o eth0 -m comment", old: "-i eth1 "),
    .init(name: "transit to elsewhere", line: "-s 10.0.0.0/8 -i eth1 -o eth0 -m comment", old: "-o eth0 "),
    .init(name: "transit to another network", line: "-d 10.5.0.0/16", old: "10.5.0.0/16", new: "10.4.0.0/15"),
    .init(name: "transit not judged", line: "-I FORWARD -j PORTCULLIS-ROUTED"),
    .init(name: "nothing judged", line: "-I PREROUTING -j PORTCULLIS-ARRIVING"),
    .init(name: "departures not judged", line: "-I OUTPUT -j PORTCULLIS-DEPARTING"),
    .init(name: "wrong departure", line: "--dport 5432", old: "5432", new: "5433"),
    .init(name: "network lost of many", line: "-A PORTCULLIS-FROM-", old: nil),
    .init(name: "jump instead of goto", line: "-j PORTCULLIS-FROM", old: "-j ", new: "-g "),
    .init(
      name: "accepted in the wrong chain", line: "-A PORTCULLIS-ADMIT -j MARK", old: "0x1000000/0x1000000",
      new: "0x2000000/0x2000000"),
    .init(name: "hop limit not looked at", line: "--icmpv6-type 134", old: "-m hl --hl-eq 255 ", family: .ipv6),
    .init(name: "forgotten network of the other family", line: "-s 2001:db8:10::/48", family: .ipv6),
    .init(name: "link-local lost", line: "-s fe80::/10", old: "-s fe80::/10 ", family: .ipv6),
    .init(
      name: "dropped instead of rejected", line: "-j REJECT --reject-with icmp",
      old: "-j REJECT --reject-with icmp-port-unreachable", new: "-j DROP", rejects: true),
    .init(name: "refusal lost", line: "-A PORTCULLIS-CLOSE", rejects: true),
  ]

  @Test(arguments: mutations) func plantedBugIsFound(mutation: Mutation) throws {
    let firewall = Self.sample(rejects: mutation.rejects)
    let text = try Self.text(firewall, mutation.family)
    let changed = try #require(mutation.applied(to: text), "no such line in\n\(text)")
    #expect(changed != text)
    let difference = try Self.difference(changed, mutation.family, from: firewall)
    #expect(difference != nil, "\(mutation.name)\n\(changed)")
  }

  @Test(arguments: AddressFamily.allCases, [false, true]) func soundSampleIsProved(
    family: AddressFamily, rejects: Bool
  ) throws {
    let firewall = Self.sample(rejects: rejects)
    let difference = try Self.difference(Self.text(firewall, family), family, from: firewall)
    #expect(difference == nil)
  }
}
