import Netlink
import Nftables
import Packets
import Support
import Testing

/// Changes of a live table.
@Suite struct TransactionTests {
  static let port = NamedSet(
    "port", key: [.transport, .port], size: 131_072, counts: true,
    elements: [.init([.transport(.tcp), .port(80)], comment: "site policy.port:3")])

  /// Returns a host with a small table.
  private func host() throws -> Host {
    let host = try Host()
    let table = Table(
      "portcullis", sets: [TransactionTests.port],
      chains: [
        Chain(
          "judge",
          rules: [
            Rule([.match(Selector(.l4proto, .dport), .equal, .set("port")), .verdict(.accept)]),
            Rule([.counter, .verdict(.drop)], comment: "the rest"),
          ]), Chain("input", hook: BaseHook(.filter, at: .prerouting, priority: -150)),
      ])
    try host.kernel.carryOut(.creating(table))
    return host
  }

  /// Returns the transaction of `commands`.
  private func transaction(_ commands: Command...) -> Transaction { Transaction("portcullis", commands) }

  /// Returns the refusal that `body` ends with.
  private func refusal(_ body: () throws -> Void) throws -> Refusal {
    do { try body() } catch NetlinkError.refused(let refusal) { return refusal }
    throw Host.Failure(text: "not refused")
  }

