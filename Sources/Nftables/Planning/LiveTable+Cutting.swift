public import Packets

// To cut connections, both directions of each are put into sets whose elements go away by themselves, and the first rule of
// the chain where packets arrive drops what is in them: without that, the next packet of a side that still holds the
// connection would make the kernel track it anew, in the other direction (docs/hosts.md).

extension ConnectionTuple {
  /// The element of a set that stands for packets of the tuple.
  fileprivate var element: NamedSet.Element {
    NamedSet.Element([
      .address(source), .port(sourcePort), .address(destination), .port(destinationPort), .transport(transport),
    ])
  }
}

/// The objects by which connections are cut.
enum Cut {
  /// The name of the chain that drops.
  static let chain = "cut.connections"

  /// How long a direction stays cut, in milliseconds: a day.
  ///
  /// A program that sends nothing for longer may go on then, if the connection's other end still holds it.
  static let time: UInt64 = 86_400_000

  /// Returns the set for `family`.
  static func set(_ family: AddressFamily) -> NamedSet {
    let type: DataType = family == .ipv4 ? .ipv4 : .ipv6
    return NamedSet(
      "cut.\(family == .ipv4 ? "ip" : "ip6")", key: [type, .port, type, .port, .transport], hasTimeouts: true)
  }

  /// The sets.
  static let sets = AddressFamily.allCases.map(set)

  /// The rules of the chain.
  static let rules = AddressFamily.allCases.map { family in
    Rule([
      .match(
        Selector(.saddr(family), .sport, .daddr(family), .dport, .l4proto), .equal, .set(set(family).name)),
      .verdict(.drop),
    ])
  }

  /// The rule that leads to the chain.
  static let entrance = Rule([.verdict(.jump(chain))])
}

extension LiveTable {
  /// Returns the transaction that cuts `directions`, or nothing if there is no chain where packets arrive.
  public func cutting(_ directions: [ConnectionTuple]) -> Transaction? {
    guard let arrival = chains.first(where: { $0.hook?.kind == .filter && $0.hook?.point == .prerouting }) else {
      return nil
    }
    var commands: [Command] = []
    let isThere = chains.contains { $0.name == Cut.chain }
    if !isThere {
      commands = [.addChain(Cut.chain, hook: nil)] + Cut.sets.map { .addSet($0) }
      commands.append(.addRules(Cut.rules, chain: Cut.chain))
    }
    for set in Cut.sets {
      let known = Set(sets.first { $0.definition.name == set.name }?.elements.map(\.key) ?? [])
      var seen = known
      let wanted = directions.filter { ($0.source.family == .ipv4) == (set.key[0] == .ipv4) }.map(\.element)
      let new = wanted.filter { seen.insert($0.key).inserted }
      if !new.isEmpty { commands.append(.addElements(new, set: set, timeout: Cut.time)) }
    }
    if !arrival.cuts { commands.append(.insertRule(Cut.entrance, chain: arrival.name)) }
    return Transaction(name, commands)
  }

  /// The same table without what cuts connections.
  var withoutCuts: LiveTable {
    guard chains.contains(where: { $0.name == Cut.chain }) else { return self }
    var result = self
    result.chains.removeAll { $0.name == Cut.chain }
    result.sets.removeAll { set in Cut.sets.contains { $0.name == set.definition.name } }
    for i in result.chains.indices { result.chains[i].rules.removeAll(where: \.cuts) }
    return result
  }

  /// The steps that remove what cut connections, if none is cut any more.
  var endOfCuts: [Command] {
    let sets = sets.filter { set in Cut.sets.contains { $0.name == set.definition.name } }
    guard let chain = chains.first(where: { $0.name == Cut.chain }), sets.allSatisfy(\.elements.isEmpty) else {
      return []
    }
    return chains.flatMap { chain in
      chain.rules.filter(\.cuts).map { Command.deleteRule(handle: $0.handle, chain: chain.name) }
    } + Command.removing(chains: [chain], sets: sets)
  }

  /// The steps that put the rule that cuts connections before the others of the chain `chain` with a hook, where it has one.
  func raisingCuts(in chain: String) -> [Command] {
    guard let rule = chains.first(where: { $0.name == chain })?.rules.first(where: \.cuts), endOfCuts.isEmpty else {
      return []
    }
    return [.insertRule(Cut.entrance, chain: chain), .deleteRule(handle: rule.handle, chain: chain)]
  }

  /// The step that lets the new chain `chain` at `hook` begin with the rule that cuts connections, if some are cut and it is
  /// where packets arrive.
  func cuttingFirst(in hook: BaseHook?, named chain: String) -> [Command] {
    guard chains.contains(where: { $0.name == Cut.chain }), endOfCuts.isEmpty, hook?.kind == .filter,
      hook?.point == .prerouting
    else { return [] }
    return [.addRules([Cut.entrance], chain: chain)]
  }

  /// The steps that remove all rules of the chain `chain` with a hook but the one that cuts connections, which stays while
  /// some are cut.
  func flushing(_ chain: String) -> [Command] {
    let cuts = endOfCuts.isEmpty && chains.first { $0.name == chain }?.cuts ?? false
    return [.flushChain(chain)] + (cuts ? [.addRules([Cut.entrance], chain: chain)] : [])
  }
}

extension LiveChain {
  /// `true` iff a rule leads to what cuts connections.
  fileprivate var cuts: Bool { rules.contains(where: \.cuts) }
}

extension LiveRule {
  /// `true` iff the rule leads to what cuts connections.
  var cuts: Bool { rule?.statements == Cut.entrance.statements }
}
