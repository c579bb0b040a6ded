extension Plan {
  /// Returns the ruleset that judges once `swap`, the transaction of that step, is carried out on `staged`, and what of the
  /// table is not understood once the steps behind it are carried out too.
  ///
  /// It is told from what the kernel has, so that what it is proved of is what will judge.
  public func outcome(of swap: Transaction, on staged: LiveTable?) -> (ruleset: Table, unknowns: [String]) {
    var table = staged ?? LiveTable(swap.table, handle: 0, generation: 0)
    for command in swap.commands { table.carryOut(command) }
    let ruleset = table.ruleset
    table.remove(steps.filter { $0.purpose == .clean }.flatMap(\.transaction.commands))
    return (ruleset, table.strangeParts)
  }
}

extension LiveTable {
  /// Returns `true` iff the table is what `before` becomes by `transactions` alone; what packets and time do is no
  /// difference.
  public func isOutcome(of transactions: [Transaction], on before: LiveTable?) -> Bool {
    var expected = before ?? LiveTable(name, handle: handle, generation: generation)
    for transaction in transactions { for command in transaction.commands { expected.carryOut(command) } }
    guard oddities == expected.oddities, objects == expected.objects, chains.count == expected.chains.count,
      sets.count == expected.sets.count
    else { return false }
    let chains = Dictionary(self.chains.map { ($0.name, $0) }) { first, _ in first }
    let sets = Dictionary(self.sets.map { ($0.definition.name, $0) }) { first, _ in first }
    return expected.chains.allSatisfy { chains[$0.name]?.isLike($0) ?? false }
      && expected.sets.allSatisfy { sets[$0.definition.name]?.isLike($0) ?? false }
  }

  /// Takes away the chains, sets and objects that `commands` delete.
  fileprivate mutating func remove(_ commands: [Command]) {
    var gone = References()
    var goneObjects = Set<LiveObject>()
    for command in commands {
      switch command {
      case .deleteChain(let name): gone.chains.insert(name)
      case .deleteSet(let name): gone.sets.insert(name)
      case .deleteObject(let object): goneObjects.insert(object)
      default: break
      }
    }
    guard !gone.chains.isEmpty || !gone.sets.isEmpty || !goneObjects.isEmpty else { return }
    chains.removeAll { gone.chains.contains($0.name) }
    sets.removeAll { gone.sets.contains($0.definition.name) }
    objects.removeAll { goneObjects.contains($0) }
  }

  /// Does what `command` of a swap does.
  fileprivate mutating func carryOut(_ command: Command) {
    switch command {
    case .createTable, .deleteTable:
      chains = []
      sets = []
      objects = []
      oddities = []
    case .addChain(let name, let hook): chains.append(LiveChain(name, handle: 0, hook: hook))
    case .deleteChain(let name): chains.removeAll { $0.name == name }
    case .flushChain(let name): setRules([], of: name)
    case .addRules(let rules, let name, _):
      for i in chains.indices where chains[i].name == name {
        chains[i].rules += rules.map { LiveRule(handle: 0, rule: $0.canonical) }
      }
    case .insertRule(let rule, let name):
      for i in chains.indices where chains[i].name == name {
        chains[i].rules.insert(LiveRule(handle: 0, rule: rule.canonical), at: 0)
      }
    case .deleteRule(let handle, let name):
      for i in chains.indices where chains[i].name == name { chains[i].rules.removeAll { $0.handle == handle } }
    case .deleteObject(let object): objects.removeAll { $0 == object }
    case .addSet(let set, _):
      sets.append(LiveSet(set.withoutElements, handle: 0, elements: set.elements.ordered))
    case .deleteSet(let name): sets.removeAll { $0.definition.name == name }
    case .addElements(let elements, let set, let timeout, _):
      for i in sets.indices where sets[i].definition.name == set.name {
        sets[i].elements = (sets[i].elements + elements).ordered
        if let timeout { sets[i].lifetimes += elements.map { _ in Lifetime(timeout: timeout, left: timeout) } }
      }
    case .deleteElements(let elements, let set):
      let keys = Set(elements.map(\.key))
      for i in sets.indices where sets[i].definition.name == set.name {
        sets[i].elements.removeAll { keys.contains($0.key) }
      }
    }
  }
}

extension LiveChain {
  /// Returns `true` iff the chain is as `expected`, of which the kernel chose handles where they are zero.
  fileprivate func isLike(_ expected: LiveChain) -> Bool {
    hook == expected.hook && oddities == expected.oddities && rules.count == expected.rules.count
      && zip(rules, expected.rules).allSatisfy { read, expected in
        read.rule == expected.rule && read.text == expected.text
          && (expected.handle == 0 || read.handle == expected.handle)
      }
  }
}

extension LiveSet {
  /// Returns `true` iff the set is as `expected`; what rules put into it is not looked at.
  fileprivate func isLike(_ expected: LiveSet) -> Bool {
    definition == expected.definition && oddities == expected.oddities
      && (definition.isDynamic || elements == expected.elements)
  }
}

extension Table {
  /// Returns `true` iff the two rulesets differ in comments at most.
  public func isLike(_ other: Table) -> Bool {
    guard frame == other.frame else { return false }
    let (mine, others) = (sets.sorted { $0.name < $1.name }, other.sets.sorted { $0.name < $1.name })
    return zip(mine, others).allSatisfy { $0.elements.areLike($1.elements) }
  }

  /// The same ruleset without elements and comments, and without chains that the kernel enters and that do nothing, in its
  /// canonical form.
  private var frame: Table {
    let chains = chains.filter { $0.hook == nil || !$0.rules.isEmpty }
    var frame = Table(name, sets: sets.map(\.withoutElements), chains: chains).canonical
    for i in frame.chains.indices {
      for j in frame.chains[i].rules.indices { frame.chains[i].rules[j].comment = nil }
    }
    return frame
  }

  /// The same ruleset without comments.
  public var withoutComments: Table {
    var table = self
    for i in table.sets.indices {
      for j in table.sets[i].elements.indices { table.sets[i].elements[j].comment = nil }
    }
    for i in table.chains.indices {
      for j in table.chains[i].rules.indices { table.chains[i].rules[j].comment = nil }
    }
    return table
  }

  /// The same ruleset with the names that the policy's ruleset has.
  public var logical: Table {
    let renaming = Renaming.logical
    return Table(
      name,
      sets: sets.map { set in
        var plain = set
        plain.name = set.name.logicalName
        if set.value == .verdict { plain.elements = set.elements.map(renaming.element) }
        return plain
      },
      chains: chains.map { Chain($0.name.logicalName, hook: $0.hook, rules: $0.rules.map(renaming.rule)) })
  }
}

extension [NamedSet.Element] {
  /// Returns `true` iff the elements are `others`, in whatever order and with whatever comments.
  fileprivate func areLike(_ others: Self) -> Bool {
    func areEqual(_ a: Self, _ b: Self) -> Bool {
      a.indices.allSatisfy { a[$0].hasKey(of: b[$0]) && a[$0].value == b[$0].value }
    }
    guard count == others.count else { return false }
    return areEqual(self, others) || areEqual(ordered, others.ordered)
  }
}

extension LiveTable {
  /// What judges now, as the policy's ruleset has it; rules that are not understood are left out, and are in `unknowns`.
  public var ruleset: Table { judging.table.pruned.logical }
}
