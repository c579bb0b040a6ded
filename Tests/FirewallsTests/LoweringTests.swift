import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What a policy means on a host, packet by packet.
///
/// The expected answers are written by hand from the meaning of the
/// language (docs/language.md).
@Suite struct LoweringTests {
  /// 22 November 2026.
  static let today = CalendarDate(daysSinceEpoch: 20779)

  /// Returns the firewall of the host `name` of the policy `text`.
  private func firewall(_ text: String, of name: String = "h") throws -> Firewall {
    let policy = try cleanPolicy(text)
    let id = try #require(policy.hosts.firstIndex { $0.name.value == name })
    return Lowering(policy).firewall(of: ID(id))
  }

  /// Returns a packet of TCP.
  private func tcp(_ source: String, _ destination: String, _ port: UInt16, on interface: String? = nil) throws
    -> Packet
  {
    Packet(
      interface: interface, source: try #require(Address(source)), destination: try #require(Address(destination)),
      transport: .tcp, sourcePort: 40000, destinationPort: port)
  }

  /// Expects that `firewall` lets `packet` in iff `open`.
  private func expect(
    _ firewall: Firewall, _ packet: Packet, open: Bool, departing: String? = nil, on day: CalendarDate = today,
    location: SourceLocation = #_sourceLocation
  ) {
    let judgement = firewall.judge(packet, departing: departing, on: day)
    #expect((judgement.verdict == .accept) == open, "\(judgement)", sourceLocation: location)
  }

