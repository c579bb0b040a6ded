import Firewalls
import Packets
import Support
import Testing

@testable import Nftables

/// Plans bring a kernel from any ruleset to any other one, whatever happens on the way.
@Suite struct PlanningTests {
  /// Returns the rulesets of some random firewalls, neighbours of which are often alike.
  static func tables(seed: Int, count: Int) -> [Table] {
    var world = RandomWorld(seed: seed)
    var firewall = world.firewall(services: 4)
    return (0..<count).map { _ in
      if world.chance(30) {
        firewall = world.firewall(services: 4)
      } else if world.chance(50), !firewall.openings.isEmpty {
        firewall.openings.remove(at: Int.random(in: firewall.openings.indices, using: &world.random))
      } else {
        let other = world.firewall(services: 4)
        firewall.openings += other.openings.prefix(2)
        if world.chance(30) { firewall.blocks = other.blocks }
      }
      return NftablesBackend.table(for: firewall, sources: sampleSources).0.canonical
    }
  }

  /// Returns what `table` does, as the policy's ruleset has it: without comments, and without chains that do nothing.
  static func logical(_ table: Table) -> Table {
    var result = table.canonical
    result.chains = result.chains.filter { $0.hook == nil || !$0.rules.isEmpty }.map { chain in
      Chain(
        chain.name.logicalName, hook: chain.hook,
        rules: chain.rules.map { Rule(Renaming.logical.rule($0).statements) })
    }
    result.sets = result.sets.map { set in
      var plain = set
      plain.name = set.name.logicalName
      plain.elements = set.elements.map { .init($0.key, value: Renaming.logical.element($0).value) }
      return plain
    }
    return result.ordered
  }

