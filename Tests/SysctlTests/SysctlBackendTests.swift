import Firewalls
import Packets
import Policies
import Syntax
import Testing

@testable import Sysctl

@Suite struct SysctlBackendTests {
  private func text(_ listening: [Traffic]) throws -> String {
    var firewall = Firewall(
      host: ID(0), name: "web1", addresses: AddressSet(), rejects: false, logDenied: nil, pingOpen: true,
      ephemeral: PortRange(from: 32768, through: 60999))
    firewall.listening = listening
    let compilation = SysctlBackend.compile(firewall, sources: Sources([]))
    #expect(compilation.artefacts.map(\.path) == ["sysctl.conf"])
    return try #require(compilation.artefacts.first).text
  }

  @Test func reservesWhatLiesInside() throws {
    let text = try text([
      .ports(.tcp, PortRange(443)), .ports(.tcp, PortRange(from: 32000, through: 32770)),
      .ports(.tcp, PortRange(40000)),
      .ports(.udp, PortRange(40000)), .ports(.udp, PortRange(40001)), .ports(.sctp, PortRange(60999)),
      .icmp(type: 8, code: nil),
    ])
    #expect(text.split(separator: "\n").last == "net.ipv4.ip_local_reserved_ports = 32768-32770,40000-40001,60999")
  }

  @Test func saysThatNothingIsToReserve() throws {
    let text = try text([.ports(.tcp, PortRange(443))])
    #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") })
    #expect(text.hasSuffix("\n"))
  }
}
