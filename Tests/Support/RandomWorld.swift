// swift-format-ignore-file: NeverForceUnwrap

public import Firewalls
public import Packets
import Policies
public import Syntax

/// Firewalls and packets of a small world, in which they meet often.
public struct RandomWorld: Sendable {
  /// Where chance comes from.
  public var random: SeededGenerator

  /// The addresses of the host.
  public static let own = AddressSet(["192.0.2.10", "192.0.2.11", "2001:db8::10", "2001:db8::11"].map { Address($0)! })

  /// The interfaces of the host.
  public static let interfaces = ["eth0", "eth1", "eth2"]

  /// The days around which things end.
  public static let days = ["2026-12-30", "2026-12-31", "2027-01-01", "9999-12-31"].map { CalendarDate($0)! }

  /// Creates the world that `seed` makes.
  public init(seed: some BinaryInteger) { random = SeededGenerator(seed: seed) }

  /// Returns `true` in `percent` of a hundred cases.
  public mutating func chance(_ percent: Int) -> Bool { random.chance(percent) }

  /// Returns one of `list`.
  public mutating func pick<T>(_ list: [T]) -> T { random.pick(list) }

  /// Returns an address of `family` that others are near to.
  public mutating func address(_ family: AddressFamily) -> Address {
    let low = UInt128(UInt32.random(in: 0..<64, using: &random))
    if chance(3) { return Address(family, family.highest) }
    if chance(3) { return Address(family, 0) }
    return family == .ipv4 ? Address(.ipv4, 0x0a00_0000 + low) : Address(.ipv6, UInt128(0x2001_0db8_0001) << 80 | low)
  }

  /// Returns addresses, often few.
  public mutating func set() -> AddressSet {
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

  /// Returns ports or messages.
  public mutating func traffic() -> Traffic {
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

  /// Returns the last day of something, if it has one.
  public mutating func until() -> CalendarDate? { chance(15) ? pick(RandomWorld.days) : nil }

  mutating func limit() -> Limit? {
    chance(15) ? Limit(Rate(pick([5, 7]), per: .second), burst: chance(50) ? 9 : nil, perSource: chance(50)) : nil
  }

  /// Returns a firewall with so many openings, some blocks and some passages.
  public mutating func firewall(services: Int) -> Firewall {
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
          cause: Self.cause("s\(line)", line)))
    }
    result.openings.sort { $0.traffic < $1.traffic }
    for line in 1...3 {
      let traffic: [Traffic]? = chance(40) ? nil : [traffic(), self.traffic()]
      result.passages.append(
        Passage(
          sources: reaches(), destinations: reaches(), traffic: traffic, masquerade: chance(30), limit: limit(),
          until: until(), logged: chance(10), cause: Self.cause("transit", line)))
      let some: [Traffic]? = chance(30) ? nil : [self.traffic()]
      if chance(60) {
        result.blocks.append(
          Refusal(
            sources: [Reach(AddressSet([address(pick(AddressFamily.allCases))]), on: interfaceSet())].normalized,
            destinations: chance(50) ? set() : nil, sparesTransit: chance(30), traffic: some, until: until(),
            logged: chance(20),
            cause: Self.cause("block", line)))
      }
    }
    return result
  }

  /// Returns what the host's processes may connect to.
  public mutating func departures() -> [Departure] {
    (0..<Int.random(in: 0...4, using: &random)).map { line in
      Departure(
        destinations: set(), traffic: chance(40) ? nil : [traffic()], until: until(),
        cause: Self.cause("uses", line + 1))
    }
  }

  /// Returns a packet that the firewalls know something about.
  public mutating func packet() -> Packet {
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

  /// Returns the cause `subject` in `line` of a file of short lines.
  private static func cause(_ subject: String, _ line: Int) -> Cause {
    Cause(subject, at: Span(file: 0, lower: UInt32((line - 1) * 10), upper: UInt32((line - 1) * 10 + 9)))
  }
}
