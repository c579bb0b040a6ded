// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Syntax
import Testing

@Suite struct LoadingTests {
  static let shapes: [(String, Firewall)] = [
    ("closed", .closed()),
    ("rejecting", .closed(rejects: true)),
    ("few ports", .with(opening(.tcp(80)), opening(.tcp(443)), opening(.udp(443)))),
    ("logged", .with(opening(.tcp(80), logged: true))),
    (
      "limited",
      .with(
        opening(.tcp(80), limit: Limit(Rate(200, per: .second), burst: 400, perSource: true)),
        opening(.tcp(81), limit: Limit(Rate(200, per: .second), burst: 400, perSource: true)),
        opening(.tcp(82), limit: Limit(Rate(3, per: .day))),
        opening(.tcp(82), to: [Reach(addresses("10.0.0.0/8"))], limit: Limit(Rate(4, per: .day), perSource: true)),
        opening(.tcp(83), until: CalendarDate("2031-12-31"), logged: true))
    ),
    (
      "bound",
      .with(
        opening(
          .tcp(80), to: [Reach(addresses("10.0.0.0/8", "fd00::/8"), on: .only(["eth1"]))], at: addresses("10.0.0.1")),
        opening(.icmp(type: 13, code: nil)), opening(.icmp(type: 17, code: 0)), opening(.icmpv6(type: 139, code: 1)),
        opening(.ports(.sctp, PortRange(from: 3868, through: 3900))))
    ),
    (
      "translated",
      .with(
        opening(.tcp(443), .redirect(to: 8443)), opening(.udp(443), at: addresses("192.0.2.10"), .redirect(to: 8443)),
        opening(.tcp(80), .forward(to: [Address("10.0.0.5")!, Address("fd00::5")!], port: 8080)),
        opening(.tcp(81), .forward(to: [Address("10.0.0.5")!, Address("10.0.0.6")!], port: 8080)),
        opening(.ports(.tcp, PortRange(from: 9000, through: 9003)), .redirect(to: 19000)),
        opening(.ports(.sctp, PortRange(3868)), .redirect(to: 3869)),
        opening(
          .tcp(7000), to: [Reach(addresses("10.0.0.0/8", "fd00::/8"), on: .except(["eth0"]))], .redirect(to: 7001)),
        opening(.tcp(7000), to: [Reach(addresses("11.0.0.0/8"), on: .only(["eth0"]))], .redirect(to: 7002)),
        opening(.tcp(7000), to: [Reach(addresses("12.0.0.0/8"))]))
    ),
    ("many", many(2000)),
    ("router", router()),
    ("wide", wide()),
  ]

  @Test(arguments: shapes.map(\.0)) func loadsTwiceAndListsStably(name: String) throws {
    let firewall = LoadingTests.shapes.first { $0.0 == name }!.1
    let text = ruleset(firewall)
    let complaint = try Kernel.complaint(about: text)
    #expect(complaint == nil, "\(text.prefix(3000))")
  }

  static func many(_ count: Int) -> Firewall {
    var firewall = Firewall.closed()
    for i in 0..<count {
      let network = AddressSet([Prefix(containing: Address(.ipv4, UInt128(0x0a00_0000 + i * 777)), length: 8 + i % 25)])
      let six = AddressSet([
        Prefix(containing: Address(.ipv6, UInt128(0x2001_0db8_0000 + i) << 80), length: 32 + i % 90)
      ])
      firewall.openings.append(
        opening(
          i % 7 == 0 ? .ports(.udp, PortRange(from: UInt16(i), through: UInt16(i * 2))) : .tcp(UInt16(i)),
          to: [Reach(network.union(six), on: i % 3 == 0 ? .only(["eth0"]) : .any)], logged: i % 11 == 0,
          line: i % 100 + 1))
    }
    return firewall
  }

  static func router() -> Firewall {
    var firewall = Firewall.closed(rejects: true)
    let lan = Reach(addresses("10.0.0.0/8", "fd00::/8"), on: .only(["eth1"]))
    let internet = Reach(.all.subtracting(.privateNetworks), on: .except(["eth1"]))
    firewall.passages = [
      Passage(sources: [lan], destinations: [internet], traffic: nil, masquerade: true, cause: cause("transit")),
      Passage(
        sources: [internet], destinations: [lan], traffic: [.tcp(22), .udp(53), .tcp(53), .tcp(54), .tcp(55)],
        limit: Limit(Rate(10, per: .second), perSource: true), until: CalendarDate("2031-01-01"), logged: true,
        cause: cause("transit", line: 3)),
      Passage(
        sources: [.everywhere], destinations: [.everywhere], traffic: [.tcp(4)], cause: cause("transit", line: 4)),
    ]
    firewall.blocks = [
      Refusal(
        sources: [Reach(addresses("192.0.2.66", "2001:db8:66::/48"))], destinations: nil, traffic: nil, until: nil,
        logged: false, cause: cause("block", line: 5)),
      Refusal(
        sources: [Reach(.all, on: .only(["eth2"]))], destinations: addresses("10.9.0.0/16"), traffic: [.tcp(25)],
        until: CalendarDate("2030-01-01"), logged: true, cause: cause("block", line: 6)),
      Refusal(
        sources: [Reach(.all, on: .only(["eth3"]))], destinations: nil, traffic: nil,
        until: nil, logged: false, cause: cause("block", line: 7)),
    ]
    firewall.departures = [
      Departure(destinations: .all, traffic: [.tcp(443), .udp(53)], until: nil, cause: cause("web")),
      Departure(
        destinations: addresses("10.0.0.9"), traffic: nil, until: CalendarDate("2030-01-01"), cause: cause("web")),
    ]
    return firewall
  }

  static func wide() -> Firewall {
    var firewall = Firewall.closed()
    let four = (0..<3000).map { (i: Int) -> Address in Address(.ipv4, UInt128(0x0b00_0000 + i * 2)) }
    let six = (0..<300).map { (i: Int) -> Address in Address(.ipv6, UInt128(i * 2 + 1)) }
    let zone = AddressSet(four + six)
    for port in 1..<100 as Range<UInt16> {
      firewall.openings.append(opening(.tcp(port), to: [Reach(zone)], logged: port % 9 == 0))
    }
    return firewall
  }
}
