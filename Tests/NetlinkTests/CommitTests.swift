import Foundation
import Netlink
import Nftables
import Support
import Testing

/// Readings while others change tables.
@Suite struct CommitTests {
  /// The kernel counts a change when it begins, and shows elements of concatenated intervals when it ends.
  @Test func `a reading has all of the change that it is counted by`() throws {
    let host = try Host()
    try host.load(
      """
      table inet portcullis { set s { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 22 }; }; }
      table inet bulk { set s { type ipv4_addr; }; }
      """)
    for round in 0..<3 {
      let others = (0..<40_000).map { "10.\(round).\($0 >> 8).\($0 & 255)" }
      let file = FileManager.default.temporaryDirectory.appending(path: "portcullis-\(UUID().uuidString).nft")
      defer { try? FileManager.default.removeItem(at: file) }
      try """
      add element inet portcullis s { 99.\(round).0.0/16 . 80 }
      add element inet bulk s { \(others.joined(separator: ", ")) }

      """.write(to: file, atomically: true, encoding: .utf8)
      let before = try host.kernel.generation().number
      let writer = try ChildProcess(["ip", "netns", "exec", host.namespace.name, "nft", "-f", file.path])
      while try host.kernel.generation().number == before {}
      let live = try #require(try host.kernel.table(named: "portcullis"))
      #expect(live.generation == Generation.after(before))
      #expect(live.sets[0].elements.count == round + 2, "round \(round)")
      #expect(writer.finish() == 0)
    }
  }

  @Test func `waiting for changes is none`() throws {
    let host = try Host()
    try host.load("table inet portcullis { chain c { }; }")
    let events = try ChangeEvents(namespace: "/run/netns/\(host.namespace.name)")
    let before = try host.kernel.generation()
    let listing = try host.listing(["-a"])
    for _ in 0..<100 { try host.kernel.settle() }
    #expect(try host.kernel.generation() == before)
    #expect(try events.next(within: 50) == nil)
    #expect(try host.listing(["-a"]) == listing)
    // Nothing is left in the way of the next answers.
    #expect(try host.kernel.table(named: "portcullis")?.generation == before.number)
    try host.kernel.carryOut(Transaction("portcullis", [.deleteTable]))
  }

  /// A change of so many tables that not all of their names are kept spares none.
  @Test func `a table that is left out is not spared`() throws {
    let message = Forger.message(0, 10, number: 0, [1, 0, 0, 0] + Forger.text(1, "other"))
    let nameless = Forger.message(0, 10, number: 0, [1, 0, 0, 0] + Forger.number(2, 0))
    let end = Forger.message(15, 10, number: 0, [0, 0, 0, 0] + Forger.number(1, 8))
    let many = (0...10_000).flatMap { Forger.message(0, 10, number: 0, [1, 0, 0, 0] + Forger.text(1, "t\($0)")) }
    func spared(_ answers: [[UInt8]]) throws -> UInt32? {
      try ChangeEvents(RecordedSocket(answers: answers)).generation(since: 7, sparing: "portcullis")
    }
    #expect(try spared([message + end]) == 8)
    #expect(try spared([message, end]) == 8)
    #expect(try spared([message + nameless + end]) == nil)
    #expect(try spared([many + end]) == nil)
    // That nothing is told leaves it where it was.
    #expect(try spared([]) == 7)
  }
}
