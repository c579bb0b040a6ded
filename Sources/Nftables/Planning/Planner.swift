extension LiveTable {
  /// Returns the steps that make the table do what `wanted`, the ruleset of a policy, does.
  ///
  /// With `seconds` the change takes itself back after that time, unless `confirmation` is carried out before.
  public func plan(to wanted: Table, confirmingWithin seconds: Int? = nil) throws(PlanningError) -> Plan {
    guard pending == nil else { throw .pending }
    guard seconds == nil || unknowns.isEmpty else { throw .odd(unknowns) }
    guard isRegular else {
      // Nothing of such a table can be trusted to judge, so that nothing is lost by making it anew at once.
      let anew = Transaction.creating(wanted.canonical)
      var plan = Plan([.init(.swap, Transaction(name, [.deleteTable] + anew.commands))])
      plan.reasons = unknowns
      plan.leavesNothingUnknown = true
      return plan
    }
    var plan = Planner(self, wanted).plan(seconds)
    plan.leavesNothingUnknown = true
    return plan
  }
}

extension Plan {
  /// Returns the steps from `live`, or from no table at all, to what `wanted`, the ruleset of a policy, does.
  ///
  /// `seconds` is as in `LiveTable.plan`.
  public static func from(
    _ live: LiveTable?, to wanted: Table, confirmingWithin seconds: Int? = nil
  ) throws(PlanningError) -> Plan {
    guard let live else { return .creating(wanted, confirmingWithin: seconds) }
    return try live.plan(to: wanted, confirmingWithin: seconds)
  }

  /// Returns the steps that make `wanted`, the ruleset of a policy, where there is no table yet.
  public static func creating(_ wanted: Table, confirmingWithin seconds: Int? = nil) -> Plan {
    let empty = LiveTable(wanted.name, handle: 0, generation: 0)
    return Planner(empty, wanted, exists: false).plan(seconds)
  }
}

/// The maker of one plan.
private struct Planner {
  /// The table as it is.
  let live: LiveTable

  /// `true` iff there is a table.
  let exists: Bool

  /// `true` iff all of the table is understood.
  let isUnderstood: Bool

  /// The table without what no packet comes to.
  let current: LiveTable

  /// What of it packets come to.
  let judging: LiveTable

  /// The table as it is to be, in its canonical form.
  private(set) var wanted: Table

  /// The sets that are as they are to be, by their names in the policy's ruleset.
  private var alike: Set<String> = []

  /// What is there of each chain and set, by its name in the policy's ruleset.
  private var chains: [String: LiveChain] = [:]
  private var sets: [String: LiveSet] = [:]

  /// The chains and sets that are made anew, by their names in the policy's ruleset.
  private var stale = References()

  /// The names that chains and sets get, by their names in the policy's ruleset.
  private var chainNames: [String: String] = [:]
  private var setNames: [String: String] = [:]

  init(_ live: LiveTable, _ wanted: Table, exists: Bool = true) {
    self.live = live
    self.wanted = wanted.canonicalButForElements
    self.exists = exists
    // What other programs' rules lead to is not known, so that nothing is removed before those rules are gone.
    isUnderstood = live.unknowns.isEmpty
    current = isUnderstood ? live.judging.swept : live.judging
    // What no packet comes to judges nothing, however like the wanted ruleset it is.
    judging = current.swept
    // A chain with a hook that another one took over from stays, without rules.
    for chain in judging.chains where chains[chain.name.logicalName]?.isIdle ?? true {
      chains[chain.name.logicalName] = chain
    }
    for set in judging.sets { sets[set.definition.name.logicalName] = set }
    for i in self.wanted.sets.indices {
      let name = self.wanted.sets[i].name
      let old = sets[name].flatMap { $0.isOdd ? nil : $0 }
      // Elements that are those of the kernel, in its order, stand in the right one.
      var isAlike = old?.isLike(self.wanted.sets[i]) ?? false
      if !isAlike, let order = self.wanted.sets[i].elements.order {
        let elements = self.wanted.sets[i].elements
        self.wanted.sets[i].elements = order.map { elements[$0] }
        isAlike = old?.isLike(self.wanted.sets[i]) ?? false
      }
      if isAlike { alike.insert(name) }
    }
  }

