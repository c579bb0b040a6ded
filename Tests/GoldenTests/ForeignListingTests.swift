import Firewalls
import Foundation
import Nftables
import Packets
import Support
import Testing

/// What `nft -j list ruleset` printed after the real programs had made their rules: ufw 0.36.2 and firewalld 1.3.3 of
/// Debian 12, the latter with its nftables back end, and, loaded by iptables-nft, the rules of Docker and kube-proxy.
///
/// nft(8) names the extensions of iptables in them and does not tell what they match, so that each is unknown.
@Suite struct ForeignListingTests {
  /// A listing, and what it means.
  private struct Listing {
    var unknowns: [String]
    let meaning: Meaning

    init(_ name: String) throws {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Listings/\(name).json")
      let universe = Universe()
      let reading = try RulesetListing.read(String(contentsOf: file, encoding: .utf8), in: universe)
      unknowns = reading.unknowns
      meaning = try reading.chains.meaning(in: universe)
    }

    /// The names of the extensions of iptables that are unknown.
    var extensions: Set<String> {
      Set(
        unknowns.compactMap { text in
          text.firstRange(of: "\"name\":\"").map { String(text[$0.upperBound...].prefix { $0 != "\"" }) }
        })
    }

    /// What else is unknown.
    var others: [String] { unknowns.filter { !$0.contains("\"name\":\"") } }

    /// Returns the fates that a first packet to `port` may have.
    func fates(
      to destination: String = "192.0.2.10", _ port: UInt16, from source: String = "192.0.2.99",
      on interface: String = "eth0", leaving: String? = nil, _ kind: AddressKind = .local,
      _ transport: TransportProtocol = .tcp
    ) throws -> Set<String> {
      let packet = Packet(
        interface: interface, source: try #require(Address(source)), destination: try #require(Address(destination)),
        transport: transport, sourcePort: 50_000, destinationPort: port)
      return try meaning.fates(of: packet, departing: leaving, to: kind)
    }
  }

  @Test func firewalld() throws {
    let listing = try Listing("firewalld")
    // What would come back on another interface is dropped in IPv6; the routing table is not known.
    #expect(listing.unknowns.count == 1 && listing.unknowns.first?.contains("\"result\":\"oif\"") == true)
    for (own, source) in [("192.0.2.10", "192.0.2.99"), ("2001:db8::10", "2001:db8::99")] {
      let spoofed: Set<String> = source.contains(":") ? ["drop"] : []
      // The zone of eth0 is public: ssh by default, http and 8443 by hand.
      for port in [22, 80, 8443] as [UInt16] {
        #expect(try listing.fates(to: own, port, from: source) == spoofed.union(["accept"]), "\(port)")
      }
      #expect(try listing.fates(to: own, 3306, from: source) == spoofed.union(["reject"]))
      // The zone of eth1 is internal: ssh alone.
      #expect(try listing.fates(to: own, 22, from: source, on: "eth1") == spoofed.union(["accept"]))
      #expect(try listing.fates(to: own, 8443, from: source, on: "eth1") == spoofed.union(["reject"]))
    }
    // Rich rules: PostgreSQL for one network, nothing for one address.
    #expect(try listing.fates(5432, from: "203.0.113.255") == ["accept"])
    #expect(try listing.fates(5432, from: "203.0.114.0") == ["reject"])
    #expect(try listing.fates(22, from: "198.51.100.66") == ["drop"])
    #expect(try listing.fates(22, from: "198.51.100.67") == ["accept"])
    // The forwarded port, which is IPv4's.
    #expect(try listing.fates(8080) == ["accept, redirected to port 80"])
    #expect(try listing.fates(to: "2001:db8::10", 8080, from: "2001:db8::99") == ["drop", "reject"])
  }

  @Test func ufw() throws {
    let listing = try Listing("ufw")
    #expect(
      listing.extensions == ["addrtype", "conntrack", "hl", "icmp", "icmp6", "multiport", "recent", "rt"])
    #expect(listing.others == [])
    // `conntrack` is unknown, so that every packet may be of a known connection; what is not open may then be
    // accepted, and never must be.
    for (own, source) in [("192.0.2.10", "192.0.2.99"), ("2001:db8::10", "2001:db8::99")] {
      let closed = try listing.fates(to: own, 3306, from: source)
      #expect(closed.contains("drop") && closed.contains("accept"), "\(closed)")
      #expect(try listing.fates(to: own, 8080, from: source).contains("drop"))
    }
    #expect(try listing.fates(5432, from: "203.0.113.9").contains("accept"))
    #expect(try listing.fates(22, from: "198.51.100.66").contains("drop"))
  }

  @Test func docker() throws {
    let listing = try Listing("docker")
    #expect(listing.extensions == ["addrtype", "conntrack", "DNAT"] && listing.others == [])
    // The host's own ports are open, and nothing says otherwise.
    #expect(try listing.fates(22) == ["accept"])
    // A container's published port is open, whatever is unknown; another of its ports may only be part of a connection.
    #expect(try listing.fates(to: "172.17.0.2", 80, leaving: "docker0", .elsewhere) == ["accept"])
    #expect(try listing.fates(to: "172.17.0.2", 81, leaving: "docker0", .elsewhere) == ["accept", "drop"])
  }

  @Test func kubeProxy() throws {
    let listing = try Listing("kube-proxy")
    #expect(listing.extensions == ["addrtype", "conntrack", "DNAT", "MARK", "statistic", "tcp"])
    // What the target `MARK` sets is not told, so that the rules that look at marks are unknown too.
    #expect(listing.others.count == 2 && listing.others.allSatisfy { $0.contains("\"key\":\"mark\"") })
    // A service without endpoints refuses.
    #expect(try listing.fates(to: "10.96.0.30", 80, leaving: "cni0", .elsewhere).contains("reject"))
  }
}
