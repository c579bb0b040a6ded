extension LiveTable {
  /// What is like nothing that a change of ours leaves, though each rule of it could be ours: names that mean something to
  /// us, used for something else.
  ///
  /// Such a table is not understood as a whole, however its rules look, and is made anew.
  public var irregularities: [String] { irregularGates + irregularCuts + irregularNames }

  /// `true` iff the table is understood as a whole.
  var isRegular: Bool { oddities.isEmpty && irregularities.isEmpty }

  private var irregularGates: [String] {
    gates.flatMap { gate -> [String] in
      let rules = chains.first { $0.name == gate.chain }?.rules.filter { !$0.cuts } ?? []
      var problems: [String] = []
      if rules.first?.handle != gate.handle { problems.append("chain \(gate.chain): a gate is not its first rule") }
      let map = sets.first { $0.definition.name == gate.name }
      if map?.definition.withoutElements != Gate.map(for: gate.chain) || map?.isOdd == true {
        problems.append("map \(gate.name): it is no gate")
      }
      let known = Set(Gate.elements(for: gate.chain).map(\.plain))
      let elements = map?.elements ?? []
      if !elements.allSatisfy({ known.contains($0.plain) }) || !(map?.endsByItself ?? true) {
        problems.append("map \(gate.name): its elements are not those of a gate")
      }
      return problems
    }
  }

  private var irregularCuts: [String] {
    guard let chain = chains.first(where: { $0.name == Cut.chain }) else { return [] }
    var problems: [String] = []
    let wanted = Cut.rules.map(\.canonical.statements)
    if chain.hook != nil || chain.rules.map({ $0.rule?.statements ?? [] }) != wanted {
      problems.append("chain \(Cut.chain): its rules are not those that cut connections")
    }
    for set in Cut.sets {
      let found = sets.first { $0.definition.name == set.name }
      if found?.definition.withoutElements != set || found?.isOdd == true || !(found?.endsByItself ?? true) {
        problems.append("set \(set.name): it is not as those that cut connections")
      }
    }
    for chain in chains where chain.hook == nil && chain.rules.contains(where: \.cuts) {
      problems.append("chain \(chain.name): it leads to what cuts connections")
    }
    return problems
  }

  /// Two objects of which each could be the one that the policy's ruleset has.
  private var irregularNames: [String] {
    // While a change waits, both rulesets are there; what does not judge is not asked.
    let reached = judging.swept
    func repeated(_ names: [String]) -> [String] {
      var seen = Set<String>()
      return names.filter { !seen.insert($0.logicalName).inserted }
    }
    return repeated(reached.chains.filter { $0.hook == nil || !$0.rules.isEmpty }.map(\.name)).map {
      "chain \($0): there is another one like it"
    } + repeated(reached.sets.map(\.definition.name)).map { "set \($0): there is another one like it" }
  }
}

extension LiveSet {
  /// `true` iff every element goes away by itself.
  fileprivate var endsByItself: Bool {
    elements.isEmpty || lifetimes.count == elements.count && lifetimes.allSatisfy { $0 != nil }
  }
}
