import Firewalls
import Packets
import Support
import Syntax
import Testing

@testable import Iptables

/// Bugs planted one by one into what was emitted: the proof finds each.
@Suite struct PlantedBugTests {
  /// Which output is changed.
  struct Place: Sendable {
    /// The family of the text.
    var family: AddressFamily
    /// `true` iff the firewall answers what it refuses.
    var rejects: Bool
  }

  /// Returns the bug by which `old`, in the first line with `line` and it, becomes `new`, or by which the line is lost.
  private static func bug(
    _ name: String, _ line: String, _ old: String? = nil, _ new: String = "", family: AddressFamily = .ipv4,
    rejects: Bool = false
  ) -> PlantedBug<Place> { PlantedBug(name, in: Place(family: family, rejects: rejects), line: line, old, new) }

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

  static let bugs: [PlantedBug<Place>] = [
    bug("source and destination swapped", "-s 203.0.113.0/24 -i eth0", "-s ", "-d "),
    bug("source too wide", "-s 203.0.113.0/24 -i eth0", "/24", "/23"),
    bug("source too narrow", "-s 203.0.113.0/24 -i eth0", "/24", "/25"),
    bug("source lost", "-s 203.0.113.0/24 -i eth0", "-s 203.0.113.0/24 ", ""),
    bug("interface lost", "-s 203.0.113.0/24 -i eth0", "-i eth0 ", ""),
    bug("wrong interface", "-s 203.0.113.0/24 -i eth0", "eth0", "eth1"),
    bug("interface with any end", "-s 203.0.113.0/24 -i eth0", "eth0", "eth+"),
    bug("negation lost", "! -i eth2", "! ", ""),
    bug("wrong port", "--dport 22 ", "22", "23"),
    bug("range one longer", "--dport 9000:9010", "9010", "9011"),
    bug("range one later", "--dport 9000:9010", "9000", "9001"),
    bug("address range one longer", "198.51.100.5-198.51.100.77", ".77", ".78"),
    bug("address range one later", "198.51.100.5-198.51.100.77", ".5-", ".6-"),
    bug(
      "wrong protocol", "--dport 80 -m comment --comment \"s2", "-p tcp -m tcp", "-p udp -m udp"),
    bug("lost opening", "--dport 80 -m comment --comment \"s2", nil),
    bug("lost block", "HOST-JUDGE -s 198.51.100.66/32", nil),
    bug(
      "block of another protocol", "HOST-JUDGE -s 192.0.2.128/25", "-p tcp -m tcp",
      "-p udp -m udp"),
    bug(
      "listening port opened", "-A PORTCULLIS-DELIVERED -m conntrack", "-A",
      "-A PORTCULLIS-HOST -p tcp -m tcp --dport 8443 -g PORTCULLIS-ADMIT\n-A"),
    bug(
      "mark test lost", "-A PORTCULLIS-DELIVERED -m mark --mark 0x1000000/0x1000000",
      "-m mark --mark 0x1000000/0x1000000", "-p tcp -m tcp --dport 1"),
    bug("established refused", "-A PORTCULLIS-ARRIVING -m conntrack --ctstate RELATED,ESTABLISHED"),
    bug("related refused", "-A PORTCULLIS-ARRIVING -m conntrack --ctstate RELATED", "RELATED,"),
    bug("loopback refused", "-A PORTCULLIS-ARRIVING -i lo"),
    bug(
      "invalid accepted", "-A PORTCULLIS-ARRIVING -m conntrack --ctstate INVALID", "DROP",
      "RETURN"),
    bug("broadcast not judged", "-A PORTCULLIS-ARRIVING -m addrtype", "BROADCAST,"),
    bug("translation lost", "--to-destination :8443"),
    bug("wrong target port", "--to-destination :8443", "8443", "8444"),
    bug("wrong distance", "40000-40009/30000", "/30000", "/30001"),
    bug("wrong target", "192.0.2.2:70", "192.0.2.2", "192.0.2.3"),
    bug("target lost", "192.0.2.1:70"),
    bug(
      "no chance for the last target", "192.0.2.1:70",
      "-m statistic --mode random --probability 0.50000000000 "),
    bug("limit lost", "--limit 5/sec", "-m limit --limit 5/sec --limit-burst 7 "),
    bug("wrong limit", "--limit 5/sec", "5/sec", "50/sec"),
    bug("wrong burst", "--limit 5/sec", "burst 7", "burst 70"),
    bug("limit of everybody", "--hashlimit-mode srcip", "--hashlimit-mode srcip "),
    bug("end lost", "--datestop", "-m time --datestop 2027-03-31T23:59:59 "),
    bug("a day too long", "--datestop", "2027-03-31", "2027-04-01"),
    bug("wrong message", "--icmp-type 13", "13", "14"),
    bug("service bound to no address", "-d 10.0.0.2/32", "-d 10.0.0.2/32 "),
    bug("service bound to another address", "-d 10.0.0.2/32", "10.0.0.2", "10.0.0.1"),
    bug("masquerade lost", "-j MASQUERADE"),
    bug("everything masqueraded", "-j MASQUERADE", "-m mark --mark 0x8000000/0x8000000 "),
    bug("transit from elsewhere", "-s 10.0.0.0/8 -i eth1 -o eth0 -m comment", "-i eth1 "),
    bug("transit to elsewhere", "-s 10.0.0.0/8 -i eth1 -o eth0 -m comment", "-o eth0 "),
    bug("transit to another network", "-d 10.5.0.0/16", "10.5.0.0/16", "10.4.0.0/15"),
    bug("transit not judged", "-I FORWARD -j PORTCULLIS-ROUTED"),
    bug("nothing judged", "-I PREROUTING -j PORTCULLIS-ARRIVING"),
    bug("departures not judged", "-I OUTPUT -j PORTCULLIS-DEPARTING"),
    bug("wrong departure", "--dport 5432", "5432", "5433"),
    bug("network lost of many", "-A PORTCULLIS-FROM-", nil),
    bug("jump instead of goto", "-j PORTCULLIS-FROM", "-j ", "-g "),
    bug(
      "accepted in the wrong chain", "-A PORTCULLIS-ADMIT -j MARK", "0x1000000/0x1000000",
      "0x2000000/0x2000000"),
    bug("hop limit not looked at", "--icmpv6-type 134", "-m hl --hl-eq 255 ", family: .ipv6),
    bug("forgotten network of the other family", "-s 2001:db8:10::/48", family: .ipv6),
    bug("link-local lost", "-s fe80::/10", "-s fe80::/10 ", family: .ipv6),
    bug(
      "dropped instead of rejected", "-j REJECT --reject-with icmp",
      "-j REJECT --reject-with icmp-port-unreachable", "-j DROP", rejects: true),
    bug("refusal lost", "-A PORTCULLIS-CLOSE", rejects: true),
  ]

  @Test func bugsAreManyAndDifferent() { PlantedBug.expectManyDifferent(Self.bugs) }

  @Test(arguments: bugs) func bugIsFound(bug: PlantedBug<Place>) throws {
    let firewall = Self.sample(rejects: bug.place.rejects)
    let text = try ProofTests.text(firewall, bug.place.family)
    let changed = try bug.planted(in: text)
    #expect(changed != text)
    let difference = try ProofTests.difference(changed, bug.place.family, from: firewall)
    #expect(difference != nil, "\(bug.name)\n\(changed)")
  }

  @Test(arguments: AddressFamily.allCases, [false, true]) func soundSampleIsProved(
    family: AddressFamily, rejects: Bool
  ) throws {
    let firewall = Self.sample(rejects: rejects)
    let difference = try ProofTests.difference(ProofTests.text(firewall, family), family, from: firewall)
    #expect(difference == nil)
  }
}