  @Test func onlyWhatIsExposedIsOpen() throws {
    let wall = try firewall(
      """
      service s { port 8443/tcp; expose to 203.0.113.0/24 }
      host h { address 192.0.2.10; runs s }
      """)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 8443), open: true)
    expect(wall, try tcp("203.0.114.9", "192.0.2.10", 8443), open: false)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 8444), open: false)
  }

  @Test func thePublicPortIsOpenAndTheListeningPortIsNot() throws {
    let wall = try firewall(
      """
      service s { port 8443/tcp; expose to internet as 443/tcp }
      host h { address 192.0.2.10, 2001:db8::10; runs s }
      """)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 443), open: true)
    expect(wall, try tcp("2001:db8:1::9", "2001:db8::10", 443), open: true)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 8443), open: false)
    #expect(wall.openings.map(\.translation) == [.redirect(to: 8443)])
    let misses = wall.nearMisses(of: try tcp("203.0.113.9", "192.0.2.10", 8443), on: Self.today)
    #expect(misses == [NearMiss(opening: 0, lacks: [.publicPort(.ports(.tcp, PortRange(443)))])])
  }

  @Test func aBoundServiceIsOpenOnItsAddressAlone() throws {
    let wall = try firewall(
      """
      service s { port 9100/tcp; expose to internet }
      host h { address 192.0.2.10, 10.0.0.10; runs s on 10.0.0.10 }
      """)
    expect(wall, try tcp("203.0.113.9", "10.0.0.10", 9100), open: true)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 9100), open: false)
  }

  @Test func aZoneIsItsAddressesOnItsInterfaces() throws {
    let wall = try firewall(
      """
      zone lan { 10.0.0.0/8 }
      zone guests { }
      service s { port 80/tcp; expose to lan }
      service g { port 81/tcp; expose to guests }
      host h { address 192.0.2.10, 10.0.0.10; interface eth0 in internet; interface eth1 in lan; interface eth2 in guests; runs s, g }
      """)
    expect(wall, try tcp("10.1.2.3", "10.0.0.10", 80, on: "eth1"), open: true)
    expect(wall, try tcp("10.1.2.3", "10.0.0.10", 80, on: "eth0"), open: false)
    expect(wall, try tcp("10.1.2.3", "10.0.0.10", 80, on: "eth2"), open: false)
    expect(wall, try tcp("192.168.7.7", "10.0.0.10", 81, on: "eth2"), open: true)
    expect(wall, try tcp("192.168.7.7", "10.0.0.10", 81, on: "eth1"), open: false)
    let misses = wall.nearMisses(of: try tcp("10.1.2.3", "10.0.0.10", 80, on: "eth0"), on: Self.today)
    #expect(misses.first?.lacks == [.interface])
  }

  @Test func aPrivateSourceOnAnInternetInterfaceIsNobodyButInternet() throws {
    let wall = try firewall(
      """
      zone vpn { 10.8.0.0/16, 203.0.113.0/24 }
      service s { port 80/tcp; expose to vpn, client }
      service open { port 81/tcp; expose to internet }
      service x { port 82/tcp; expose to internet except vpn }
      service client { port 83/tcp; expose to localhost }
      host h { address 192.0.2.10; interface eth0 in internet; runs s, open, x }
      host c { address 10.9.0.1; runs client }
      """)
    expect(wall, try tcp("10.8.0.1", "192.0.2.10", 80, on: "eth0"), open: false)
    expect(wall, try tcp("10.9.0.1", "192.0.2.10", 80, on: "eth0"), open: false)
    expect(wall, try tcp("10.9.0.1", "192.0.2.10", 80, on: "eth1"), open: true)
    expect(wall, try tcp("10.8.0.1", "192.0.2.10", 80, on: "wg0"), open: true)
    expect(wall, try tcp("203.0.113.1", "192.0.2.10", 80, on: "eth0"), open: true)
    expect(wall, try tcp("10.8.0.1", "192.0.2.10", 81, on: "eth0"), open: true)
    expect(wall, try tcp("10.8.0.1", "192.0.2.10", 82, on: "eth0"), open: false)
  }

  @Test func aZoneOfZonesKeepsTheirInterfaces() throws {
    let wall = try firewall(
      """
      zone office { 203.0.113.0/24 }
      zone guests { }
      zone people { office, guests, 198.51.100.0/24 }
      service s { port 80/tcp; expose to people }
      host h { address 192.0.2.10; interface eth2 in guests; runs s }
      """)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 80, on: "eth0"), open: true)
    expect(wall, try tcp("198.51.100.9", "192.0.2.10", 80, on: "eth0"), open: true)
    expect(wall, try tcp("192.0.2.99", "192.0.2.10", 80, on: "eth2"), open: true)
    expect(wall, try tcp("192.0.2.99", "192.0.2.10", 80, on: "eth0"), open: false)
  }

  @Test func aBlockClosesWhateverIsExposed() throws {
    let wall = try firewall(
      """
      service s { port 80/tcp; expose to internet }
      service t { port 81/tcp; expose to internet }
      host h { address 192.0.2.10; runs s, t }
      block 203.0.113.66
      block 203.0.113.67 to s
      block 203.0.113.68 until 2026-11-21
      """)
    expect(wall, try tcp("203.0.113.66", "192.0.2.10", 80), open: false)
    expect(wall, try tcp("203.0.113.66", "192.0.2.10", 81), open: false)
    expect(wall, try tcp("203.0.113.67", "192.0.2.10", 80), open: false)
    expect(wall, try tcp("203.0.113.67", "192.0.2.10", 81), open: true)
    expect(wall, try tcp("203.0.113.68", "192.0.2.10", 80), open: true)
  }

  @Test func anExposureEndsWithItsLastDay() throws {
    let wall = try firewall(
      """
      service s { port 80/tcp; expose to internet until 2026-11-22 }
      host h { address 192.0.2.10; runs s }
      """)
    expect(wall, try tcp("203.0.113.6", "192.0.2.10", 80), open: true)
    expect(wall, try tcp("203.0.113.6", "192.0.2.10", 80), open: false, on: CalendarDate(daysSinceEpoch: 20780))
  }

  @Test func anAudienceOfOneFamilyOpensNothingInTheOther() throws {
    let wall = try firewall(
      """
      service s { port 80/tcp; expose to 2001:db8:1::/48; expose to 203.0.113.0/24 except 203.0.113.0/24 }
      host h { address 192.0.2.10, 2001:db8::10; runs s }
      """)
    expect(wall, try tcp("2001:db8:1::5", "2001:db8::10", 80), open: true)
    expect(wall, try tcp("203.0.113.5", "192.0.2.10", 80), open: false)
    #expect(wall.openings.count == 1, "an exception that covers everything leaves nothing")
  }

  @Test func aServiceIsEveryPlaceItRuns() throws {
    let wall = try firewall(
      """
      service db { port 5432/tcp; expose to app }
      service app { port 80/tcp; expose to internet; uses db }
      host h { address 10.0.0.1; runs db }
      host a { address 10.0.0.2, 2001:db8::2; }
      host b { address 10.0.0.3 }
      group apps { a, b; runs app }
      """)
    expect(wall, try tcp("10.0.0.2", "10.0.0.1", 5432), open: true)
    expect(wall, try tcp("10.0.0.3", "10.0.0.1", 5432), open: true)
    expect(wall, try tcp("10.0.0.4", "10.0.0.1", 5432), open: false)
  }

  @Test func aRouterForwardsItsPublicPort() throws {
    let text = """
      zone lan { 10.0.0.0/8 }
      service s { port 8443/tcp; expose to internet via gw as 443/tcp }
      host gw { address 198.51.100.1, 10.0.0.254; interface eth0 in internet; interface eth1 in lan }
      host h { address 10.0.0.10, 192.0.2.10; interface eth0 in internet; interface eth1 in lan; runs s }
      transit lan to internet via gw masquerade
      """
    let router = try firewall(text, of: "gw")
    expect(router, try tcp("203.0.113.9", "198.51.100.1", 443, on: "eth0"), open: true)
    expect(router, try tcp("203.0.113.9", "198.51.100.1", 8443, on: "eth0"), open: false)
    #expect(router.openings.map(\.translation) == [.forward(to: [try #require(Address("10.0.0.10"))], port: 8443)])
    expect(router, try tcp("10.0.0.10", "203.0.113.9", 80, on: "eth1"), open: true, departing: "eth0")
    expect(router, try tcp("203.0.113.9", "10.0.0.10", 80, on: "eth0"), open: false, departing: "eth1")
    let inner = try firewall(text)
    expect(inner, try tcp("203.0.113.9", "10.0.0.10", 8443, on: "eth1"), open: true)
    expect(inner, try tcp("203.0.113.9", "192.0.2.10", 8443, on: "eth0"), open: false)
    expect(inner, try tcp("203.0.113.9", "10.0.0.10", 443, on: "eth1"), open: false)
  }

  @Test func essentialsAreAlwaysOpen() throws {
    let wall = try firewall(
      """
      policy "p" { ping closed; deny with reject }
      host h { address 192.0.2.10 }
      block internet
      """)
    var echo = try tcp("203.0.113.9", "192.0.2.10", 8)
    echo.transport = .icmp
    #expect(wall.judge(echo, on: Self.today) == Judgement(.reject, .blocked(0)))
    let neighbour = Packet(
      source: try #require(Address("fe80::1")), destination: try #require(Address("ff02::1")), transport: .icmpv6,
      destinationPort: 135)
    #expect(wall.judge(neighbour, on: Self.today) == Judgement(.accept, .essential))
    var local = try tcp("192.0.2.10", "192.0.2.10", 80)
    local.interface = "lo"
    #expect(wall.judge(local, on: Self.today) == Judgement(.accept, .loopback))
  }

  @Test func nodePortsAreOpenOnNodes() throws {
    let wall = try firewall(
      """
      zone office { 203.0.113.0/24 }
      service s { port 8443/tcp; expose to office as 443/tcp }
      host h { address 192.0.2.10 }
      cluster k { pods 10.42.0.0/16; nodes h; workload s { namespace x; pods app=s; publish nodeport 30110 } }
      """)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 30110), open: true)
    expect(wall, try tcp("203.0.114.9", "192.0.2.10", 30110), open: false)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 8443), open: false)
    expect(wall, try tcp("10.42.0.9", "198.51.100.10", 80), open: true)
  }

  @Test func equalPoliciesHaveEqualFirewallsWhateverTheOrder() throws {
    let parts = [
      "service b { port 80/tcp; expose to 203.0.113.0/24 }", "service a { port 80/udp; expose to internet }",
      "host h { address 192.0.2.10; runs b; runs a }", "block 203.0.113.7", "block 203.0.113.6",
    ]
    let one = try firewall(parts.joined(separator: "\n"))
    let other = try firewall(parts.reversed().joined(separator: "\n"))
    #expect(one.openings.map(\.cause.subject) == other.openings.map(\.cause.subject))
    #expect(one.openings.map(\.sources) == other.openings.map(\.sources))
    #expect(one.blocks.map(\.sources) == other.blocks.map(\.sources))
  }

  @Test func aBlockOfAServiceBehindARouterClosesItsPublicPort() throws {
    let router = try firewall(
      """
      service s { port 8443/tcp; expose to internet as 443/tcp }
      host gw { address 198.51.100.1, 10.0.0.254 }
      host h { address 10.0.0.10; runs s }
      transit internet to 10.0.0.0/24 via gw masquerade
      block 203.0.113.66 to s
      """, of: "gw")
    expect(router, try tcp("203.0.113.66", "10.0.0.10", 443), open: false)
    expect(router, try tcp("203.0.113.66", "10.0.0.10", 8443), open: false)
    expect(router, try tcp("203.0.113.67", "10.0.0.10", 443), open: true)
  }

  @Test func anInterfaceThatIsBoundTwiceIsOne() throws {
    let wall = try firewall(
      """
      zone lan { 10.0.0.0/8 }
      service s { port 22/tcp; expose to lan }
      host h { address 192.0.2.10; interface eth1 in lan, lan; runs s }
      """)
    #expect(wall.openings.flatMap(\.sources).map(\.interfaces) == [.only(["eth1"])])
  }

  /// A router that offers what others behind it offer as well, and a block for the router's own.
  private static func gateway(_ block: String) -> String {
    """
    service ssh { port 22/tcp; expose to 203.0.113.0/24 }
    host gw { address 198.51.100.1, 10.0.0.254; runs ssh }
    host h { address 10.0.0.10 }
    group both { gw, h }
    transit 203.0.113.0/24 to 10.0.0.0/24 via gw
    block 203.0.113.66 to \(block)
    """
  }

  @Test(arguments: ["ssh", "host gw", "host gw on 22/tcp"])
  func aBlockOfWhatARouterRunsSparesItsTransit(target: String) throws {
    let router = try firewall(Self.gateway(target), of: "gw")
    expect(router, try tcp("203.0.113.66", "198.51.100.1", 22), open: false)
    expect(router, try tcp("203.0.113.66", "10.0.0.254", 22), open: false)
    expect(router, try tcp("203.0.113.66", "10.0.0.10", 22), open: true)
    expect(router, try tcp("203.0.113.67", "198.51.100.1", 22), open: true)
  }

  @Test(arguments: ["both", "internet", "host gw, host h"])
  func aBlockOfMoreThanARouterHoldsOnItsTransit(target: String) throws {
    let router = try firewall(Self.gateway(target), of: "gw")
    expect(router, try tcp("203.0.113.66", "198.51.100.1", 22), open: false)
    expect(router, try tcp("203.0.113.66", "10.0.0.10", 22), open: false)
    expect(router, try tcp("203.0.113.66", "10.0.0.11", 22), open: target != "internet")
  }

  @Test func balancersOpenTheNodePortThatIsSaid() throws {
    let wall = try firewall(
      """
      zone office { 203.0.113.0/24 }
      service s { port api 8443/tcp; port m 9102/tcp; expose api to office as 443/tcp; expose m to office }
      host h { address 192.0.2.10 }
      cluster k {
        pods 10.42.0.0/16; nodes h
        workload s { namespace x; pods app=s; publish loadbalancer nodeport 30110 }
      }
      """)
    expect(wall, try tcp("203.0.113.9", "192.0.2.10", 30110), open: true)
    expect(wall, try tcp("203.0.114.9", "192.0.2.10", 30110), open: false)
  }

  @Test func aBlockOfAPublicPortHoldsOnPods() throws {
    let policy = try cleanPolicy(
      """
      service s { port 8443/tcp; expose to 203.0.113.0/24 as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s } }
      block 203.0.113.66 to s on 443/tcp
      block 203.0.113.67 to s on 444/tcp
      block 203.0.113.68
      block 203.0.113.69 until 2026-11-21
      """)
    let admissions = Lowering(policy).firewall(of: ID<Cluster>(0), on: Self.today).workloads.flatMap(\.admissions)
    let refused = AddressSet([
      Prefix(containing: try #require(Address("203.0.113.66")), length: 32),
      Prefix(containing: try #require(Address("203.0.113.68")), length: 32),
    ])
    #expect(admissions.map(\.exceptions) == [refused])
  }

  @Test func zonesOfZonesOfZonesAreLookedAtOnce() throws {
    // Without memory, the bottom zone would be looked at two to the power of sixty times.
    var text = "zone a0 { 10.0.0.0/8 }\nzone b0 { 10.0.0.0/9 }\n"
    for i in 1...60 { text += "zone a\(i) { a\(i - 1), b\(i - 1) }\nzone b\(i) { b\(i - 1), a\(i - 1) }\n" }
    let wall = try firewall(
      text + """
        service s { port 80/tcp; expose to a60 }
        host h { address 192.0.2.10; interface eth1 in a0; runs s }
        """)
    expect(wall, try tcp("10.200.0.1", "192.0.2.10", 80, on: "eth1"), open: true)
    expect(wall, try tcp("10.200.0.1", "192.0.2.10", 80, on: "eth0"), open: false)
    expect(wall, try tcp("10.1.0.1", "192.0.2.10", 80, on: "eth0"), open: true)
  }

  @Test func closedEgressLetsUsersOfAWorkloadToItsNodePort() throws {
    let wall = try firewall(
      """
      service api { port 8443/tcp; expose to job as 443/tcp }
      service job { port 80/tcp; expose to localhost; uses api }
      host h { address 192.0.2.10; egress closed; runs job }
      host node { address 192.0.2.20 }
      cluster k {
        pods 10.42.0.0/16; nodes node
        workload api { namespace x; pods app=api; publish nodeport 30110 }
      }
      """)
    let node = try #require(Address("192.0.2.20"))
    let ways = try #require(wall.departures).filter { $0.destinations.contains(node) }
    #expect(ways.map(\.traffic) == [[.ports(.tcp, PortRange(30110))]])
  }
}
