// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Support
import Syntax
import Testing

@Suite struct TextTests {
  @Test func aSmallHostReadsLikeThis() {
    var firewall = Firewall.with(
      opening(.tcp(443), .redirect(to: 8443), name: "shop", line: 3),
      opening(.tcp(22), to: [Reach(addresses("10.0.0.0/8", "fd00::/8"), on: .only(["eth1"]))], name: "ssh", line: 7))
    firewall.logDenied = nil
    let text = ruleset(firewall)
    let expected = """
      # The firewall of web1, made by portcullis. Load it with: nft -f ruleset.nft
      table inet portcullis { }
      delete table inet portcullis
      table inet portcullis_a { }
      delete table inet portcullis_a
      table inet portcullis_b { }
      delete table inet portcullis_b
      table inet portcullis {
      \tmap redirects {
      \t\ttype inet_proto . inet_service : inet_service
      \t\tsize 16
      \t\telements = {
      \t\t\ttcp . 443 : 8443,
      \t\t}
      \t}

      \tchain host_in1_ip {
      \t\tip saddr 10.0.0.0/8 meta l4proto tcp th dport 22 counter accept comment "ssh policies/shop.port:7"
      \t}

      \tchain host_in1_ip6 {
      \t\tip6 saddr fd00::/8 meta l4proto tcp th dport 22 counter accept comment "ssh policies/shop.port:7"
      \t}

      \tchain host_in1 {
      \t\tmeta nfproto vmap { ipv4 : jump host_in1_ip, ipv6 : jump host_in1_ip6 }
      \t}

      \tchain essentials_ip {
      \t\ticmp type { 3, 11, 12 } accept
      \t\ticmp type 8 limit rate 50/second burst 100 packets accept
      \t}

      \tchain essentials_ip6 {
      \t\ticmpv6 type { 1, 2, 3, 4, 130, 131, 132, 143 } accept
      \t\ticmpv6 type { 133, 134, 135, 136 } ip6 hoplimit 255 accept
      \t\tip6 saddr fe80::/10 meta l4proto udp th sport 547 th dport 546 accept
      \t\ticmpv6 type 128 limit rate 50/second burst 100 packets accept
      \t}

      \tchain host {
      \t\tmeta l4proto tcp th dport 443 counter accept comment "shop policies/shop.port:3"
      \t\tiifname vmap { "eth1" : jump host_in1 }
      \t\tgoto refuse
      \t}

      \tchain transit {
      \t\tgoto refuse
      \t}

      \tchain judge {
      \t\tct state established accept
      \t\tct state vmap { related : accept, invalid : goto invalid }
      \t\tiif "lo" accept
      \t\tmeta nfproto vmap { ipv4 : jump essentials_ip, ipv6 : jump essentials_ip6 }
      \t\tfib daddr type { local, broadcast, multicast, anycast } goto host
      \t\tgoto transit
      \t}

      \tchain translate {
      \t\tmeta l4proto tcp dnat to :meta l4proto . th dport map @redirects
      \t}

      \tchain refuse {
      \t\tcounter
      \t\tdrop
      \t}

      \tchain invalid {
      \t\tcounter drop
      \t}

      \tchain prerouting {
      \t\ttype filter hook prerouting priority -150; policy accept;
      \t\tgoto judge
      \t}

      \tchain redirecting {
      \t\ttype nat hook prerouting priority -101; policy accept;
      \t\tfib daddr type { local, broadcast, multicast, anycast } goto translate
      \t}
      }

      """
    #expect(text == expected)
  }

  @Test(arguments: ["eth0*", "a\"b", "", "sixteen-letters-", "e th", "a/b", "..", "eth0\n", "é"])
  func whatIsNoInterfaceIsRefusedAndNotWritten(name: String) {
    let firewall = Firewall.with(opening(.tcp(22), to: [Reach(.all, on: .only([name]))], line: 4))
    let (table, diagnostics) = NftablesBackend.table(for: firewall, sources: sampleSources)
    #expect(diagnostics.map(\.code) == ["nftables-interface"])
    #expect(diagnostics.first?.severity == .error)
    #expect(sampleSources.location(of: diagnostics[0].primary.span).line == 4)
    #expect(!table.chains.contains { $0.name == "host_in1" })
  }

  @Test func limitsThatTheKernelCannotKeepAreRefused() {
    for limit in [Limit(Rate(0, per: .second)), Limit(Rate(1, per: .day), burst: .max)] {
      let (_, diagnostics) = NftablesBackend.table(
        for: .with(opening(.tcp(22), limit: limit)), sources: sampleSources)
      #expect(diagnostics.map(\.code) == ["nftables-limit"])
    }
  }

  @Test func translationsBeyondTheLastPortAreRefused() {
    let range = Traffic.ports(.tcp, PortRange(from: 1000, through: 1010))
    let (_, diagnostics) = NftablesBackend.table(
      for: .with(opening(range, .redirect(to: 65_530))), sources: sampleSources)
    #expect(diagnostics.map(\.code) == ["nftables-translation"])
  }

  @Test(arguments: [
    "a\" accept comment \"b", "line\nbreak", "back\\slash", String(repeating: "n", count: 400), "ümlaut", "$(x)`y`",
  ])
  func namesCannotLeaveTheirComments(name: String) throws {
    let firewall = Firewall.with(
      opening(.tcp(22), logged: true, name: name), opening(.tcp(23), name: name), opening(.udp(23), name: name))
    let complaint = try Kernel.complaint(about: ruleset(firewall))
    #expect(complaint == nil)
    let (table, _) = NftablesBackend.table(for: firewall, sources: sampleSources)
    let script = NftablesBackend.replacement(by: table, for: firewall)
    #expect(try Script(parsing: script.text) == script)
  }

  @Test func longPathsLoseTheirBeginning() throws {
    let sources = Sources([SourceFile(path: String(repeating: "folder/", count: 60) + "shop.port", text: "x")])
    let text = NftablesBackend.compile(.with(opening(.tcp(22))), sources: sources).artefacts[0].text
    #expect(text.contains("folder/shop.port:1\""))
    #expect(try Kernel.complaint(about: text) == nil)
  }

  @Test func aDateIsSecondsInAnyTimeZone() throws {
    let text = ruleset(.with(opening(.tcp(22), until: CalendarDate("2027-12-31")!)))
    #expect(text.contains("meta time < 1830297600 "))
    let script = """
      for zone in UTC America/New_York Asia/Kolkata; do
        TZ=$zone nft -f ruleset; TZ=$zone nft list ruleset >listed; nft flush ruleset; TZ=$zone nft -f listed
        TZ=UTC nft list ruleset | grep -o 'meta time < "[^"]*"'
      done
      """
    let result = try Kernel.run(script, input: ["ruleset": text])
    #expect(result.output == String(repeating: "meta time < \"2028-01-01 00:00:00\"\n", count: 3))
    #expect(!ruleset(.with(opening(.tcp(22), until: CalendarDate("9999-12-31")!))).contains("time"))
  }

  @Test func equalFirewallsHaveEqualText() {
    var world = RandomWorld(seed: 3)
    let firewall = world.firewall(services: 60)
    #expect(Set((0..<5).map { _ in ruleset(firewall) }).count == 1)
  }
}
