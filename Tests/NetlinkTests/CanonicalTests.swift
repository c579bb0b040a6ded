import Nftables
import Packets
import Testing

/// The canonical form of tables.
@Suite struct CanonicalTests {
  @Test func `writes out what fields imply`() {
    let rule = Rule([
      .match(Selector(.saddr(.ipv4), .icmpType), .equal, .set("x")),
      .match(Selector(.icmpCode), .equal, .datum(.number(1))),
      .verdict(.accept),
    ])
    let family = Statement.match(Selector(.nfproto), .equal, .datum(.family(.ipv4)))
    let transport = Statement.match(Selector(.l4proto), .equal, .datum(.transport(.icmp)))
    #expect(rule.canonical.statements == [family, transport] + rule.statements)
    #expect(rule.canonical.canonical == rule.canonical)
    let explicit = Rule([family, transport] + rule.statements)
    #expect(explicit.canonical == explicit)
  }

  @Test func `puts elements, sets and chains in order`() {
    let a = NamedSet.Element([.transport(.tcp), .port(80)])
    let b = NamedSet.Element([.transport(.tcp), .port(443)])
    let c = NamedSet.Element([.transport(.udp), .port(53)])
    func table(_ elements: [NamedSet.Element], _ names: [String]) -> Table {
      Table(
        "x", sets: [NamedSet("s", key: [.transport, .port], elements: elements)], chains: names.map { Chain($0) })
    }
    #expect(table([c, b, a], ["z", "y"]).canonical == table([a, b, c], ["y", "z"]))
  }

  @Test func `keeps the timeouts of a map in its text`() throws {
    let gate = NamedSet("gate", key: [.family], value: .verdict, hasTimeouts: true)
    let script = Script([.define(Table("x", sets: [gate]))])
    #expect(script.text.contains("flags timeout\n"))
    #expect(try Script(parsing: script.text) == script)
  }
}
