import Firewalls
import Packets
import Policies
import Support
import Syntax

/// The file that the causes of the tests stand in.
let testSources = Sources([SourceFile(path: "policies/test.port", text: String(repeating: "a line\n", count: 2000))])

/// The first day of the tests.
let testDay = CalendarDate(daysSinceEpoch: 20_779)

func cause(_ subject: String, line: Int) -> Cause {
  Cause(subject, service: ID(line), at: Span(file: 0, lower: UInt32(7 * line), upper: UInt32(7 * line + 6)))
}

/// Returns the address that a test writes as `text`.
func address(_ text: String) -> Address {
  guard let address = Address(text) else { preconditionFailure("\(text) is no address") }
  return address
}

/// Returns the set of the blocks that a test writes.
func blocks(_ texts: String...) -> AddressSet {
  AddressSet(
    texts.map { text in
      let parts = text.split(separator: "/")
      let address = address(String(parts[0]))
      return Prefix(containing: address, length: parts.count == 2 ? Int(parts[1]) ?? 0 : address.family.width)
    })
}

/// Makes firewalls whose parts meet each other in a small world, so that random packets find their seams.
struct FirewallMaker {
  var random: SeededGenerator

  /// Creates the maker that `seed` makes.
  init(seed: Int) { random = SeededGenerator(seed: seed) }

  static let interfaces = ["eth0", "eth1", "eth2", "wg0"]
  static let ports: [UInt16] = [0, 22, 53, 80, 81, 443, 8080, 8443, 9000, 30000, 65535]

  /// Returns the name of an interface.
  mutating func interface() -> String { random.pick(Self.interfaces) }

  mutating func anAddress(_ family: AddressFamily) -> Address {
    // A few bits only, low and high ones.
    let low = UInt128.random(in: 0..<24, using: &random)
    let high = UInt128.random(in: 0..<4, using: &random)
    return family == .ipv4
      ? Address(.ipv4, 0x0a00_0000 | high << 16 | low) : Address(.ipv6, 0x2001_0db8 << 96 | high << 64 | low)
  }

