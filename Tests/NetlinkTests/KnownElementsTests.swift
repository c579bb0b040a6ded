import Netlink
import Nftables
import Packets
import Support
import Testing

/// Tables that are read with what is known of them.
@Suite struct KnownElementsTests {
  private static let ports = NamedSet("ports", key: [.port], size: 16, elements: [.init([.port(22)])])

  /// Returns the table `live` with other elements in its set, which the kernel does not have.
  private func forged(_ live: LiveTable) -> LiveTable {
    var forged = live
    forged.sets[0].elements = [.init([.port(1)])]
    return forged
  }

  @Test func `takes elements over by the handle of their set, and by no name`() throws {
    let host = try Host()
    try host.kernel.carryOut(.creating(Table("portcullis", sets: [KnownElementsTests.ports])))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    #expect(live.sets[0].elements == KnownElementsTests.ports.elements)
    // What is forged shows that it was not asked for.
    #expect(try host.kernel.table(named: "portcullis", knowing: forged(live)) == forged(live))
    // Another set of that name is read.
    var other = KnownElementsTests.ports
    other.elements = [.init([.port(80)])]
    try host.kernel.carryOut(Transaction("portcullis", [.deleteSet("ports"), .addSet(other)]))
    let read = try #require(try host.kernel.table(named: "portcullis", knowing: forged(live)))
    #expect(read.sets[0].elements == other.elements)
  }

  @Test func `reads what goes away by itself`() throws {
    let host = try Host()
    let passing = NamedSet("ports", key: [.port], hasTimeouts: true, elements: KnownElementsTests.ports.elements)
    try host.kernel.carryOut(.creating(Table("portcullis", sets: [passing])))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    let read = try #require(try host.kernel.table(named: "portcullis", knowing: forged(live)))
    #expect(read.sets[0].elements == passing.elements)
  }

  @Test(arguments: 1...20) func `the kernel's elements stand in the order of the model`(seed: Int) throws {
    var dice = SeededGenerator(seed: seed)
    let keys: [[DataType]] = [
      [.ipv4, .transport, .port], [.ipv6, .port], [.ipv6, .ipv6], [.port], [.ipv4], [.interface, .port],
    ]
    let key = dice.pick(keys)
    var elements: Set<[Datum]> = []
    for _ in 0..<200 {
      elements.insert(
        key.map { type in
          switch type {
          case .ipv4: .address(Address(.ipv4, UInt128(UInt32.random(in: 0 ... .max, using: &dice))))
          case .ipv6: .address(Address(.ipv6, UInt128.random(in: 0 ... .max, using: &dice)))
          case .transport: .transport(dice.chance(50) ? .tcp : .udp)
          case .port: .port(UInt16.random(in: 0 ... .max, using: &dice))
          default: .interface(dice.pick(["eth0", "eth1", "wg0"]))
          }
        })
    }
    try expectOrder(of: NamedSet("s", key: key, elements: elements.map { .init($0) }))
  }

  /// Intervals, some of which begin where another one ends, and the last of which ends where addresses end.
  @Test(arguments: 1...20) func `the kernel's intervals stand in the order of the model`(seed: Int) throws {
    var dice = SeededGenerator(seed: seed)
    var ranges: [AddressRange] = []
    // Cuts make intervals that touch or leave gaps; those of one address are addresses.
    var start: UInt64 = UInt64.random(in: 0...1000, using: &dice)
    let end = UInt64(UInt32.max)
    while ranges.count < 200 {
      let length =
        dice.chance(20) ? 1 : UInt64.random(in: 1...(1 << UInt64.random(in: 1...20, using: &dice)), using: &dice)
      let last = ranges.count == 199 ? end : start + length - 1
      ranges.append(
        AddressRange(from: Address(.ipv4, UInt128(start)), through: Address(.ipv4, UInt128(last))))
      start = last + 1 + (dice.chance(50) ? 0 : UInt64.random(in: 1...5000, using: &dice))
    }
    #expect(ranges.last?.upper == Address(.ipv4, UInt128(UInt32.max)))
    #expect(zip(ranges, ranges.dropFirst()).contains { $0.upper.value + 1 == $1.lower.value })
    let addresses = ranges.map { $0.lower == $0.upper ? Datum.address($0.lower) : .addresses($0) }
    try expectOrder(of: NamedSet("s", key: [.ipv4], isInterval: true, elements: addresses.map { .init([$0]) }))
    // With a protocol and a port each, alone or several; equal addresses stand beside one another.
    var elements: [NamedSet.Element] = []
    for address in addresses {
      let transport = Datum.transport(dice.chance(50) ? .tcp : .udp)
      let port = UInt16.random(in: 1...50_000, using: &dice)
      elements.append(.init([address, transport, .port(port)]))
      if dice.chance(30) {
        elements.append(.init([address, transport, .ports(PortRange(from: port + 1, through: port + 10_000))]))
      }
    }
    try expectOrder(of: NamedSet("s", key: [.ipv4, .transport, .port], isInterval: true, elements: elements))
  }

  /// Expects that the kernel has the elements of `set`, in the order of the model.
  private func expectOrder(of set: NamedSet) throws {
    let host = try Host()
    try host.kernel.carryOut(.creating(Table("portcullis", sets: [set])))
    #expect(try host.kernel.table(named: "portcullis")?.sets[0].elements == set.elements.ordered)
  }
}
