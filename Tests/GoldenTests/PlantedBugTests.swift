import Driver
import Firewalls
import Nftables
import Policies
import Support
import Testing

/// Bugs of a compiler, planted one by one into rulesets that it made: the proof finds each, with a packet that fares
/// differently.
@Suite struct PlantedBugTests {
  /// The golden folder, and the host whose ruleset is changed.
  struct Place: Sendable {
    var golden: String
    var host: String
  }

  /// Returns the bug by which the first `text` in the ruleset of a golden host becomes `replacement`.
  private static func bug(
    _ name: String, _ golden: String, _ host: String, _ text: String, _ replacement: String
  ) -> PlantedBug<Place> { PlantedBug(name, in: Place(golden: golden, host: host), text, replacement) }

  static let bugs: [PlantedBug<Place>] = [
    bug(
      "source and destination swapped, IPv4", "01-web-server", "web1", "ip saddr 203.0.113.0/26",
      "ip daddr 203.0.113.0/26"),
    bug(
      "source and destination swapped, IPv6", "01-web-server", "web1", "ip6 saddr 2001:db8:10::/56",
      "ip6 daddr 2001:db8:10::/56"),
    bug(
      "destination and source swapped on the way out", "34-egress", "app1", "ip daddr 192.0.2.20", "ip saddr 192.0.2.20"
    ),
    bug("IPv6 forgotten", "01-web-server", "web1", "ipv4 : jump host_ip, ipv6 : jump host_ip6", "ipv4 : jump host_ip"),
    bug("IPv4 forgotten", "25-one-family", "web1", "ipv4 : jump host_ip, ipv6 : jump host_ip6", "ipv6 : jump host_ip6"),
    bug(
      "one family's rule for both", "25-one-family", "single", "meta nfproto vmap { ipv6 : jump host_ip6 }\n",
      "meta l4proto tcp th dport 8006 accept\n"),
    bug(
      "essentials of IPv6 forgotten", "01-web-server", "web1", "ipv4 : jump essentials_ip, ipv6 : jump essentials_ip6",
      "ipv4 : jump essentials_ip"),
    bug(
      "a range of addresses begins one late", "20-spoofed-sources", "web2", "10.9.0.0-255.255.255.255 . tcp . 443",
      "10.9.0.1-255.255.255.255 . tcp . 443"),
    bug(
      "a range of addresses ends one early", "20-spoofed-sources", "web2", "0.0.0.0-10.7.255.255 . tcp . 443",
      "0.0.0.0-10.7.255.254 . tcp . 443"),
    bug(
      "a range of IPv6 addresses ends one late", "25-one-family", "web1", "::-2001:db8:f:ffff:ffff:ffff:ffff:ffff",
      "::-2001:db8:10::"),
    bug(
      "a range of IPv6 addresses begins one early", "25-one-family", "web1", "2001:db8:11::-ffff",
      "2001:db8:10:ffff:ffff:ffff:ffff:ffff-ffff"),
    bug("a range of ports begins one early", "27-tcp-and-udp", "ns1", "th dport 7015-7017", "th dport 7014-7017"),
    bug("a range of ports ends one early", "27-tcp-and-udp", "ns1", "th dport 7015-7017", "th dport 7015-7016"),
    bug("a range of ports ends one late", "27-tcp-and-udp", "ns1", "udp th dport 7015-7017", "udp th dport 7015-7018"),
    bug("a block is missing", "33-router", "gw1", "\t\tmeta nfproto vmap { ipv4 : jump blocks_ip }\n", ""),
    bug(
      "a block of one port is missing", "33-router", "gw1",
      "ip saddr 10.0.0.41 meta l4proto tcp th dport 22 counter goto refuse",
      "ip saddr 10.0.0.41 meta l4proto tcp th dport 22 counter"),
    bug(
      "a block of a service refuses transit too", "33-router", "gw1",
      "\t\tmeta nfproto vmap { ipv4 : jump blocks_ip }\n",
      "\t\tmeta nfproto vmap { ipv4 : jump blocks_ip }\n\t\tmeta nfproto vmap { ipv4 : jump host_blocks_ip }\n"),
    bug(
      "an exclusion is lost", "26-exclusion", "web1", "ip saddr 203.0.113.64/26 meta l4proto tcp th dport 8002",
      "ip saddr 203.0.113.0/25 meta l4proto tcp th dport 8002"),
    bug(
      "an exclusion by ranges is lost", "20-spoofed-sources", "web1",
      "ip saddr 10.9.0.0-255.255.255.255 meta l4proto tcp th dport 443",
      "ip saddr 10.8.0.0-255.255.255.255 meta l4proto tcp th dport 443"),
    bug(
      "the listening port is open", "21-blocks", "web1", "meta l4proto tcp th dport 443 counter accept",
      "meta l4proto tcp th dport 8443 counter accept"),
    bug(
      "the listening port is open as well", "31-reject", "web1", "\t\tgoto refuse\n",
      "\t\tmeta l4proto tcp th dport 8443 accept\n\t\tgoto refuse\n"),
    bug(
      "what is routed on passes for the host's own", "33-router", "gw1",
      "fib daddr type { local, broadcast, multicast, anycast } goto host", "goto host"),
    bug(
      "broadcasts are not the host's", "30-broadcast", "box1",
      "fib daddr type { local, broadcast, multicast, anycast } goto host",
      "fib daddr type { local, multicast, anycast } goto host"),
    bug(
      "what is routed on is translated", "33-router", "gw1",
      "fib daddr type { local, broadcast, multicast, anycast } goto translate", "goto translate"),
    bug(
      "accepted instead of refused", "33-router", "gw1", "ip saddr 203.0.113.66 counter goto refuse",
      "ip saddr 203.0.113.66 counter accept"),
    bug(
      "the end of a chain is open", "34-egress", "app1", "ipv6 : jump departures_ip6 }\n\t\tgoto refuse",
      "ipv6 : jump departures_ip6 }\n\t\taccept"),
    bug("TCP instead of UDP", "27-tcp-and-udp", "ns1", "meta l4proto udp th dport 53", "meta l4proto tcp th dport 53"),
    bug("every protocol instead of TCP", "01-web-server", "web1", "meta l4proto tcp th dport 80", "th dport 80"),
    bug("UDP instead of TCP in a set", "04-database", "db1", "10.0.0.21 . tcp . 5432", "10.0.0.21 . udp . 5432"),
    bug("an end is forgotten", "22-until", "web1", "meta time < 1769904000 counter accept", "counter accept"),
    bug("an end is a second late", "22-until", "web1", "meta time < 2145916800", "meta time < 2145916801"),
    bug("an end is a second early", "22-until", "web1", "meta time < 2145916800", "meta time < 2145916799"),
    bug(
      "the end of a block is forgotten", "21-blocks", "web1", "meta time < 1769904000 counter goto refuse",
      "counter goto refuse"),
    bug(
      "ends are exchanged", "22-until", "web1",
      "198.51.100.0 . tcp . 9443 comment \"site policy.port:13\" : jump when1",
      "198.51.100.0 . tcp . 9443 comment \"site policy.port:13\" : jump when2"),
    bug(
      "a limit is forgotten", "24-limits", "web1", "limit rate 1/minute burst 8 packets counter accept",
      "counter accept"),
    bug(
      "a limit is higher", "24-limits", "web1", "limit rate 1/minute burst 8 packets",
      "limit rate 1/second burst 8 packets"),
    bug(
      "a burst is larger", "24-limits", "web1", "limit rate 1/minute burst 3 packets",
      "limit rate 1/minute burst 4 packets"),
    bug(
      "a limit per source is one for all", "24-limits", "web1",
      "update @when1_ip { ip saddr . meta l4proto . th dport limit rate 1/minute burst 5 packets }",
      "limit rate 1/minute burst 5 packets"),
    bug(
      "echo requests without a limit", "01-web-server", "web1",
      "icmp type 8 limit rate 50/second burst 100 packets accept", "icmp type 8 accept"),
    bug(
      "the wrong interface", "33-router", "gw1", "iifname vmap { \"eth1\" : jump transit_in1",
      "iifname vmap { \"eth0\" : jump transit_in1"),
    bug("an interface is forgotten", "33-router", "gw1", "iifname vmap { \"eth1\" : jump host_in1 }", "jump host_in1"),
    bug(
      "an interface where it must not be", "20-spoofed-sources", "web1",
      "iifname != { \"eth0\", \"eth1\" } jump host_in3", "iifname != { \"eth1\" } jump host_in3"),
    bug(
      "forwarded to another port", "33-router", "gw1", "tcp . 443 : 10.0.0.10 . 8443", "tcp . 443 : 10.0.0.10 . 8444"),
    bug("forwarded to another address", "33-router", "gw1", "tcp . 25 : 10.0.0.25 . 25", "tcp . 25 : 10.0.0.26 . 25"),
    bug(
      "not forwarded", "02-router", "gw1",
      "\t\tmeta l4proto tcp dnat ip6 to meta l4proto . th dport map @forwards_to_ip6\n", ""),
    bug("redirected to another port", "27-tcp-and-udp", "ns1", "udp . 7016 : 27016", "udp . 7016 : 27017"),
    bug("not redirected", "27-tcp-and-udp", "ns1", "\t\t\ttcp . 7017 : 27017,\n", ""),
    bug(
      "redirected over TCP alone", "27-tcp-and-udp", "ns1", "meta l4proto { tcp, udp } dnat", "meta l4proto tcp dnat"),
    bug("not masqueraded", "33-router", "gw1", "\t\tmasquerade\n", ""),
    bug(
      "one network is not masqueraded", "02-router", "gw1", "ipv4 : jump leaving_in1_ip, ipv6 : jump leaving_in1_ip6",
      "ipv4 : jump leaving_in1_ip"),
    bug(
      "guests are masqueraded on a wrong port", "33-router", "gw1", "th dport 443 counter goto hide",
      "th dport 22 counter goto hide"),
    bug("invalid packets go on", "01-web-server", "web1", ", invalid : goto invalid", ""),
    bug("invalid packets are accepted", "01-web-server", "web1", "invalid : goto invalid", "invalid : accept"),
    bug("answers are refused", "01-web-server", "web1", "\t\tct state established accept\n", ""),
    bug(
      "related packets are refused", "34-egress", "app1", "\t\tct state related accept\n", ""),
    bug("loopback is closed", "01-web-server", "web1", "\t\tiif \"lo\" accept\n", ""),
    bug("loopback is closed on the way out", "34-egress", "app1", "\t\toif \"lo\" accept\n", ""),
    bug(
      "neighbours from afar", "01-web-server", "web1", "icmpv6 type { 133, 134, 135, 136 } ip6 hoplimit 255 accept",
      "icmpv6 type { 133, 134, 135, 136 } accept"),
    bug("the hop limit is one too low", "01-web-server", "web1", "ip6 hoplimit 255", "ip6 hoplimit 254"),
    bug("neighbour solicitation is forgotten", "01-web-server", "web1", "133, 134, 135, 136", "133, 134, 136"),
    bug("errors of paths are refused", "28-icmp", "web1", "icmp type { 3, 11, 12 }", "icmp type { 11, 12 }"),
    bug("another message", "28-icmp", "web1", "icmp type 13", "icmp type 14"),
    bug(
      "DHCPv6 from anybody", "01-web-server", "web1", "ip6 saddr fe80::/10 meta l4proto udp",
      "meta nfproto ipv6 meta l4proto udp"),
    bug(
      "DHCPv6 ports are exchanged", "01-web-server", "web1", "th sport 547 th dport 546", "th sport 546 th dport 547"),
    bug(
      "an element is missing", "04-database", "db1", "\t\t\t10.0.0.22 . tcp . 5432 comment \"db policy.port:18\",\n", ""
    ),
    bug(
      "an element too many", "04-database", "db1", "\t\t\t10.0.0.22 . tcp . 5432 comment \"db policy.port:18\",\n",
      "\t\t\t10.0.0.22 . tcp . 5432 comment \"db policy.port:18\",\n\t\t\t10.0.0.23 . tcp . 5432,\n"),
    bug("a prefix one bit short", "01-web-server", "web1", "203.0.113.0/26", "203.0.113.0/25"),
    bug("a prefix one bit long", "01-web-server", "web1", "2001:db8:10::/56", "2001:db8:10::/57"),
    bug("a mask one bit short", "22-until", "web1", "ip saddr & 255.255.255.0", "ip saddr & 255.255.254.0"),
    bug(
      "a jump where nothing may come back", "01-web-server", "web1", "th dport 443 counter accept",
      "th dport 443 jump transit"),
    bug(
      "a chain is gone to that must come back", "20-spoofed-sources", "web1", "\t\tjump host_in2\n",
      "\t\tgoto host_in2\n"),
    bug("transit is looked at as if it were the host's", "33-router", "gw1", "\t\tgoto transit\n", "\t\tgoto host\n"),
    bug(
      "an opening before the block", "21-blocks", "web1",
      "\t\tmeta nfproto vmap { ipv4 : jump host_blocks_ip }\n\t\tmeta l4proto tcp th dport 443 counter accept comment \"site policy.port:12\"\n",
      "\t\tmeta l4proto tcp th dport 443 counter accept comment \"site policy.port:12\"\n\t\tmeta nfproto vmap { ipv4 : jump host_blocks_ip }\n"
    ),
    bug(
      "the block before loopback", "20-spoofed-sources", "web1", "\t\tiif \"lo\" accept\n",
      "\t\tmeta nfproto vmap { ipv4 : jump blocks_ip }\n\t\tiif \"lo\" accept\n"),
    bug(
      "the state after the openings", "34-egress", "db1",
      "\t\tct state vmap { related : accept, invalid : goto invalid }\n\t\tiif \"lo\" accept\n",
      "\t\tiif \"lo\" accept\n\t\tct state vmap { related : accept, invalid : goto invalid }\n"),
    bug(
      "a case leads to the wrong chain", "33-router", "gw1", "\"eth2\" : jump transit_in2",
      "\"eth2\" : jump transit_in1"),
    bug(
      "cases lead crosswise", "33-router", "gw1", "\"eth1\" : jump transit_in1, \"eth2\" : jump transit_in2",
      "\"eth1\" : jump transit_in2, \"eth2\" : jump transit_in1"),
    bug("dropped instead of rejected", "31-reject", "web1", "\t\treject with icmpx admin-prohibited\n", "\t\tdrop\n"),
    bug(
      "rejected instead of dropped", "01-web-server", "web1", "\tchain refuse {\n\t\tcounter\n\t\tdrop",
      "\tchain refuse {\n\t\tcounter\n\t\treject with icmpx admin-prohibited"),
    bug(
      "the chain is at no hook", "01-web-server", "web1",
      "\t\ttype filter hook prerouting priority -150; policy accept;\n", ""),
    bug(
      "the chain for departures stands at another hook", "34-egress", "app1", "type filter hook output",
      "type filter hook postrouting"),
    bug(
      "translated before it is judged", "21-blocks", "web1", "type nat hook prerouting priority -101",
      "type nat hook prerouting priority -160"),
  ]

  @Test func bugsAreManyAndDifferent() {
    PlantedBug.expectManyDifferent(Self.bugs)
  }

  @Test(arguments: bugs) func isFound(bug: PlantedBug<Place>) async throws {
    let pipeline = try await GoldenTests.pipeline(of: bug.place.golden)
    let index = try #require(pipeline.firewalls.firstIndex { $0.name == bug.place.host })
    let firewall = pipeline.firewalls[index]
    var artefacts = await pipeline.compile(ID<Policies.Host>(index), to: NftablesBackend.self).artefacts
    artefacts[0].text = try bug.planted(in: artefacts[0].text)
    let proof = try #require(Prover(firewall).prove(artefacts, of: NftablesBackend.self))
    #expect(proof.failure == nil)
    let difference = try #require(proof.difference, "nothing was found")
    #expect(!difference.packet.isEmpty && difference.policy != difference.files)
  }
}
