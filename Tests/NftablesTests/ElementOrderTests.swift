import Packets
import Support
import Testing

@testable import Nftables

/// The order of elements, and what it is used for.
@Suite struct ElementOrderTests {
  /// Returns elements with random keys, chosen from so few that two lists have many in common.
  private func elements(_ dice: inout SeededGenerator) -> [NamedSet.Element] {
    var keys: Set<[Datum]> = []
    for _ in 0..<Int.random(in: 0...40, using: &dice) {
      keys.insert([
        .address(Address(.ipv4, UInt128(Int.random(in: 0...3, using: &dice)))),
        .transport(dice.chance(50) ? .tcp : .udp), .port(UInt16.random(in: 1...4, using: &dice)),
      ])
    }
    return keys.map {
      .init($0, value: .verdict(dice.pick([.accept, .goto("when1"), .goto("when1.2"), .goto("when2")])))
    }
  }

  @Test(arguments: 1...200) func `differences are those that sets tell`(seed: Int) {
    var dice = SeededGenerator(seed: seed)
    let (a, b) = (elements(&dice).ordered, elements(&dice).ordered)
    func plain(_ elements: [NamedSet.Element]) -> Set<NamedSet.Element> { Set(elements.map(Renaming.logical.element)) }
    let (here, there) = a.differences(from: b)
    #expect(plain(here) == plain(a).subtracting(plain(b)))
    #expect(plain(there) == plain(b).subtracting(plain(a)))
    #expect(here == here.ordered && there == there.ordered)
  }

  @Test(arguments: 1...50) func `order is total and does not depend on how elements come`(seed: Int) {
    var dice = SeededGenerator(seed: seed)
    let some = elements(&dice)
    #expect(some.ordered == some.shuffled(using: &dice).ordered)
    #expect(Set(some.ordered) == Set(some))
    #expect(some.ordered.order == nil)
  }

  @Test func `tables are alike whatever the order of their elements and their comments`() {
    func table(_ elements: [NamedSet.Element]) -> Table {
      Table("x", sets: [NamedSet("s", key: [.port], elements: elements)], chains: [Chain("c")])
    }
    let (a, b) = (NamedSet.Element([.port(1)], comment: "one"), NamedSet.Element([.port(2)]))
    #expect(table([a, b]).isLike(table([b, .init([.port(1)])])))
    #expect(!table([a, b]).isLike(table([a, .init([.port(3)])])))
    #expect(!table([a, b]).isLike(table([a])))
    #expect(!table([a, b]).isLike(table([a, .init([.port(2)], value: .verdict(.drop))])))
  }
}
