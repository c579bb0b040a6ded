import Netlink
import Nftables
import Packets
import Testing

/// The protocol byte by byte, without a kernel.
@Suite struct RecordedTests {
  /// What the recording makes.
  static let table = Table(
    "t",
    sets: [
      NamedSet("s", key: [.transport, .port], elements: [.init([.transport(.tcp), .port(22)], comment: "ssh p:4")])
    ],
    chains: [
      Chain(
        "c", hook: BaseHook(.filter, at: .prerouting, priority: -150),
        rules: [
          Rule(
            [.match(Selector(.l4proto, .dport), .equal, .set("s")), .counter, .verdict(.drop)], comment: "block p:7")
        ])
    ])

  @Test func `every byte that is sent and read is the one that was written down`() throws {
    let kernel = Kernel(try #require(RecordedSocket(parsing: Recording.text)))
    let generation = try kernel.generation()
    #expect(generation == Generation(number: 1, process: 13_263, processName: "portcullis-test"))
    try kernel.carryOut(.creating(Self.table), generation: generation.number)
    let live = try #require(try kernel.table(named: "t"))
    #expect(live.table == Self.table.canonical)
    #expect(live.unknowns.isEmpty)
    #expect((live.handle, live.generation) == (1, 2))
    #expect(live.chains.map(\.handle) == [1] && live.sets.map(\.handle) == [2])
    #expect(live.chains[0].rules.map(\.handle) == [3] && live.chains[0].rules[0].counts == [Count()])
  }

  /// The recording is looked at closely: one byte that is not as it was written down is noticed.
  @Test func `another byte is noticed`() throws {
    var other = Self.table
    other.chains[0].hook?.priority = -149
    let kernel = Kernel(try #require(RecordedSocket(parsing: Recording.text)))
    _ = try kernel.generation()
    #expect(throws: NetlinkError.malformed("what is sent differs at byte 111")) {
      try kernel.carryOut(.creating(other), generation: 1)
    }
    // The drop of the rule, as it is read, becomes an accept.
    let verdict = "08 00 01 00 00 00 00 00  # NFTA_VERDICT_CODE: NF_DROP"
    let parts = Recording.text.split(separator: verdict, omittingEmptySubsequences: false)
    try #require(parts.count == 3)
    let text = parts[0] + verdict + parts[1] + "08 00 01 00 00 00 00 01" + parts[2]
    let second = Kernel(try #require(RecordedSocket(parsing: String(text))))
    _ = try second.generation()
    try second.carryOut(.creating(Self.table), generation: 1)
    let live = try #require(try second.table(named: "t"))
    #expect(live.chains[0].rules[0].rule?.statements.last == .verdict(.accept))
  }

  /// What the kernel says to somebody without the capability, as it stands in its answer to the whole transaction.
  @Test func `a lack of privilege is said`() throws {
    let refusal = """
      >
      <
        24 00 00 00 02 00 00 01 01 00 00 00 00 00 00 00  # NLMSG_ERROR, 36 bytes, CAPPED, number 1
        ff ff ff ff  # error -1: EPERM
        1c 00 00 00 10 00 01 00 01 00 00 00 00 00 00 00  # what it is about: NFNL_MSG_BATCH_BEGIN
      """
    let kernel = Kernel(try #require(RecordedSocket(parsing: refusal, isExact: false)))
    do throws(NetlinkError) {
      try kernel.carryOut(Transaction("portcullis", [.createTable]))
      Issue.record("it was carried out")
    } catch {
      #expect(error.isLackOfPrivilege)
      #expect(error.description == "table portcullis: not permitted: this needs the capability CAP_NET_ADMIN")
    }
  }

  /// Returns the answers of a kernel whose table has one set with one element, which has the expression `name`.
  private func answers(_ name: String, flags: UInt32) -> [[UInt8]] {
    var number: UInt8 = 0
    func answer(_ type: UInt8?, _ attributes: [UInt8]) -> [UInt8] {
      number += 1
      let part = type.map { Forger.message($0, 10, number: number, flags: 2, [1, 0, 0, 0] + attributes) } ?? []
      return part + Forger.message(3, 0, number: number, flags: 2, [0, 0, 0, 0])
    }
    func generation() -> [UInt8] {
      number += 1
      return Forger.message(15, 10, number: number, [0, 0, 0, 0] + Forger.number(1, 7))
    }
    let table = Forger.text(1, "t")
    // NFTA_SET_ELEM_KEY with its value, NFTA_SET_ELEM_EXPR with name and data.
    let key = Forger.attribute(1, Forger.attribute(1, [198, 51, 100, 99]), isNested: true)
    let expression = Forger.attribute(
      7, Forger.text(1, name) + Forger.attribute(2, Forger.attribute(1, [0, 0, 0, 0, 0, 0, 0, 1]), isNested: true),
      isNested: true)
    let element = Forger.attribute(1, key + expression, isNested: true)
    return [
      generation(), answer(0, table), answer(3, table + Forger.text(3, "c")),
      answer(9, table + Forger.text(2, "s") + Forger.number(3, flags) + Forger.number(4, 7) + Forger.number(5, 4)),
      answer(12, table + Forger.text(2, "s") + Forger.attribute(3, element, isNested: true)), answer(nil, []),
      answer(nil, []), answer(nil, []), generation(),
    ]
  }

  /// The kernel evaluates what an element holds for every packet that finds it: such an element is not there for all.
  @Test(arguments: [("limit", 0), ("quota", 0), ("counter", 0), ("connlimit", 0), ("limit", 0x20), ("quota", 0x20)])
  func `elements with expressions are not taken for plain ones`(name: String, flags: UInt32) throws {
    let kernel = Kernel(RecordedSocket(answers: answers(name, flags: flags)))
    let live = try #require(try kernel.table(named: "t"))
    // Rules put rates into sets with NFT_SET_EVAL.
    let isOurs = name == "limit" && flags == 0x20
    #expect(live.unknowns == (isOurs ? [] : ["set s: 1 elements of an unknown kind"]))
  }
}
