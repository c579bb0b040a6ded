// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Support
import Syntax
import Testing

/// What the kernel makes of translations, refusals and what is routed on.
@Suite struct PacketTests {
  static let hosts = """
    host web1
    link eth0 192.0.2.10/24 192.0.2.11/32 2001:db8::10/64 2001:db8::11/128
    link eth1 10.0.0.1/24 fd00::1/64
    link docker0 172.17.0.1/16
    forward
    peer client on eth0 203.0.113.9 203.0.113.10 203.0.113.11 203.0.113.12 2001:db8:10::9
    peer inside on eth1 10.0.0.5 10.0.0.6 fd00::5
    peer container on docker0 172.17.0.2
    listen web1 8443/tcp 8443/udp at 192.0.2.11
    listen web1 8443/tcp at 2001:db8::11
    listen web1 9001/tcp 7001/tcp 7002/tcp 22/tcp
    listen inside 8080/tcp 8081/tcp 22/tcp
    listen container 80/tcp
    listen client 80/tcp 81/tcp
    translate 443/tcp to 172.17.0.2 80
    translate 8082/tcp to 172.17.0.2 80
    translate 8083/tcp to 172.17.0.2 80

    """

  private func check(_ questions: String, _ firewall: Firewall) throws {
    let lab = try Lab(parsing: PacketTests.hosts + questions, file: "nftables.lab")
    let report = try runLab(lab, ruleset: .nftables([ruleset(firewall)]))
    #expect(report.discrepancies.isEmpty, Comment(rawValue: report.text))
    #expect(report.probes > 0)
  }

  @Test func aRedirectKeepsTheAddressAndComesBeforeOtherTranslations() throws {
    try check(
      """
      # a listener that is bound to one of two addresses is reached through that one
      from client 203.0.113.9 to 192.0.2.11 443/tcp open at 8443
      from client 203.0.113.9 to 192.0.2.11 443/udp open at 8443
      from client 2001:db8:10::9 to 2001:db8::11 443/tcp open at 8443
      from client 203.0.113.9 to 192.0.2.11 8443/tcp silent
      from client 203.0.113.9 to 192.0.2.10 9000/tcp open at 9001
      from client 203.0.113.9 to 192.0.2.10 9001/tcp silent
      # one public port, two listening ones, told apart by the source
      from client 203.0.113.10 to 192.0.2.10 7000/tcp open at 7001
      from client 203.0.113.11 to 192.0.2.10 7000/tcp open at 7002
      from client 203.0.113.12 to 192.0.2.10 7000/tcp silent
      # somebody else's translations
      from client 203.0.113.9 to 192.0.2.10 8082/tcp silent
      from client 203.0.113.9 to 192.0.2.10 8083/tcp open at 172.17.0.2 80
      """,
      .with(
        opening(.tcp(443), .redirect(to: 8443)), opening(.udp(443), .redirect(to: 8443)),
        opening(.ports(.tcp, PortRange(from: 8999, through: 9000)), at: addresses("192.0.2.10"), .redirect(to: 9000)),
        opening(.tcp(7000), to: [Reach(addresses("203.0.113.10"))], .redirect(to: 7001)),
        opening(.tcp(7000), to: [Reach(addresses("203.0.113.11"))], .redirect(to: 7002)), opening(.tcp(8083))))
  }

  @Test func aRouterForwardsAndHidesSources() throws {
    var firewall = Firewall.with(
      opening(.tcp(80), .forward(to: [Address("10.0.0.5")!, Address("fd00::5")!], port: 8080)),
      opening(.tcp(81), at: addresses("192.0.2.10"), .forward(to: [Address("10.0.0.6")!], port: 8081)),
      opening(.tcp(82), .forward(to: [Address("10.0.0.5")!, Address("10.0.0.6")!], port: 8080)))
    let lan = Reach(addresses("10.0.0.0/24", "fd00::/64"), on: .only(["eth1"]))
    firewall.passages = [
      Passage(
        sources: [lan], destinations: [Reach(.all, on: .only(["eth0"]))], traffic: [.tcp(80)], masquerade: true,
        cause: cause("transit")),
      Passage(
        sources: [Reach(addresses("203.0.113.9"))], destinations: [Reach(addresses("10.0.0.5"), on: .only(["eth1"]))],
        traffic: [.tcp(22)], cause: cause("transit", line: 2)),
    ]
    try check(
      """
      from client 203.0.113.9 to 192.0.2.10 80/tcp open at 10.0.0.5 8080
      from client 2001:db8:10::9 to 2001:db8::10 80/tcp open at fd00::5 8080
      from client 203.0.113.9 to 192.0.2.10 81/tcp open at 10.0.0.6 8081
      from client 203.0.113.9 to 192.0.2.11 81/tcp silent
      from client 203.0.113.9 to 10.0.0.5 8080/tcp silent
      from inside 10.0.0.5 to 203.0.113.9 80/tcp open seen from 192.0.2.10
      from inside fd00::5 to 2001:db8:10::9 80/tcp open seen from 2001:db8::11
      from inside 10.0.0.5 to 203.0.113.9 81/tcp silent
      from client 203.0.113.9 to 10.0.0.5 22/tcp open
      from client 203.0.113.9 to 10.0.0.6 22/tcp silent
      from client 203.0.113.10 to 10.0.0.5 22/tcp silent
      """, firewall)
    // A spread connection goes to one of two; which one is the hash's choice, and that both get some is enough.
    let both = try ["10.0.0.5", "10.0.0.6"].map { target in
      let lab = try Lab(
        parsing: PacketTests.hosts + "from client 203.0.113.9,203.0.113.10,203.0.113.11,203.0.113.12 "
          + "to 192.0.2.10 82/tcp open at \(target) 8080", file: "spread.lab")
      return try runLab(lab, ruleset: .nftables([ruleset(firewall)])).discrepancies.count
    }
    #expect(both[0] + both[1] == 4)
  }

  @Test func refusalsAreToldInPrerouting() throws {
    var firewall = Firewall.closed(rejects: true)
    firewall.openings = [opening(.tcp(22), to: [Reach(addresses("203.0.113.9", "2001:db8:10::9"))])]
    try check(
      """
      from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 22/tcp open
      from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 23/tcp refused with reset
      from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 23/udp refused with admin
      from client 203.0.113.9 to 10.0.0.5 22/tcp refused with reset
      from client 203.0.113.9 to 10.0.0.5 22/udp refused with admin
      """, firewall)
  }

  @Test func limitsBiteForEachSourceAndElseDoNot() throws {
    try check(
      """
      from client 203.0.113.9 to 192.0.2.10 22/tcp times 20 3..4
      from client 203.0.113.10 to 192.0.2.10 22/tcp times 20 3..4
      from client 203.0.113.11 to 192.0.2.10 22/tcp times 20 20..20
      """,
      .with(
        opening(.tcp(22), limit: Limit(Rate(1, per: .minute), burst: 3, perSource: true)),
        opening(.tcp(22), to: [Reach(addresses("203.0.113.11"))], line: 2)))
  }
}
