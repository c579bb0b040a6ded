import Foundation
import Netlink
import Nftables
import Packets

/// Maps of so many elements, written to the kernel and read back, in turn by this program, by `RawTable` and by nft(8).
enum ElementTables {
  /// Measures tables of `count` elements.
  static func measure(_ count: Int, _ rounds: Int, _ watch: inout Stopwatch) throws {
    var size = 16
    while size < count { size *= 2 }
    let raw = (0..<count).map { i in
      RawTable.Element(
        address: UInt32(0x0a00_0000 + i), port: UInt16(i % 1000), comment: "service\(i) policy.port:\(i)")
    }
    let elements = raw.map { element in
      NamedSet.Element(
        [.address(Address(.ipv4, UInt128(element.address))), .transport(.tcp), .port(element.port)],
        value: .verdict(.goto("judge")), comment: element.comment)
    }
    let map = NamedSet(
      "members", key: [.ipv4, .transport, .port], value: .verdict, size: size, counts: true, elements: elements)
    let table = Table("portcullis", sets: [map], chains: [Chain("judge")])
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("netlink-tables-\(getpid()).nft")
    defer { try? FileManager.default.removeItem(at: file) }
    try Script([.define(table)]).text.write(to: file, atomically: false, encoding: .utf8)
    let socket = try NetlinkSocket()
    let kernel = Kernel(socket)
    func clear() throws {
      try kernel.carryOut(Transaction("portcullis", [.deleteTable]))
      // The kernel frees it a little later.
      usleep(useconds_t(20_000 + count / 2))
    }
    for _ in 0..<rounds {
      try watch.time("load, ours") { try kernel.carryOut(.creating(table)) }
      let live = try watch.time("read, ours") { try kernel.table(named: "portcullis") }
      guard live?.table == table.canonical else { throw Failure(how: "what was read is not what was written") }
      let added = NamedSet.Element(
        [.address(Address(.ipv4, 1)), .transport(.tcp), .port(1)], value: .verdict(.goto("judge")))
      let change = Transaction(
        "portcullis", [.deleteElements([elements[count / 2]], set: map), .addElements([added], set: map)])
      try watch.time("one replaced, ours") { try kernel.carryOut(change) }
      try clear()
      try watch.time("load, raw") { try RawTable.carryOut(RawTable.creating(raw, size: size), socket) }
      guard try kernel.table(named: "portcullis")?.table == table.canonical else {
        throw Failure(how: "the raw encoder writes another table")
      }
      _ = try watch.time("read, raw") { try RawTable.read(socket) }
      try clear()
      try watch.time("load, nft") { try run("/usr/sbin/nft", "-f", file.path) }
      try watch.time("read, nft") { try run("/usr/sbin/nft", "list", "table", "inet", "portcullis") }
      try clear()
    }
  }
}
