import Netlink
import Nftables
import Packets

/// Writes a map of so many elements to the kernel and reads it back; prints milliseconds.
///
/// To be run in a network namespace of its own: `unshare --net .build/release/netlink-tables 100000`. With `text` as
/// the second argument it prints what nft(8) would load instead.
@main
enum NetlinkTables {
  static func main() throws {
    let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
    var size = 16
    while size < count { size *= 2 }
    let elements = (0..<count).map { i in
      NamedSet.Element(
        [.address(Address(.ipv4, UInt128(0x0a00_0000 + i))), .transport(.tcp), .port(UInt16(i % 1000))],
        value: .verdict(.goto("judge")), comment: "service\(i) policy.port:\(i)")
    }
    let map = NamedSet(
      "map", key: [.ipv4, .transport, .port], value: .verdict, size: size, counts: true, elements: elements)
    let table = Table("portcullis", sets: [map], chains: [Chain("judge")])
    guard CommandLine.arguments.last != "text" else { return print(Script([.define(table)]).text) }
    let kernel = try Kernel()
    let clock = ContinuousClock()
    for _ in 0..<5 {
      let written = try clock.measure { try kernel.carryOut(.creating(table)) }
      var live: LiveTable?
      let read = try clock.measure { live = try kernel.table(named: "portcullis") }
      var isEqual = false
      let compared = clock.measure { isEqual = live?.table == table.canonical }
      let changed = try clock.measure {
        try kernel.carryOut(Transaction("portcullis", [.deleteElements([elements[7]], set: map)]))
      }
      print(
        "\(count) elements: written \(written), read \(read), compared \(compared) (\(isEqual)), one deleted \(changed)"
      )
      try kernel.carryOut(Transaction("portcullis", [.deleteTable]))
    }
  }
}