  @Test func `a refused step undoes all, and is named`() throws {
    let host = try host()
    let before = try host.listing()
    let elements = (1...20).map {
      NamedSet.Element([.transport(.udp), .port($0)], comment: "service policy.port:\($0)")
    }
    let refusal = try refusal {
      try host.kernel.carryOut(
        transaction(
          .addChain("new", hook: nil), .addElements(elements, set: TransactionTests.port),
          .addRules(
            [
              Rule([.verdict(.accept)]),
              Rule([.verdict(.jump("nowhere"))], comment: "payroll policy.port:17"),
            ], chain: "new"), .deleteSet("port")))
    }
    #expect(refusal.command == 2)
    #expect(
      refusal.description == "chain new, rule 2 (payroll policy.port:17): no such table, chain, set, rule or element")
    #expect(try host.listing() == before)
  }

  @Test func `a refused element is named`() throws {
    let host = try host()
    var elements = (1...3000).map { NamedSet.Element([.transport(.udp), .port($0)], comment: "udp policy.port:\($0)") }
    elements[2900].key = [.transport(.tcp), .port(80)]
    let refusal = try refusal {
      try host.kernel.carryOut(transaction(.addElements(elements, set: TransactionTests.port)))
    }
    #expect(refusal.description == "set port, element 2901 (udp policy.port:2901): there is one already")
  }

  @Test(arguments: [
    (Command.createTable, "table portcullis: there is one already"),
    (.addChain("judge", hook: nil), "chain judge: there is one already"),
    (.addSet(port), "set port: there is one already"),
    (.deleteSet("port"), "set port: in use: something still leads to it"),
    (.deleteSet("ports"), "set ports: no such table, chain, set, rule or element"),
    (.deleteChain("nowhere"), "chain nowhere: no such table, chain, set, rule or element"),
    (
      .deleteRule(handle: 9999, chain: "judge"),
      "chain judge, rule with the handle 9999: no such table, chain, set, rule or element"
    ),
  ])
  func `refusals say what and why`(command: Command, words: String) throws {
    let host = try host()
    let before = try host.listing()
    let checked = try refusal { try host.kernel.check(transaction(command)) }
    let refused = try refusal { try host.kernel.carryOut(transaction(command)) }
    #expect(refused.description == words)
    #expect(checked == refused)
    #expect(try host.listing() == before)
  }

  @Test func `chains that lead to each other are refused, in dry runs too`() throws {
    let host = try host()
    let circle = transaction(
      .addRules([Rule([.verdict(.goto("judge"))])], chain: "input"),
      .insertRule(Rule([.verdict(.goto("judge"))], comment: "circle"), chain: "judge"))
    for isDry in [true, false] {
      let refusal = try refusal { try isDry ? host.kernel.check(circle) : host.kernel.carryOut(circle) }
      #expect(refusal.description.contains("in a circle"), "\(refusal)")
    }
  }

  @Test func `a stale generation changes nothing`() throws {
    let host = try host()
    let generation = try host.kernel.generation()
    try host.load("table ip other { }")
    #expect(throws: NetlinkError.stale) {
      try host.kernel.carryOut(transaction(.addChain("new", hook: nil)), generation: generation.number)
    }
    #expect(throws: NetlinkError.stale) {
      try host.kernel.check(transaction(.addChain("new", hook: nil)), generation: generation.number)
    }
    #expect(try !host.listing().contains("chain new"))
    try host.kernel.carryOut(
      transaction(.addChain("new", hook: nil)), generation: try host.kernel.generation().number)
    #expect(try host.listing().contains("chain new"))
  }

  @Test func `every command does what it says`() throws {
    let host = try host()
    let kernel = host.kernel
    let rule = Rule([.counter, .verdict(.accept)], comment: "first")
    try kernel.carryOut(transaction(.insertRule(rule, chain: "judge")))
    var live = try #require(try kernel.table(named: "portcullis"))
    #expect(live.chains[0].rules.map { $0.rule?.comment } == ["first", nil, "the rest"])
    let counts = [Count(packets: 5, bytes: 300), Count(packets: 7, bytes: 490)]
    try kernel.carryOut(
      transaction(
        .deleteRule(handle: live.chains[0].rules[0].handle, chain: "judge"),
        .addRules([rule, Rule([.verdict(.drop)]), rule], chain: "judge", counts: counts),
        .deleteElements(TransactionTests.port.elements, set: TransactionTests.port),
        .addElements(
          [.init([.transport(.udp), .port(53)]), .init([.transport(.tcp), .port(443)], comment: "x")],
          set: TransactionTests.port, counts: [Count(packets: 1, bytes: 60), Count(packets: 2, bytes: 120)])))
    live = try #require(try kernel.table(named: "portcullis"))
    #expect(live.chains[0].rules.map { $0.rule?.comment } == [nil, "the rest", "first", nil, "first"])
    #expect(live.chains[0].rules.map(\.counts) == [[], [Count()], [counts[0]], [], [counts[1]]])
    #expect(
      live.sets[0].elements == [
        .init([.transport(.tcp), .port(443)], comment: "x"), .init([.transport(.udp), .port(53)]),
      ])
    #expect(live.sets[0].counts == [Count(packets: 2, bytes: 120), Count(packets: 1, bytes: 60)])
    #expect(try host.listing().contains("udp . 53 counter packets 1 bytes 60"))
    try kernel.carryOut(
      transaction(
        .flushChain("judge"), .deleteSet("port"), .deleteChain("judge"),
        .addRules([Rule([.verdict(.accept)])], chain: "input")))
    live = try #require(try kernel.table(named: "portcullis"))
    #expect(live.sets.isEmpty && live.chains.map(\.name) == ["input"])
    try kernel.carryOut(transaction(.deleteTable))
    #expect(try kernel.table(named: "portcullis") == nil)
  }

  /// What one element has is not taken over by the next one that has something else, or nothing.
  @Test(arguments: [false, true]) func `elements of one map are all different`(isInterval: Bool) throws {
    let host = try host()
    var random = SeededGenerator(seed: isInterval ? 1 : 2)
    let verdicts: [Verdict] = [.accept, .drop, .return, .goto("judge"), .jump("judge"), .goto("other")]
    let elements = (0..<400).map { i in
      let lower = Address(.ipv4, UInt128(0x0a00_0000 + 16 * i))
      let key: Datum =
        isInterval && i % 3 > 0
        ? .addresses(AddressRange(from: lower, through: Address(.ipv4, lower.value + UInt128(3 + i % 5))))
        : .address(lower)
      return NamedSet.Element(
        [key], value: .verdict(random.pick(verdicts)),
        comment: random.pick([nil, "x", String(repeating: "y", count: 127), "service \(i)"]))
    }.shuffled(using: &random)
    let counts = elements.indices.map { Count(packets: UInt64($0 + 1), bytes: UInt64(100 * $0)) }
    let map = NamedSet(
      "mixed", key: [.ipv4], value: .verdict, isInterval: isInterval, counts: true, elements: elements)
    try host.kernel.carryOut(
      transaction(.addChain("other", hook: nil), .addSet(map, counts: counts)))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    let read = try #require(live.sets.first { $0.definition.name == "mixed" })
    #expect(read.elements == elements.ordered && read.oddities.isEmpty)
    let order = try #require(elements.order)
    #expect(read.counts == order.map { counts[$0] })
    let gone = Array(elements.prefix(150))
    try host.kernel.carryOut(transaction(.deleteElements(gone, set: map)))
    let left = try #require(try host.kernel.table(named: "portcullis")?.sets.first { $0.definition.name == "mixed" })
    #expect(left.elements == Array(elements.dropFirst(150)).ordered)
  }

  @Test func `elements of a gate go away by themselves`() throws {
    let host = try host()
    let gate = NamedSet("gate_input", key: [.family], value: .verdict, hasTimeouts: true)
    let elements = AddressFamily.allCases.map {
      NamedSet.Element([.family($0)], value: .verdict(.goto("judge")))
    }
    try host.kernel.carryOut(
      transaction(
        .addSet(gate), .insertRule(Rule([.namedVerdictMap(Selector(.nfproto), "gate_input")]), chain: "input"),
        .addElements(elements, set: gate, timeout: 600)))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    let read = try #require(live.sets.first { $0.definition.name == "gate_input" })
    #expect(live.unknowns.isEmpty)
    #expect(read.definition == gate)
    #expect(read.elements == elements.ordered)
    #expect(read.lifetimes.allSatisfy { ($0?.timeout ?? 0) == 600 && ($0?.left ?? 0) <= 600 })
    var left = 50
    while left > 0, try host.kernel.table(named: "portcullis")?.sets.contains(where: { !$0.lifetimes.isEmpty }) == true
    {
      left -= 1
      _ = try host.namespace.run(["sleep", "0.1"])
    }
    #expect(left > 0)
  }

  @Test func `a hundred thousand elements`() throws {
    let host = try Host()
    let elements = (0..<100_000).map { i in
      NamedSet.Element(
        [.address(Address(.ipv4, UInt128(0x0a00_0000 + i))), .transport(.tcp), .port(UInt16(i % 1000))],
        comment: "service\(i) policy.port:\(i)")
    }
    let set = NamedSet("many", key: [.ipv4, .transport, .port], size: 131_072, counts: true, elements: elements)
    let interval = NamedSet(
      "wide", key: [.ipv4], isInterval: true,
      elements: (0..<20_000).map { i in
        let first = UInt128(0x0b00_0000 + 16 * i)
        return .init([
          .all(of: AddressRange(from: Address(.ipv4, first), through: Address(.ipv4, first + UInt128(i % 16))))
        ])
      })
    let table = Table("portcullis", sets: [set, interval])
    try host.kernel.carryOut(.creating(table))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    #expect(live.unknowns.isEmpty)
    #expect(live.table == table.canonical)
    let gone = Array(elements[1000..<90_000])
    try host.kernel.carryOut(transaction(.deleteElements(gone, set: set)))
    #expect(try host.kernel.table(named: "portcullis")?.sets[0].elements.count == 11_000)
  }

  @Test func `a batch of two thousand rules`() throws {
    let host = try Host()
    let rules = (0..<2000).map { i in
      Rule(
        [
          .match(Selector(.l4proto), .equal, .datum(.transport(.tcp))),
          .match(Selector(.dport), .equal, .anyOf([.port(UInt16(i)), .port(UInt16(i) + 20_000)])), .counter,
          .verdict(.accept),
        ], comment: "rule policy.port:\(i)")
    }
    let table = Table("portcullis", chains: [Chain("judge", rules: rules)])
    try host.kernel.carryOut(.creating(table))
    let live = try #require(try host.kernel.table(named: "portcullis"))
    #expect(live.table == table.canonical)
    try host.kernel.carryOut(transaction(.deleteTable))
  }
}