  mutating func addresses(atMost count: Int = 5) -> AddressSet {
    if random.chance(15) { return .all }
    if random.chance(10) { return .all(random.chance(50) ? .ipv4 : .ipv6) }
    var ranges: [AddressRange] = []
    let only: AddressFamily? = random.chance(30) ? (random.chance(50) ? .ipv4 : .ipv6) : nil
    for _ in 0..<Int.random(in: 1...count, using: &random) {
      let family = only ?? (random.chance(50) ? .ipv4 : .ipv6)
      let a = anAddress(family)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: ranges.append(AddressRange(a))
      case 1:
        let b = anAddress(family)
        ranges.append(AddressRange(from: min(a, b), through: max(a, b)))
      default:
        let length = family.width - Int.random(in: 0...(family == .ipv4 ? 20 : 70), using: &random)
        ranges.append(Prefix(containing: a, length: length).range)
      }
    }
    return AddressSet(ranges)
  }

  mutating func interfaces() -> InterfaceSet {
    let names = Self.interfaces.dropLast().filter { _ in random.chance(40) }
    return random.chance(50) ? .any : random.chance(50) ? .except(names) : .only(names.isEmpty ? ["eth0"] : names)
  }

  mutating func reaches() -> [Reach] {
    let result = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      Reach(addresses(atMost: random.chance(10) ? 40 : 4), on: interfaces())
    }
    return result.normalized
  }

  mutating func portRange() -> PortRange {
    let a = random.pick(Self.ports)
    guard random.chance(30) else { return PortRange(a) }
    let b = random.pick(Self.ports)
    return PortRange(from: min(a, b), through: max(a, b))
  }

  mutating func traffic() -> Traffic {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: .icmp(type: random.pick([0, 3, 8, 13]), code: random.chance(50) ? nil : 1)
    case 1: .icmpv6(type: random.pick([1, 128, 129, 144]), code: random.chance(50) ? nil : 1)
    case 2: .ports(random.pick([.sctp, .dccp, .udplite]), portRange())
    case 3...5: .ports(.udp, portRange())
    default: .ports(.tcp, portRange())
    }
  }

  mutating func limit(_ percent: Int) -> Limit? {
    random.chance(percent)
      ? Limit(Rate(random.pick([5, 200, 300]), per: .second), burst: 7, perSource: random.chance(50)) : nil
  }

  mutating func until() -> CalendarDate? {
    random.chance(15) ? CalendarDate(random.pick(["2026-01-31", "2026-11-22", "2027-03-31"])) : nil
  }

  mutating func firewall() -> Firewall {
    let own = blocks("10.0.0.1", "10.1.0.2", "2001:db8::1", "2001:db8:0:1::2")
    var result = Firewall(
      host: ID(0), name: "web1", addresses: own, rejects: random.chance(40),
      logDenied: random.chance(50) ? Limit(Rate(5, per: .second)) : nil, pingOpen: random.chance(70),
      ephemeral: PortRange(from: 32768, through: 60999))
    let size = random.chance(20) ? 120 : 8
    for i in 0..<Int.random(in: 0...size, using: &random) {
      let traffic = traffic()
      var translation: Opening.Translation?
      if let range = traffic.ports, traffic.transport != .udplite, range.count <= 100, random.chance(20) {
        translation =
          random.chance(60)
          ? .redirect(to: 1234)
          : .forward(
            to: [address("192.0.2.1"), address("192.0.2.2"), address("2001:db8:f::1")], port: 99)
      }
      result.openings.append(
        Opening(
          sources: reaches(), destinations: random.chance(30) ? own.intersection(addresses()) : nil, traffic: traffic,
          translation: translation, limit: limit(15), until: until(), logged: random.chance(10),
          cause: cause("service-\(i)", line: i)))
    }
    result.openings.sort { $0.traffic < $1.traffic }
    for i in 0..<Int.random(in: 0...2, using: &random) {
      let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in traffic() }
      result.blocks.append(
        Refusal(
          sources: reaches(), destinations: random.chance(30) ? addresses() : nil, sparesTransit: random.chance(30),
          traffic: random.chance(50) ? nil : Set(parts).sorted(), until: until(), logged: random.chance(20),
          cause: cause("block", line: 1000 + i)))
    }
    for i in 0..<Int.random(in: 0...4, using: &random) {
      let parts = (0..<Int.random(in: 1...20, using: &random)).map { _ in traffic() }
      result.passages.append(
        Passage(
          sources: reaches(), destinations: reaches(), traffic: random.chance(50) ? nil : Set(parts).sorted(),
          masquerade: random.chance(30), limit: limit(20), until: until(), logged: random.chance(10),
          cause: cause("transit", line: 1100 + i)))
    }
    if random.chance(30) {
      result.departures = (0..<Int.random(in: 0...4, using: &random)).map { i in
        Departure(
          destinations: addresses(), traffic: random.chance(50) ? nil : [traffic()], until: until(),
          cause: cause("uses", line: 1200 + i))
      }
    }
    return result
  }

  mutating func packet(_ family: AddressFamily) -> Packet {
    let transport = random.pick(
      [.tcp, .tcp, .udp, .sctp, .dccp, .udplite, family == .ipv4 ? .icmp : .icmpv6] as [TransportProtocol])
    let own: [Address] =
      family == .ipv4
      ? [address("10.0.0.1"), address("10.1.0.2"), address("224.0.0.251")]
      : [address("2001:db8::1"), address("2001:db8:0:1::2"), address("ff02::1")]
    var port = random.pick(Self.ports)
    if random.chance(30) { port = port &+ random.pick([1, 65535]) }
    if transport.isICMP { port = random.pick([0, 1, 3, 8, 13, 128, 129, 134, 144]) }
    let linkLocal = family == .ipv6 && random.chance(5)
    if linkLocal, transport == .udp { port = 546 }
    return Packet(
      interface: random.pick(Self.interfaces + ["lo"]),
      source: linkLocal ? address("fe80::5") : anAddress(family),
      destination: random.chance(60) ? random.pick(own) : anAddress(family), transport: transport,
      sourcePort: transport.isICMP ? random.pick([0, 1, 2]) : linkLocal ? 547 : 5000, destinationPort: port)
  }
}

extension FirewallMaker {
  /// The firewall of a host that accepts nothing but the essentials.
  static var empty: Firewall {
    Firewall(
      host: ID(0), name: "web1", addresses: blocks("10.0.0.1", "2001:db8::1"), rejects: false, logDenied: nil,
      pingOpen: false, ephemeral: PortRange(from: 32768, through: 60999))
  }
}