  /// Returns what becomes of `probes` in `kernel`, by its raw table.
  static func fates(of probes: [Probe], in kernel: FakeKernel) throws -> Fates {
    Fates(of: probes, in: try #require(kernel.live).table)
  }

  /// Returns what judges in `kernel`.
  static func judging(_ kernel: FakeKernel) throws -> Table {
    logical(try #require(kernel.live).judging.swept.table)
  }

  /// Returns the kernel with `table`, which a plan of its own made.
  static func kernel(with table: Table) throws -> FakeKernel {
    var kernel = try FakeKernel()
    for step in Plan.creating(table).steps { try kernel.take(step.transaction) }
    #expect(try judging(kernel) == logical(table))
    return kernel
  }

  @Test(arguments: Worlds.batches(of: 75)) func everyStepJudgesByTheOldOrTheNew(batch: Int) throws {
    for seed in Worlds.seeds(of: batch) {
      let tables = Self.tables(seed: seed, count: 3)
      let probes = Fates.probes(seed: seed)
      var kernel = try Self.kernel(with: tables[0])
      for (old, new) in zip(tables, tables.dropFirst()) {
        let live = try #require(kernel.live)
        var expected = Self.logical(old)
        var fates = Fates(of: probes, in: old)
        #expect(fates.fates.contains { $0.outcomes.contains(.accept) } && fates != Fates(of: probes, in: Table("x")))
        for step in try live.plan(to: new).steps {
          try kernel.take(step.transaction)
          if step.purpose == .swap {
            expected = Self.logical(new)
            fates = Fates(of: probes, in: new)
          }
          #expect(try Self.judging(kernel) == expected, "seed \(seed), after \(step.purpose)")
          #expect(try Self.fates(of: probes, in: kernel) == fates, "seed \(seed), after \(step.purpose)")
        }
        let after = try #require(kernel.live)
        #expect(after == after.swept, "seed \(seed): something is left")
        #expect(expected == Self.logical(new))
        #expect(try after.plan(to: new).isEmpty)
      }
    }
  }

  @Test(arguments: Worlds.batches(of: 50)) func whatWasCutShortIsNoHindrance(batch: Int) throws {
    for seed in Worlds.seeds(of: batch) {
      let tables = Self.tables(seed: seed, count: 3)
      let probes = Fates.probes(seed: seed)
      for seconds in [nil, 60] {
        var kernel = try Self.kernel(with: tables[0])
        let steps = try #require(kernel.live).plan(to: tables[1], confirmingWithin: seconds).steps
        for step in steps.prefix(seed % (steps.count + 1)) { try kernel.take(step.transaction) }
        kernel.expire()
        if seconds != nil {
          #expect(try Self.judging(kernel) == Self.logical(tables[0]))
          #expect(try Self.fates(of: probes, in: kernel) == Fates(of: probes, in: tables[0]))
        }
        for step in try #require(kernel.live).plan(to: tables[2]).steps { try kernel.take(step.transaction) }
        let after = try #require(kernel.live)
        #expect(try Self.judging(kernel) == Self.logical(tables[2]))
        #expect(try Self.fates(of: probes, in: kernel) == Fates(of: probes, in: tables[2]))
        #expect(after == after.swept && after.gates.isEmpty)
      }
    }
  }

  @Test(arguments: Worlds.batches(of: 50)) func aChangeWaitsToBeConfirmed(batch: Int) throws {
    for seed in Worlds.seeds(of: batch) {
      let tables = Self.tables(seed: seed, count: 2)
      let probes = Fates.probes(seed: seed)
      let (before, after) = (Fates(of: probes, in: tables[0]), Fates(of: probes, in: tables[1]))
      var kernel = try Self.kernel(with: tables[0])
      let plan = try #require(kernel.live).plan(to: tables[1], confirmingWithin: 60)
      for step in plan.steps {
        #expect(try Self.judging(kernel) == Self.logical(tables[0]))
        #expect(try Self.fates(of: probes, in: kernel) == before)
        try kernel.take(step.transaction)
      }
      #expect(try Self.judging(kernel) == Self.logical(tables[1]))
      #expect(try Self.fates(of: probes, in: kernel) == after, "seed \(seed), while it waits")
      guard !plan.isEmpty else { continue }
      let live = try #require(kernel.live)
      #expect(live.pending == 60_000)
      #expect(throws: PlanningError.pending) { try live.plan(to: tables[0]) }

      // In time.
      var confirmed = kernel
      for step in try live.confirmation().steps { try confirmed.take(step.transaction) }
      #expect(try Self.judging(confirmed) == Self.logical(tables[1]))
      #expect(try Self.fates(of: probes, in: confirmed) == after)
      #expect(try #require(confirmed.live).plan(to: tables[1]).isEmpty)
      #expect(confirmed.live == confirmed.live?.swept)

      // Taken back.
      var withdrawn = kernel
      for step in try live.withdrawal().steps { try withdrawn.take(step.transaction) }
      #expect(try Self.judging(withdrawn) == Self.logical(tables[0]))
      #expect(try Self.fates(of: probes, in: withdrawn) == before)
      #expect(withdrawn.live == withdrawn.live?.swept)

      // Too late.
      kernel.expire()
      let lapsed = try #require(kernel.live)
      #expect(lapsed.hasLapsed && lapsed.pending == nil)
      #expect(try Self.judging(kernel) == Self.logical(tables[0]))
      #expect(try Self.fates(of: probes, in: kernel) == before, "seed \(seed), when the time is over")
      #expect(throws: PlanningError.notPending) { try lapsed.confirmation() }
      for step in try lapsed.withdrawal().steps { try kernel.take(step.transaction) }
      #expect(try #require(kernel.live).plan(to: tables[0]).isEmpty)
    }
  }

  /// What cuts connections stays through changes, and goes once none is cut any more.
  @Test(arguments: Worlds.batches(of: 25)) func cutsOutlastChanges(batch: Int) throws {
    func address(_ text: String) throws -> Address { try #require(Address(text)) }
    for seed in Worlds.seeds(of: batch) {
      let tables = Self.tables(seed: seed, count: 3)
      let directions = [
        ConnectionTuple(.tcp, try address("192.0.2.1"), 50_000, to: try address("192.0.2.10"), 22),
        ConnectionTuple(.tcp, try address("2001:db8::1"), 50_000, to: try address("2001:db8::10"), 22),
      ]
      let probes = Fates.probes(seed: seed)
      // What is cut, whatever the policy says of it.
      let cut = directions.map { direction in
        Probe(
          packet: Packet(
            interface: "eth0", source: direction.source, destination: direction.destination,
            transport: direction.transport, sourcePort: direction.sourcePort,
            destinationPort: direction.destinationPort), destinationType: .local)
      }
      func expectCut(_ kernel: FakeKernel, _ table: Table, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let fates = try Self.fates(of: cut, in: kernel).fates
        #expect(fates.allSatisfy { $0.outcomes.first == .drop }, "seed \(seed)", sourceLocation: sourceLocation)
        #expect(
          try Self.fates(of: probes, in: kernel) == Fates(of: probes, in: table), "seed \(seed)",
          sourceLocation: sourceLocation)
      }
      var kernel = try Self.kernel(with: tables[0])
      // A second time adds nothing.
      for _ in 0..<2 { try kernel.take(try #require(kernel.live?.cutting(directions))) }
      for seconds in [nil, 60] {
        let plan = try #require(kernel.live).plan(to: tables[seconds == nil ? 1 : 2], confirmingWithin: seconds)
        try expectCut(kernel, tables[seconds == nil ? 0 : 1])
        for step in plan.steps { try kernel.take(step.transaction) }
        try expectCut(kernel, tables[seconds == nil ? 1 : 2])
        if kernel.live?.pending != nil {
          for step in try #require(kernel.live).confirmation().steps { try kernel.take(step.transaction) }
        }
        #expect(try Self.judging(kernel) == Self.logical(tables[seconds == nil ? 1 : 2]))
        let live = try #require(kernel.live)
        #expect(live.sets.filter { $0.definition.name.hasPrefix("cut.") }.flatMap(\.elements).count == 2)
        #expect(live.chains.contains { $0.hook != nil && $0.rules.first?.rule?.statements == Cut.entrance.statements })
      }
      kernel.expire()
      let end = try #require(kernel.live).plan(to: tables[2])
      #expect(end.steps.map(\.purpose) == [.tidy])
      for step in end.steps { try kernel.take(step.transaction) }
      #expect(try #require(kernel.live).sets.allSatisfy { !$0.definition.name.hasPrefix("cut.") })
      #expect(try #require(kernel.live).plan(to: tables[2]).isEmpty)
    }
  }

  /// What others do to our table is undone.
  @Test(arguments: Worlds.batches(of: 25)) func strangeEditsAreUndone(batch: Int) throws {
    for seed in Worlds.seeds(of: batch) {
      let tables = Self.tables(seed: seed, count: 2)
      for edit in 0..<7 {
        var kernel = try Self.kernel(with: tables[0])
        kernel.edit { table in
          switch edit {
          case 0: table.chains[seed % table.chains.count].rules.removeAll()
          case 1:
            table.chains[seed % table.chains.count].rules.insert(
              LiveRule(handle: 9999, rule: nil, text: "something strange"), at: 0)
          case 2: table.chains.append(LiveChain("strange", handle: 9999, rules: [LiveRule(handle: 9998, rule: nil)]))
          case 3:
            for i in table.chains.indices where table.chains[i].hook != nil {
              table.chains[i].oddities = ["its policy is drop"]
            }
          case 4: if !table.sets.isEmpty { table.sets[seed % table.sets.count].elements = [] }
          case 5:
            for i in table.chains.indices where table.chains[i].hook != nil { table.chains[i].hook?.priority += 1 }
          default: table.oddities = ["it is dormant"]
          }
          for i in table.sets.indices where table.sets[i].elements.isEmpty { table.sets[i].counts = [] }
        }
        for table in [tables[0], tables[1]] {
          let plan = try #require(kernel.live).plan(to: table)
          for step in plan.steps { try kernel.take(step.transaction) }
          if edit == 6 { kernel.edit { $0.oddities = [] } }
          #expect(try Self.judging(kernel) == Self.logical(table), "seed \(seed), edit \(edit)")
          let after = try #require(kernel.live)
          #expect(try after.plan(to: table).isEmpty, "seed \(seed), edit \(edit)")
          #expect(after.unknowns.isEmpty)
        }
      }
    }
  }

  /// Names that mean something to us, used for something else, are seen, and the table is made anew.
  @Test(arguments: Worlds.batches(of: 25)) func ourNamesAreNotTrusted(batch: Int) throws {
    let accept = Rule([.verdict(.accept)])
    for seed in Worlds.seeds(of: batch) {
      let table = Self.tables(seed: seed, count: 1)[0]
      for edit in 0..<4 {
        var kernel = try Self.kernel(with: table)
        kernel.edit { live in
          let base = live.chains.firstIndex { $0.hook?.point == .prerouting && $0.hook?.kind == .filter } ?? 0
          func insert(_ rule: Rule) { live.chains[base].rules.insert(LiveRule(handle: 9999, rule: rule), at: 0) }
          switch edit {
          case 0:
            live.chains.append(LiveChain(Cut.chain, handle: 9998, rules: [LiveRule(handle: 9997, rule: accept)]))
            insert(Cut.entrance)
          case 1:
            let elements = [NamedSet.Element([.family(.ipv4)], value: .verdict(.accept))]
            live.sets.append(
              LiveSet(Gate.map(for: live.chains[base].name), handle: 9998, elements: elements, lifetimes: [nil]))
            insert(Gate.rule(for: live.chains[base].name))
          case 2:
            live.chains.append(LiveChain("refuse.2", handle: 9998, rules: [LiveRule(handle: 9997, rule: accept)]))
            insert(Rule([.verdict(.jump("refuse.2"))]))
          default:
            // An open gate that leads past the policy, with a second one that is closed.
            live.chains.append(
              LiveChain(
                Gate.name(of: live.chains[base].name), handle: 9998, rules: [LiveRule(handle: 9997, rule: accept)]))
            live.sets.append(
              LiveSet(
                Gate.map(for: live.chains[base].name), handle: 9996,
                elements: Gate.elements(for: live.chains[base].name),
                lifetimes: [nil, nil]))
            insert(Gate.rule(for: live.chains[base].name))
          }
        }
        let live = try #require(kernel.live)
        #expect(!live.unknowns.isEmpty, "seed \(seed), edit \(edit)")
        guard live.pending == nil else { continue }
        #expect(throws: PlanningError.self) { try live.plan(to: table, confirmingWithin: 60) }
        for step in try live.plan(to: table).steps { try kernel.take(step.transaction) }
        #expect(try Self.judging(kernel) == Self.logical(table))
        #expect(kernel.live?.unknowns == [])
      }
    }
  }

  /// One element more in sets whose elements the kernel takes at once is one step, and counters go on.
  @Test func oneMoreExposureIsOneElement() throws {
    func firewall(_ ports: Range<UInt16>) -> Firewall {
      var firewall = Firewall.closed()
      for port in ports {
        firewall.openings.append(
          Opening(
            sources: [Reach(addresses("10.1.\(port % 250).0/24"))], destinations: nil, traffic: .tcp(port),
            cause: cause("s\(port)")))
      }
      return firewall
    }
    func table(_ ports: Range<UInt16>) -> Table {
      NftablesBackend.table(for: firewall(ports), sources: sampleSources).0
    }
    var kernel = try Self.kernel(with: table(1000..<1200))
    kernel.edit { live in
      for i in live.sets.indices {
        live.sets[i].counts = live.sets[i].counts.map { _ in Count(packets: 7, bytes: 700) }
      }
    }
    let plan = try #require(kernel.live).plan(to: table(1000..<1201))
    #expect(plan.steps.map(\.purpose) == [.swap])
    #expect(plan.steps.first?.transaction.commands.count == 1)
    #expect(plan.changes.flatMap(\.added).count == 1 && plan.changes.allSatisfy(\.removed.isEmpty))
    for step in plan.steps { try kernel.take(step.transaction) }
    #expect(try #require(kernel.live).sets.flatMap(\.counts).count { $0.packets == 7 } == 200)

    // A change of rules takes the counts along.
    var wide = firewall(1000..<1201)
    wide.openings.append(Opening(sources: [Reach(.all)], destinations: nil, traffic: .udp(53), cause: cause("dns")))
    wide.blocks = [
      Refusal(
        sources: [Reach(addresses("192.0.2.128/25"))], destinations: nil, traffic: nil, until: nil, logged: false,
        cause: cause("block"))
    ]
    let staged = try #require(kernel.live).plan(to: NftablesBackend.table(for: wide, sources: sampleSources).0)
    #expect(staged.steps.map(\.purpose) == [.stage, .swap, .clean])
    for step in staged.steps { try kernel.take(step.transaction) }
    #expect(try #require(kernel.live).sets.flatMap(\.counts).count { $0.packets == 7 } == 200)
  }
}