  func plan(_ seconds: Int?) -> Plan {
    var planner = self
    let differences = planner.compare()
    let tidy = Plan.Step(.tidy, planner.tidying)
    guard !differences.isEmpty || !exists else { return Plan([tidy]) }
    if seconds == nil, let elements = planner.elementsAlone(differences) {
      return Plan([tidy, .init(.swap, Transaction(live.name, elements))], changes: differences.map(\.change))
    }
    planner.spread()
    planner.name()
    return Plan(
      [tidy] + (seconds.map(planner.gated) ?? planner.direct), changes: differences.map(\.change))
  }

  /// What removes what an interrupted change left, and the gates of one that was not confirmed.
  private var tidying: Transaction {
    guard exists else { return Transaction(live.name, []) }
    let gates = live.gates.map { Command.deleteRule(handle: $0.handle, chain: $0.chain) }
    // What the gates led to goes with all else that is old, since rules of others may lead there too.
    guard isUnderstood else { return Transaction(live.name, gates) }
    return Transaction(live.name, gates + live.endOfCuts + live.judging.sweep().commands)
  }

  // MARK: - What differs

  /// A chain or a set whose own content differs.
  private struct Difference {
    var change: ObjectChange
    var chain: Chain?
    var set: NamedSet?
  }

  /// Returns what differs between the table as it is and as it is to be; notes what is to be made anew.
  private mutating func compare() -> [Difference] {
    var result: [Difference] = []
    for chain in wanted.chains {
      let old = chains[chain.name]
      if let old, old.hook == chain.hook, old.oddities.isEmpty, old.isLike(chain) { continue }
      stale.chains.insert(chain.name)
      result.append(Difference(change: .init(of: chain, from: old), chain: chain))
    }
    let (before, after) = (Bucket.filled(by: judging.table), Bucket.filled(by: wanted))
    for set in wanted.sets {
      let old = sets[set.name]
      // Elements keep the rate that they were made with, so that another rate needs another set.
      if alike.contains(set.name), before[set.name] == after[set.name] { continue }
      stale.sets.insert(set.name)
      result.append(Difference(change: .init(of: set, from: old), set: set))
    }
    let names = (Set(wanted.chains.map(\.name)), Set(wanted.sets.map(\.name)))
    for chain in current.chains where !chain.isIdle {
      let name = chain.name.logicalName
      if !names.0.contains(name) {
        result.append(Difference(change: .init(of: Chain(name), from: chain)))
      } else if chains[name]?.name != chain.name {
        result.append(Difference(change: .init(leftover: chain.name, .chain)))
      }
    }
    for set in current.sets {
      let name = set.definition.name.logicalName
      if !names.1.contains(name) {
        result.append(Difference(change: .init(of: set.definition.withoutElements, from: set)))
      } else if sets[name]?.definition.name != set.definition.name {
        result.append(Difference(change: .init(leftover: set.definition.name, .set)))
      }
    }
    for object in live.objects {
      result.append(Difference(change: .init(.object, object.name, added: [], removed: ["\(object.word) (not ours)"])))
    }
    return result
  }

  /// Returns the steps that do it by elements of sets alone, if those suffice and the kernel takes them at once.
  private func elementsAlone(_ differences: [Difference]) -> [Command]? {
    var commands: [Command] = []
    for difference in differences {
      guard let set = difference.set, let old = sets[set.name], !old.isOdd, old.hasDefinition(of: set),
        !set.isInterval, !set.isDynamic, !set.hasTimeouts
      else { return nil }
      let definition = old.definition.withoutElements
      let names = Renaming(chain: { chains[$0]?.name ?? $0 }, set: { $0 })
      let (gone, new) = old.elements.differences(from: set.elements)
      if !gone.isEmpty { commands.append(.deleteElements(gone, set: definition)) }
      if !new.isEmpty { commands.append(.addElements(new.map(names.element), set: definition)) }
    }
    // A packet that looks into one set before the change and into another one behind it must find what it found before or
    // will find: so several sets only grow, or only shrink.
    let adds = commands.allSatisfy { if case .addElements = $0 { true } else { false } }
    let deletes = commands.allSatisfy { if case .deleteElements = $0 { true } else { false } }
    return differences.count == 1 || adds || deletes ? commands : nil
  }

  // MARK: - What is made anew

