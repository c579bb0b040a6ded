import Driver
import Firewalls
import Nftables
import Packets
import Support
import Syntax
import Testing

/// What a kernel lists in JSON means what was loaded into it.
@Suite struct ListingTests {
  /// Returns the listing of a kernel, in a network namespace that ends, after `script`, a shell's, with `input`.
  static func listing(after script: String, input: String = "") throws -> String {
    let result = try run(
      ["unshare", "--net", "sh", "-ec", "\(script)\nTZ=UTC nft -j list ruleset"], input: input)
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// Returns what `ruleset`, loaded by nft(8), is listed as.
  static func listing(of ruleset: String) throws -> String { try listing(after: "nft -f -", input: ruleset) }

  /// Expects that the text of `artefacts` and its listing mean the same.
  private func expectSameMeaning(_ artefacts: [Artefact], _ name: String) throws {
    let universe = Universe()
    let reading = try #require(try NftablesBackend.read(artefacts, in: universe))
    let listed = try RulesetListing.read(Self.listing(of: artefacts[0].text), in: universe)
    #expect(listed.unknowns.isEmpty, "\(name)")
    let (wanted, found) = (try reading.chains.meaning(in: universe), try listed.chains.meaning(in: universe))
    guard let packet = try universe.example(of: wanted.differing(from: found)) else { return }
    Issue.record("\(name): \(universe.text(of: packet)): \(wanted.fate(of: packet)), listed \(found.fate(of: packet))")
  }

  @Test(arguments: try GoldenTests.names()) func listsWhatWasLoaded(name: String) async throws {
    let pipeline = try await GoldenTests.pipeline(of: name)
    for firewall in pipeline.firewalls {
      try expectSameMeaning(
        NftablesBackend.compile(firewall, sources: pipeline.sources).artefacts, firewall.name)
    }
  }

  @Test(arguments: 0..<12 as Range<UInt64>) func listsRandomRulesets(seed: UInt64) throws {
    var world = RandomWorld(seed: seed + 1000)
    var firewall = world.firewall(services: 12)
    firewall.departures = world.departures()
    try expectSameMeaning(NftablesBackend.compile(firewall, sources: RandomProofTests.sources).artefacts, "\(seed)")
  }

  /// What a foreign ruleset does with some packets.
  private struct Foreign {
    let universe = Universe()
    let reading: RulesetReading
    let meaning: Meaning

    init(_ listing: String) throws {
      reading = try RulesetListing.read(listing, in: universe)
      meaning = try reading.chains.meaning(in: universe)
    }

    /// Returns the verdict on a TCP packet to `port` from `source`, in words; `conditions` says whether what is unknown
    /// holds.
    func fate(
      _ port: UInt16, from source: String = "203.0.113.99", to destination: String = "192.0.2.10",
      on interface: String = "eth0",
      leaving: String? = nil, _ transport: TransportProtocol = .tcp, conditions: Bool = false
    ) throws -> String {
      let packet = Packet(
        interface: interface, source: try #require(Address(source)), destination: try #require(Address(destination)),
        transport: transport, sourcePort: 40_000, destinationPort: port)
      return meaning.fate(
        of: universe.values(
          of: packet, departing: leaving, to: leaving == nil ? .local : .elsewhere, at: 1_800_000_000,
          conditions: conditions))
    }
  }

  @Test(arguments: ["ab", "ba"]) func chainsOfOnePriorityAreEnteredAsTheKernelDoes(order: String) throws {
    let tables: [Character: String] = [
      "a": "table inet a { chain c { type filter hook input priority 0; meta mark set 0x1; }; }",
      "b": "table inet b { chain c { type filter hook input priority 0; meta mark 0x1 counter drop; }; }",
    ]
    let listing = try Self.listing(
      after: "nft -f -\nip link set lo up\nbash -c 'echo x > /dev/udp/127.0.0.1/9'",
      input: order.compactMap { tables[$0] }.joined(separator: "\n"))
    let wasDropped = !listing.contains("\"packets\": 0")
    #expect(try Foreign(listing).fate(9, .udp) == (wasDropped ? "drop" : "accept"))
    #expect(wasDropped == (order == "ba"), "the one that was registered last comes first")
  }

  @Test(arguments: [("80", true), ("{ 80, 443 }", false), ("80-81", false)])
  func whereSpreadConnectionsGoIsReadOfOnePortAlone(ports: String, isRead: Bool) throws {
    let file = Artefact(
      path: "spread.nft",
      text: """
        table inet portcullis {
        \tchain redirecting {
        \t\ttype nat hook prerouting priority -100; policy accept;
        \t\tmeta nfproto ipv4 meta l4proto tcp th dport \(ports) dnat ip to jhash ip saddr mod 2 seed 0x1 map { 0 : 10.0.0.11 . 8080, 1 : 10.0.0.12 . 8080 }
        \t}
        }

        """)
    let universe = Universe()
    if isRead {
      #expect(try NftablesBackend.read([file], in: universe)?.unknowns == [])
    } else {
      #expect { try NftablesBackend.read([file], in: universe) } throws: {
        "\($0)".contains("without looking at one port")
      }
    }
  }

