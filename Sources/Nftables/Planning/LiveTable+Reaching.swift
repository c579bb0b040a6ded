extension References {
  /// Returns the chains of `table` that packets may come to, those with hooks included, and the sets that rules look into.
  static func reached(in table: Table) -> References {
    let chains = Dictionary(table.chains.map { ($0.name, $0) }) { first, _ in first }
    let sets = Dictionary(table.sets.map { ($0.name, $0) }) { first, _ in first }
    var reached = References()
    var next = table.chains.filter { $0.hook != nil }.map(\.name)
    while let name = next.popLast() {
      guard reached.chains.insert(name).inserted, let chain = chains[name] else { continue }
      var references = References()
      references.add(chain.rules)
      for name in references.sets where reached.sets.insert(name).inserted {
        if let set = sets[name] { references.add(set) }
      }
      next += references.chains
    }
    return reached
  }
}

extension Table {
  /// The same table without what no packet comes to.
  var pruned: Table {
    let reached = References.reached(in: self)
    return Table(
      name, sets: sets.filter { reached.sets.contains($0.name) },
      chains: chains.filter { reached.chains.contains($0.name) })
  }
}

extension LiveTable {
  /// The transaction that removes every chain and set that no packet comes to.
  func sweep() -> Transaction {
    let reached = References.reached(in: table)
    return Transaction(
      name,
      Command.removing(
        chains: chains.filter { !reached.chains.contains($0.name) },
        sets: sets.filter { !reached.sets.contains($0.definition.name) }))
  }

  /// The same table without what no packet comes to.
  var swept: LiveTable {
    let reached = References.reached(in: table)
    var result = self
    result.chains.removeAll { !reached.chains.contains($0.name) }
    result.sets.removeAll { !reached.sets.contains($0.definition.name) }
    return result
  }
}

extension Command {
  /// Returns the steps that remove `chains` and `sets`, which lead to nobody but one another.
  static func removing(chains: [LiveChain], sets: [LiveSet]) -> [Command] {
    chains.filter { !$0.rules.isEmpty }.map { .flushChain($0.name) }
      + sets.map { .deleteSet($0.definition.name) } + chains.map { .deleteChain($0.name) }
  }
}