  /// Adds to what is made anew all that leads to it; chains with hooks stay, and get other rules.
  private mutating func spread() {
    var hasGrown = true
    while hasGrown {
      hasGrown = false
      for set in wanted.sets where !stale.sets.contains(set.name) {
        var references = References()
        references.add(set)
        guard !references.chains.isDisjoint(with: stale.chains) else { continue }
        stale.sets.insert(set.name)
        hasGrown = true
      }
      for chain in wanted.chains where !stale.chains.contains(chain.name) {
        var references = References()
        references.add(chain.rules)
        guard !references.chains.isDisjoint(with: stale.chains) || !references.sets.isDisjoint(with: stale.sets) else {
          continue
        }
        stale.chains.insert(chain.name)
        hasGrown = true
      }
    }
  }

  /// Chooses the names.
  private mutating func name() {
    let base = exists && isUnderstood ? current : live
    let takenChains = Set(base.chains.map(\.name))
    let takenSets = Set(base.sets.map(\.definition.name))
    for chain in wanted.chains {
      let old = chains[chain.name]
      let stays = chain.hook == nil ? !stale.chains.contains(chain.name) : keepsHook(chain)
      chainNames[chain.name] = stays ? old?.name : chain.name.freeName(besides: takenChains)
    }
    for set in wanted.sets {
      setNames[set.name] =
        stale.sets.contains(set.name) ? set.name.freeName(besides: takenSets) : sets[set.name]?.definition.name
    }
  }

  /// Returns `true` iff the wanted chain with a hook is there already, with whatever rules.
  private func keepsHook(_ chain: Chain) -> Bool {
    chains[chain.name].map { $0.hook == chain.hook && $0.oddities.isEmpty } ?? false
  }

  /// The names that chains and sets get.
  private var names: Renaming {
    Renaming(chain: { chainNames[$0] ?? $0 }, set: { setNames[$0] ?? $0 })
  }

  /// The chains with hooks that get other rules.
  private var entrances: [Chain] {
    wanted.chains.filter { $0.hook != nil && stale.chains.contains($0.name) }
  }

  /// The chains with hooks that are there and are wanted no more.
  private var exits: [LiveChain] {
    let kept = Set(wanted.chains.filter { $0.hook != nil && keepsHook($0) }.map { chains[$0.name]?.name ?? $0.name })
    return current.chains.filter { $0.hook != nil && !kept.contains($0.name) && !$0.isIdle }
  }

  /// The steps that make ready what is made anew; chains with hooks get no rules yet.
  private var staging: [Command] {
    let names = names
    let newChains = wanted.chains.filter { $0.hook == nil && stale.chains.contains($0.name) }
    var commands: [Command] = exists ? [] : [.createTable]
    commands += newChains.map { .addChain(names.chain($0.name), hook: nil) }
    commands += wanted.chains.filter { $0.hook != nil && !keepsHook($0) }.map {
      .addChain(names.chain($0.name), hook: $0.hook)
    }
    for set in wanted.sets where stale.sets.contains(set.name) {
      var new = set
      new.name = names.set(set.name)
      new.elements = set.elements.map(names.element)
      commands.append(.addSet(new, counts: sets[set.name]?.counts(for: set) ?? []))
    }
    for chain in newChains { commands += rules(of: chain, to: names.chain(chain.name)) }
    return commands
  }

  /// Returns the step that adds the rules of the wanted `chain` to `name`; their counters go on from where they are.
  private func rules(of chain: Chain, to name: String) -> [Command] {
    guard !chain.rules.isEmpty else { return [] }
    return [
      .addRules(chain.rules.map(names.rule), chain: name, counts: chains[chain.name]?.counts(for: chain.rules) ?? [])
    ]
  }

  // MARK: - Steps

  /// The steps of a change for good.
  private var direct: [Plan.Step] {
    let names = names
    // One of ours stays, without rules; one with a policy of its own would go on judging.
    var swap = exits.flatMap { chain -> [Command] in
      live.flushing(chain.name) + (chain.oddities.isEmpty ? [] : [.deleteChain(chain.name)])
    }
    for chain in entrances {
      let name = names.chain(chain.name)
      if !keepsHook(chain) {
        swap += live.cuttingFirst(in: chain.hook, named: name)
      } else if chains[chain.name]?.rules.isEmpty == false {
        swap += live.flushing(name)
      }
      swap += rules(of: chain, to: name)
    }
    return [
      .init(.stage, Transaction(live.name, staging)), .init(.swap, Transaction(live.name, swap)),
      .init(.clean, cleaning),
    ]
  }