  @Test func readsWhatNftCanSay() throws {
    let foreign = try Foreign(
      Self.listing(
        of: """
          table inet a {
            set bad { type ipv4_addr; flags interval; elements = { 203.0.113.0/26, 198.51.100.1-198.51.100.9 } }
            map ways { type inet_service : verdict; flags interval; elements = { 1-5 : accept, 7 : goto no } }
            chain no { counter drop; }
            chain marked { meta mark & 0xf0 == 0x20 return; reject; }
            chain input {
              type filter hook input priority filter; policy drop;
              ct state established,related accept
              ip saddr @bad drop
              tcp dport vmap @ways
              tcp dport 20-29 meta mark set meta mark | 0x20 counter
              tcp dport 24 meta mark set 0x10
              tcp dport 20-29 jump marked
              tcp dport { 20, 24 } accept
              tcp dport != 40-49 tcp dport > 39 tcp dport <= 60 accept
              iifname "eth*" ip6 saddr & ffff:: == 2001:: tcp dport 80 accept
              ip saddr & 255.255.0.255 == 10.1.0.1 tcp dport 81 accept
              tcp dport 82 ct direction original accept
              tcp dport 90 limit rate over 5/second drop
              tcp dport 90 accept
              meta mark set 0x1 tcp dport 91 meta mark 0x1 accept
            }
          }
          table ip b {
            chain prerouting {
              type nat hook prerouting priority dstnat;
              tcp dport 8080 redirect to :20
              tcp dport 8081-8082 dnat to 10.0.0.1
            }
            chain forward { type filter hook forward priority filter; policy drop; ct status dnat accept; }
            chain postrouting { type nat hook postrouting priority srcnat; oifname "eth1" masquerade; }
          }
          """))
    for port in [1, 5, 20, 39 + 11, 60, 90] as [UInt16] { #expect(try foreign.fate(port, conditions: true) != "drop") }
    #expect(try foreign.fate(1) == "accept")
    #expect(try foreign.fate(1, from: "203.0.113.63") == "drop")
    #expect(try foreign.fate(1, from: "203.0.113.64") == "accept")
    #expect(try foreign.fate(1, from: "198.51.100.10") == "accept")
    #expect(try foreign.fate(5) == "accept" && foreign.fate(6) == "drop" && foreign.fate(7) == "drop")
    #expect(try foreign.fate(20, from: "203.0.113.99") == "accept")
    #expect(try foreign.fate(24, from: "203.0.113.99") == "reject")
    #expect(try foreign.fate(39, from: "203.0.113.99") == "drop")
    #expect(try foreign.fate(49, from: "203.0.113.99") == "drop")
    #expect(try foreign.fate(50, from: "203.0.113.99") == "accept")
    #expect(try foreign.fate(60, from: "203.0.113.99") == "accept")
    #expect(try foreign.fate(61, from: "203.0.113.99") == "drop")
    #expect(try foreign.fate(80, from: "2001::1", to: "2001:db8::1") == "accept")
    #expect(try foreign.fate(80, from: "2002::1", to: "2001:db8::1") == "drop")
    #expect(try foreign.fate(80, from: "2001::1", to: "2001:db8::1", on: "wg0") == "drop")
    #expect(try foreign.fate(90, from: "203.0.113.99") == "drop")
    #expect(try foreign.fate(90, from: "203.0.113.99", conditions: true) == "accept")
    #expect(try foreign.fate(91, from: "203.0.113.99") == "accept")
    // What is unknown may be or not, and is named.
    for port in [81, 82] as [UInt16] {
      #expect(try foreign.fate(port, from: "203.0.113.99") == "drop")
      #expect(try foreign.fate(port, from: "203.0.113.99", conditions: true) == "accept")
    }
    #expect(foreign.reading.unknowns.count == 2, "\(foreign.reading.unknowns)")
    // Translations, and the other hooks.
    #expect(try foreign.fate(8080, from: "203.0.113.99") == "accept, redirected to port 20")
    #expect(
      try foreign.fate(8082, from: "203.0.113.99", leaving: "eth1")
        == "accept, forwarded to 10.0.0.1 port 8082, masqueraded")
    #expect(try foreign.fate(8083, from: "203.0.113.99", leaving: "eth1") == "drop")
  }

