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
    let set = NamedSet("s", key: key, isInterval: key == [.ipv4], elements: elements.map { .init($0) })
    let host = try Host()
    try host.kernel.carryOut(.creating(Table("portcullis", sets: [set])))
    #expect(try host.kernel.table(named: "portcullis")?.sets[0].elements == set.elements.ordered)
  }
}