  /// The transaction that removes what nothing leads to once the rules are swapped.
  private var cleaning: Transaction {
    let kept = References(
      chains: Set(wanted.chains.map { names.chain($0.name) }), sets: Set(wanted.sets.map { names.set($0.name) }))
    let left = isUnderstood ? current : live.withoutCuts
    return Transaction(
      live.name,
      Command.removing(
        chains: left.chains.filter { $0.hook == nil && !kept.chains.contains($0.name) },
        sets: left.sets.filter { !kept.sets.contains($0.definition.name) })
        + live.objects.map(Command.deleteObject))
  }

  /// Returns the steps of a change that takes itself back after `seconds`.
  private func gated(within seconds: Int) -> [Plan.Step] {
    let names = names
    var stage = staging
    var swap: [Command] = []
    func add(_ chain: String, _ rules: [Command]) {
      stage += [.addChain(Gate.name(of: chain), hook: nil)] + rules + [.addSet(Gate.map(for: chain))]
      swap += [
        .addElements(Gate.elements(for: chain), set: Gate.map(for: chain), timeout: UInt64(seconds) * 1000),
        .insertRule(Gate.rule(for: chain), chain: chain),
      ]
      swap += live.raisingCuts(in: chain)
    }
    for chain in entrances {
      let name = names.chain(chain.name)
      add(name, rules(of: chain, to: Gate.name(of: name)))
    }
    for chain in exits { add(chain.name, []) }
    return [.init(.stage, Transaction(live.name, stage)), .init(.swap, Transaction(live.name, swap))]
  }
}

extension LiveChain {
  /// `true` iff the chain has a hook and does nothing.
  fileprivate var isIdle: Bool { hook != nil && rules.isEmpty && oddities.isEmpty }

  /// Returns `true` iff the rules are those of `chain` of a policy's ruleset, comments apart.
  fileprivate func isLike(_ chain: Chain) -> Bool {
    rules.count == chain.rules.count
      && zip(rules, chain.rules).allSatisfy { live, wanted in
        live.rule.map { Renaming.logical.rule($0).statements == wanted.statements } ?? false
      }
  }

  /// Returns what the counters of `rules` begin with: what those of equal rules here have counted.
  fileprivate func counts(for rules: [Rule]) -> [Count] {
    var known: [[Statement]: [[Count]]] = [:]
    for rule in self.rules.reversed() where rule.rule != nil {
      known[Renaming.logical.rule(rule.rule ?? Rule([])).statements, default: []].append(rule.counts)
    }
    return rules.flatMap { rule in
      let size = rule.statements.count { $0 == .counter }
      let counts = known[rule.statements]?.popLast() ?? []
      return counts.count == size ? counts : Array(repeating: Count(), count: size)
    }
  }
}

extension LiveSet {
  /// Returns `true` iff the set is like `wanted` of a policy's ruleset, elements and comments apart.
  fileprivate func hasDefinition(of wanted: NamedSet) -> Bool {
    var named = definition
    named.name = wanted.name
    return named.withoutElements == wanted.withoutElements
  }

  /// Returns `true` iff the set is like `wanted` of a policy's ruleset, comments apart.
  fileprivate func isLike(_ wanted: NamedSet) -> Bool {
    guard hasDefinition(of: wanted) else { return false }
    if wanted.isDynamic { return true }
    return elements.count == wanted.elements.count
      && elements.indices.allSatisfy {
        elements[$0].hasKey(of: wanted.elements[$0]) && elements[$0].value.isLike(wanted.elements[$0].value)
      }
  }

  /// Returns what the counters of the elements of `wanted` begin with: what those of equal keys here have counted.
  fileprivate func counts(for wanted: NamedSet) -> [Count] {
    guard wanted.counts, counts.count == elements.count, !wanted.isDynamic else { return [] }
    let known = Dictionary(zip(elements.map(\.key), counts)) { first, _ in first }
    return wanted.elements.map { known[$0.key] ?? Count() }
  }
}
