import Firewalls
import Foundation
import Packets
import Support
import Testing

@testable import Iptables

/// What rules of others mean, as their documentation says.
@Suite struct ForeignMeaningTests {
  private struct Dump {
    let universe = Universe()
    let unknown: [String]
    let meaning: Meaning

    init(_ name: String) throws {
      let text = try String(contentsOf: golden("foreign/\(name).save"), encoding: .utf8)
      let ruleset = try ForeignRuleset(text, name.hasSuffix("v6") ? .ipv6 : .ipv4, in: universe)
      #expect(ruleset.problems.isEmpty)
      unknown = ruleset.unknown.map(\.words)
      meaning = try ruleset.chains.meaning(in: universe)
    }

    /// Returns the fates that a first packet to `port` of `destination` may have, whatever is unknown.
    func fates(
      to destination: String, _ port: UInt16, from source: String = "198.51.100.9", on interface: String = "eth0",
      leaving: String? = nil, _ kind: AddressKind = .local, _ transport: TransportProtocol = .tcp
    ) throws -> Set<String> {
      let packet = Packet(
        interface: interface, source: address(source), destination: address(destination), transport: transport,
        sourcePort: 50_000, destinationPort: port)
      return try meaning.fates(of: packet, departing: leaving, to: kind)
    }
  }

  @Test func docker() throws {
    let dump = try Dump("docker.v4")
    #expect(dump.unknown.isEmpty)
    // A published port leads to the container, from everywhere.
    #expect(
      try dump.fates(to: "192.0.2.1", 8080, leaving: "docker0") == ["accept, forwarded to 172.17.0.2 port 80"])
    // One that is published on loopback alone does not; `INPUT` is open, though.
    #expect(try dump.fates(to: "192.0.2.1", 5432) == ["accept"])
    // Straight to the container, by a route to its network.
    #expect(try dump.fates(to: "172.17.0.2", 80, leaving: "docker0", .elsewhere) == ["accept"])
    #expect(try dump.fates(to: "172.17.0.2", 81, leaving: "docker0", .elsewhere) == ["drop"])
    // From a container to the world, and to the other network.
    #expect(
      try dump.fates(to: "192.0.2.9", 443, from: "172.17.0.2", on: "docker0", leaving: "eth0", .elsewhere)
        == ["accept, masqueraded"])
    #expect(
      try dump.fates(
        to: "172.18.0.3", 5432, from: "172.17.0.2", on: "docker0", leaving: "br-5f2c91a1e0b4", .elsewhere) == ["drop"])
  }

  @Test func kubeProxy() throws {
    let dump = try Dump("kube-proxy.v4")
    #expect(Set(dump.unknown.map { $0.split(separator: " ")[0] }) == ["nfacct"])
    let targets = "10.244.0.4 or 10.244.1.5 or 10.244.2.6 port 8080"
    #expect(
      try dump.fates(to: "192.0.2.1", 30_080, leaving: "cni0") == ["accept, forwarded to \(targets), masqueraded"])
    #expect(
      try dump.fates(to: "10.96.0.20", 80, from: "10.244.3.7", on: "cni0", leaving: "cni0", .elsewhere)
        == ["accept, forwarded to \(targets)"])
    // A pod that chance leads back to itself is masqueraded.
    #expect(
      try dump.fates(to: "10.96.0.20", 80, from: "10.244.1.5", on: "cni0", leaving: "cni0", .elsewhere)
        == ["accept, forwarded to \(targets)", "accept, forwarded to \(targets), masqueraded"])
    #expect(try dump.fates(to: "10.96.0.30", 80, leaving: "cni0", .elsewhere) == ["reject"])
    #expect(try dump.fates(to: "127.0.0.1", 22) == ["drop"])
  }

  @Test(arguments: ["ufw.v4", "ufw.v6", "firewalld.v4", "firewalld.v6", "mixed.v4"])
  func everyDumpHasAMeaning(name: String) throws {
    let dump = try Dump(name)
    #expect(!dump.meaning.verdicts.isEmpty)
    let expected: [String: Set<String>] = [
      "ufw.v4": ["recent"], "ufw.v6": ["recent", "rt"], "firewalld.v4": [], "firewalld.v6": ["rpfilter"],
    ]
    let words = Set(dump.unknown.compactMap { $0.split(separator: " ").first.map(String.init) })
    if let expected = expected[name] { #expect(words == expected) }
  }
}
