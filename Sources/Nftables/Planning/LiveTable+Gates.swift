import Packets

// A change that must be confirmed judges behind gates: each chain with a hook begins with a rule that asks a map whether
// to go to the new rules, and the elements of the map go away by themselves. So the kernel holds the timer, and the old
// rules return whether anybody is there or not.

/// The gate of one chain with a hook.
struct Gate: Hashable {
  /// The chain with the hook.
  var chain: String

  /// The handle of the rule that asks the map.
  var handle: UInt64

  /// The name of the map and of the chain with the new rules.
  var name: String { Gate.name(of: chain) }

  /// How many milliseconds are left; nothing if the gate is closed.
  var left: UInt64?

  /// Returns the name of the map and of the chain with the new rules, for the chain `chain` with a hook.
  static func name(of chain: String) -> String { "\(chain).gate" }

  /// The rule that asks the map, for the chain `chain` with a hook.
  static func rule(for chain: String) -> Rule { Rule([.namedVerdictMap(Selector(.nfproto), name(of: chain))]) }

  /// Returns the map for the chain `chain` with a hook, whose elements go away by themselves.
  static func map(for chain: String) -> NamedSet {
    NamedSet(name(of: chain), key: [.family], value: .verdict, hasTimeouts: true)
  }

  /// The elements that open the gate of the chain `chain` with a hook.
  static func elements(for chain: String) -> [NamedSet.Element] {
    [AddressFamily.ipv4, .ipv6].map { .init([.family($0)], value: .verdict(.goto(name(of: chain)))) }
  }
}

extension LiveTable {
  /// The gates of the table.
  var gates: [Gate] {
    chains.compactMap { chain in
      guard chain.hook != nil,
        let rule = chain.rules.first(where: { $0.rule?.statements == Gate.rule(for: chain.name).statements })
      else { return nil }
      let map = sets.first { $0.definition.name == Gate.name(of: chain.name) }
      // The elements of one gate go away at almost the same moment; when one is gone, the gate is closed.
      let isOpen = map?.elements.count == AddressFamily.allCases.count
      return Gate(
        chain: chain.name, handle: rule.handle, left: isOpen ? map?.lifetimes.compactMap { $0?.left }.min() ?? 0 : nil)
    }
  }

  /// How many milliseconds are left to confirm a change; nothing if none waits.
  public var pending: UInt64? {
    let gates = gates
    return gates.allSatisfy { $0.left != nil } ? gates.compactMap(\.left).min() : nil
  }

  /// `true` iff the table has rules of a change that was not confirmed in time.
  public var hasLapsed: Bool { pending == nil && !gates.isEmpty }

  /// Returns the steps that make a change for good that waits to be confirmed.
  public func confirmation() throws(PlanningError) -> Plan {
    guard pending != nil else { throw .notPending }
    var after = self
    var swap: [Command] = []
    for gate in gates {
      let rules = chains.first { $0.name == gate.name }?.rules ?? []
      swap += flushing(gate.chain) + rules.adding(to: gate.chain)
      after.setRules(rules, of: gate.chain)
    }
    return Plan([.init(.swap, Transaction(name, swap)), .init(.clean, after.cleaning(gates))])
  }

  /// What is not understood of what packets come to, if a change that waits is confirmed, which lets go what others put before
  /// and behind its gates.
  public var judgingUnknowns: [String] {
    var after = judging
    for gate in gates {
      after.setRules(
        after.chains.first { $0.name == gate.chain }?.rules.filter { $0.rule != nil } ?? [], of: gate.chain)
    }
    let reached = References.reached(in: after.table)
    // A chain of which something is odd is one that the kernel enters, in whatever way; objects by themselves do nothing.
    after.chains.removeAll { $0.oddities.isEmpty && !reached.chains.contains($0.name) }
    after.sets.removeAll { !reached.sets.contains($0.definition.name) }
    after.objects = []
    return irregularities + after.strangeParts
  }

  /// Returns the steps that take back a change that waits to be confirmed, or remove one that was not confirmed in time.
  public func withdrawal() throws(PlanningError) -> Plan {
    guard !gates.isEmpty else { throw .notPending }
    var after = self
    var swap: [Command] = []
    for gate in gates {
      swap.append(.deleteRule(handle: gate.handle, chain: gate.chain))
      let rules = chains.first { $0.name == gate.chain }?.rules.filter { $0.handle != gate.handle } ?? []
      after.setRules(rules, of: gate.chain)
    }
    return Plan([.init(.swap, Transaction(name, swap)), .init(.clean, after.cleaning(gates))])
  }

  /// Returns the transaction that removes what no packet comes to and `gates`; the rules of others may lead to anything, so
  /// that only the gates are removed while there are some.
  private func cleaning(_ gates: [Gate]) -> Transaction {
    unknowns.isEmpty ? withoutCuts.sweep() : Transaction(name, removing(gates))
  }

  /// Returns the steps that remove the maps and chains of `gates`, which no rule asks any more.
  func removing(_ gates: [Gate]) -> [Command] {
    let names = Set(gates.map(\.name))
    return Command.removing(
      chains: chains.filter { names.contains($0.name) }, sets: sets.filter { names.contains($0.definition.name) })
  }

  /// The table as it judges: behind its gates if they are open, else without them; what cuts connections is left out.
  public var judging: LiveTable {
    var result = withoutCuts
    let isOpen = pending != nil
    for gate in gates {
      let rules =
        isOpen
        ? chains.first { $0.name == gate.name }?.rules ?? []
        : result.chains.first { $0.name == gate.chain }?.rules.filter { $0.handle != gate.handle } ?? []
      result.setRules(rules, of: gate.chain)
    }
    return result
  }

  /// Replaces the rules of the chain `chain` by `rules`.
  mutating func setRules(_ rules: [LiveRule], of chain: String) {
    for i in chains.indices where chains[i].name == chain { chains[i].rules = rules }
  }
}

extension [LiveRule] {
  /// Returns the step that adds the rules to `chain`, if there are some.
  func adding(to chain: String) -> [Command] {
    let known = filter { $0.rule != nil }
    return known.isEmpty
      ? [] : [.addRules(known.compactMap(\.rule), chain: chain, counts: known.flatMap(\.counts))]
  }
}
