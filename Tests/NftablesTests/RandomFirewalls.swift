// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Syntax

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Firewalls and packets of a small world, in which they meet often.
struct RandomWorld {
  var random: SeededGenerator
  static let own = addresses("192.0.2.10", "192.0.2.11", "2001:db8::10", "2001:db8::11")
  static let interfaces = ["eth0", "eth1", "eth2"]
  static let days = ["2026-12-30", "2026-12-31", "2027-01-01", "9999-12-31"].map { CalendarDate($0)! }

  init(seed: UInt64) { random = SeededGenerator(state: seed) }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
  mutating func pick<T>(_ list: [T]) -> T { list.randomElement(using: &random)! }

  mutating func address(_ family: AddressFamily) -> Address {
    let low = UInt128(UInt32.random(in: 0..<64, using: &random))
    if chance(3) { return Address(family, family.highest) }
    if chance(3) { return Address(family, 0) }
    return family == .ipv4 ? Address(.ipv4, 0x0a00_0000 + low) : Address(.ipv6, UInt128(0x2001_0db8_0001) << 80 | low)
  }

  mutating func set() -> AddressSet {
    if chance(20) { return .all }
    if chance(5) { return .all(pick(AddressFamily.allCases)) }
    var result = AddressSet()
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let family = pick(AddressFamily.allCases)
      let a = address(family)
      if chance(50) {
        result = result.union(
          AddressSet([Prefix(containing: a, length: family.width - Int.random(in: 0...6, using: &random))]))
      } else {
        let b = address(family)
        result = result.union(AddressSet([AddressRange(from: min(a, b), through: max(a, b))]))
      }
    }
    return chance(15) ? AddressSet.all.subtracting(result) : result
  }

  mutating func interfaceSet() -> InterfaceSet {
    if chance(50) { return .any }
    let names = RandomWorld.interfaces.filter { _ in chance(50) }
    return chance(50) ? .only(names) : .except(names)
  }

  mutating func reaches() -> [Reach] {
    (0..<Int.random(in: 1...2, using: &random)).map { _ in Reach(set(), on: interfaceSet()) }.normalized
  }

  mutating func traffic() -> Traffic {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return .icmp(type: pick([8, 13]), code: chance(50) ? nil : pick([0, 1]))
    case 1: return .icmpv6(type: pick([128, 139]), code: chance(50) ? nil : pick([0, 1]))
    case 2, 3, 4:
      let a = UInt16.random(in: 0..<40, using: &random)
      return .ports(
        pick([.tcp, .udp]),
        PortRange(from: a, through: chance(5) ? .max : a + UInt16.random(in: 0..<20, using: &random)))
    case 5 where chance(20): return .ports(.tcp, .all)
    default: return .ports(pick([.tcp, .udp, .sctp]), PortRange(UInt16.random(in: 0..<40, using: &random)))
    }
  }

  mutating func until() -> CalendarDate? { chance(15) ? pick(RandomWorld.days) : nil }

  mutating func limit() -> Limit? {
    chance(15) ? Limit(Rate(pick([5, 7]), per: .second), burst: chance(50) ? 9 : nil, perSource: chance(50)) : nil
  }

  mutating func firewall(services: Int) -> Firewall {
    var result = Firewall(
      host: ID(0), name: "web1", addresses: RandomWorld.own, rejects: chance(50), logDenied: nil, pingOpen: chance(50),
      ephemeral: PortRange(from: 32768, through: 60999))
    for line in 1...services {
      let traffic = traffic()
      var translation: Opening.Translation?
      if let ports = traffic.ports, ports.count < 100, chance(25) {
        let port = pick([1000, 2000]) + ports.lower
        translation =
          chance(60)
          ? .redirect(to: port)
          : .forward(
            to: ["10.9.0.1", "fd09::1"].map { Address($0)! } + (chance(30) ? [Address("10.9.0.2")!] : []), port: port)
      }
      result.openings.append(
        Opening(
          sources: reaches(),
          destinations: chance(30) ? AddressSet(RandomWorld.own.ranges.filter { _ in chance(50) }) : nil,
          traffic: traffic, translation: translation, limit: limit(), until: until(), logged: chance(10),
          cause: cause("s\(line)", line: line)))
    }
    for line in 1...3 {
      let traffic: [Traffic]? = chance(40) ? nil : [traffic(), self.traffic()]
      result.passages.append(
        Passage(
          sources: reaches(), destinations: reaches(), traffic: traffic, masquerade: chance(30), limit: limit(),
          until: until(), logged: chance(10), cause: cause("transit", line: line)))
      let some: [Traffic]? = chance(30) ? nil : [self.traffic()]
      if chance(60) {
        result.blocks.append(
          Refusal(
            sources: [Reach(AddressSet([address(pick(AddressFamily.allCases))]), on: interfaceSet())].normalized,
            destinations: chance(50) ? set() : nil, sparesTransit: chance(30), traffic: some, until: until(),
            logged: chance(20),
            cause: cause("block", line: line)))
      }
    }
    return result
  }

  mutating func packet() -> Packet {
    let family = pick(AddressFamily.allCases)
    let destination =
      chance(60) ? pick(RandomWorld.own.ranges(family)).lower : address(family)
    let transport: TransportProtocol =
      chance(20) ? (family == .ipv4 ? .icmp : .icmpv6) : pick([.tcp, .udp, .sctp])
    let type: UInt16 = family == .ipv4 ? pick([8, 13, 3]) : pick([128, 139, 135, 143])
    return Packet(
      interface: pick(RandomWorld.interfaces + ["eth9"]), source: address(family), destination: destination,
      transport: transport, sourcePort: transport.isICMP ? pick([0, 1, 2]) : 40_000,
      destinationPort: transport.isICMP ? type : UInt16.random(in: 0..<62, using: &random))
  }
}