  @Test func namesWhatIptablesExtensionsDo() throws {
    let foreign = try Foreign(
      Self.listing(
        after: """
          iptables-nft -P INPUT DROP
          iptables-nft -A INPUT -p tcp --dport 22 -m comment --comment hi -j ACCEPT
          iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
          iptables-nft -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
          iptables-nft -A INPUT -p udp -j REJECT
          iptables-nft -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080
          ip6tables-nft -A INPUT -p tcp --dport 25 -j DROP
          """))
    #expect(try foreign.fate(22) == "accept")
    #expect(try foreign.fate(23) == "drop")
    #expect(try foreign.fate(23, conditions: true) == "accept")
    #expect(try foreign.fate(53, .udp) == "reject")
    #expect(try foreign.fate(25, from: "2001:db8::9", to: "2001:db8::10") == "drop")
    #expect(try foreign.fate(26, from: "2001:db8::9", to: "2001:db8::10") == "accept")
    let unknowns = foreign.reading.unknowns
    #expect(unknowns.contains { $0.contains("conntrack") } && unknowns.contains { $0.contains("multiport") })
    #expect(unknowns.contains { $0.contains("DNAT") } && !unknowns.contains { $0.contains("comment") })
  }

  /// The tables of Docker's nftables back end, for one container with a published port, as its documentation shows them
  /// (https://docs.docker.com/engine/network/firewall-nftables/).
  @Test func readsDocker() throws {
    let foreign = try Foreign(
      Self.listing(
        of: """
          table ip docker-bridges {
            map filter-forward-in-jumps { type ifname : verdict; elements = { "docker0" : jump filter-forward-in__docker0 } }
            map filter-forward-out-jumps { type ifname : verdict; elements = { "docker0" : jump filter-forward-out__docker0 } }
            map nat-postrouting-in-jumps { type ifname : verdict; elements = { "docker0" : jump nat-postrouting-in__docker0 } }
            map nat-postrouting-out-jumps { type ifname : verdict; elements = { "docker0" : jump nat-postrouting-out__docker0 } }
            chain filter-FORWARD {
              type filter hook forward priority filter; policy accept;
              oifname vmap @filter-forward-in-jumps
              iifname vmap @filter-forward-out-jumps
            }
            chain nat-OUTPUT {
              type nat hook output priority -100; policy accept;
              ip daddr != 127.0.0.0/8 fib daddr type local counter jump nat-prerouting-and-output
            }
            chain nat-POSTROUTING {
              type nat hook postrouting priority srcnat; policy accept;
              iifname vmap @nat-postrouting-out-jumps
              oifname vmap @nat-postrouting-in-jumps
            }
            chain nat-PREROUTING {
              type nat hook prerouting priority dstnat; policy accept;
              fib daddr type local counter jump nat-prerouting-and-output
            }
            chain nat-prerouting-and-output {
              iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80 comment "DNAT"
            }
            chain raw-PREROUTING {
              type filter hook prerouting priority raw; policy accept;
              ip daddr 172.17.0.2 iifname != "docker0" counter drop comment "DROP DIRECT ACCESS"
            }
            chain filter-forward-in__docker0 {
              ct state established,related counter accept
              iifname "docker0" counter accept comment "ICC"
              ip daddr 172.17.0.2 tcp dport 80 counter accept
              counter drop comment "UNPUBLISHED PORT DROP"
            }
            chain filter-forward-out__docker0 {
              ct state established,related counter accept
              counter accept comment "OUTGOING"
            }
            chain nat-postrouting-in__docker0 { }
            chain nat-postrouting-out__docker0 {
              oifname != "docker0" ip saddr 172.17.0.0/16 counter masquerade comment "MASQUERADE"
            }
          }
          """))
    #expect(foreign.reading.unknowns.isEmpty)
    let published = Packet(
      interface: "eth0", source: try #require(Address("203.0.113.9")), destination: try #require(Address("192.0.2.10")),
      transport: .tcp, sourcePort: 40_000, destinationPort: 8080)
    let universe = foreign.universe
    let values = universe.values(of: published, departing: "docker0", to: .local, at: 0, conditions: false)
    #expect(foreign.meaning.fate(of: values) == "accept, forwarded to 172.17.0.2 port 80")
    #expect(try foreign.fate(80, to: "172.17.0.2", leaving: "docker0") == "drop")
    #expect(try foreign.fate(81, to: "172.17.0.3", leaving: "docker0") == "drop")
    #expect(
      try foreign.fate(443, from: "172.17.0.2", to: "203.0.113.9", on: "docker0", leaving: "eth0")
        == "accept, masqueraded")
    #expect(try foreign.fate(8081) == "accept")
  }

  @Test func noListingStopsTheReader() async throws {
    let pipeline = try await GoldenTests.pipeline(of: "33-router")
    let listing = try Array(
      Self.listing(of: NftablesBackend.compile(pipeline.firewalls[0], sources: pipeline.sources).artefacts[0].text).utf8
    )
    var random = SeededGenerator(seed: 3)
    let pieces = [
      "\"", "{", "}", "[", "]", ",", ":", "null", "-1", "99999999999999999999", "\"@x\"", "{\"set\":[]}", "\\u12",
    ]
    var readable = 0
    for _ in 0..<400 {
      var octets = listing
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<octets.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: octets[place] = UInt8.random(in: 32...126, using: &random)
        case 1: octets.removeSubrange(place..<min(octets.count, place + Int.random(in: 1...40, using: &random)))
        case 2: octets.insert(contentsOf: Array(random.pick(pieces).utf8), at: place)
        default:
          // A word becomes another one of the listing.
          let words = String(decoding: octets, as: UTF8.self).split(separator: "\"")
          octets = Array(
            String(decoding: octets, as: UTF8.self).replacing(
              random.pick(words), with: random.pick(words), maxReplacements: 2
            )
            .utf8)
        }
      }
      let universe = Universe(space: PacketSpace(budget: 100_000))
      guard let reading = try? RulesetListing.read(String(decoding: octets, as: UTF8.self), in: universe) else {
        continue
      }
      readable += 1
      _ = try? reading.chains.meaning(in: universe)
    }
    #expect(readable > 20)
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: UnreadableRuleset.self) { try RulesetListing.read(deep, in: Universe()) }
  }
}
