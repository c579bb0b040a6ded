import Firewalls
import Packets

/// The reader of a ruleset's meaning: from tables to chains at hooks, rule by rule.
///
/// It follows iptables(8), iptables-extensions(8) and the headers of the kernel, and knows nothing of the compiler. What it
/// cannot read is a condition of which nothing is known, so that what the ruleset may do is bounded from both sides.
struct Decompiler {
  /// The family of the ruleset.
  let family: AddressFamily

  /// What the result speaks of.
  let universe: Universe

  /// The chains and entrances so far.
  var host = HookedChains()

  /// What was not understood so far.
  var unknown: [ForeignRuleset.Unknown] = []

  /// The tables that no kernel has.
  var foreignTables: [ForeignRuleset.Unknown] = []

  /// The positions of the chains of the table that is read, by name.
  private var positions: [String: Int] = [:]

  /// The chain that was looked for last: thousands of rules lead to one.
  private var latest: (name: String, position: Int)?

  /// The number of rules that choose by chance.
  private var chances = 0

  /// The text and the number of the line of the rule that is read.
  private(set) var line = RuleLine(number: 0, text: [])

  /// Creates a reader of rulesets of `family`.
  init(_ family: AddressFamily, in universe: Universe) {
    self.family = family
    self.universe = universe
  }

  /// Where the kernel enters the chains of its own, by table (linux/netfilter_ipv4.h, `nf_ip_hook_priorities`).
  private static let entrances: [String: [(chain: String, hook: HookedChains.Hook, priority: Int)]] = [
    "raw": [("PREROUTING", .prerouting, -300), ("OUTPUT", .output, -300)],
    "mangle": [
      ("PREROUTING", .prerouting, -150), ("INPUT", .input, -150), ("FORWARD", .forward, -150),
      ("OUTPUT", .output, -150), ("POSTROUTING", .postrouting, -150),
    ],
    "nat": [
      ("PREROUTING", .prerouting, -100), ("INPUT", .input, 100), ("OUTPUT", .output, -100),
      ("POSTROUTING", .postrouting, 100),
    ],
    "filter": [("INPUT", .input, 0), ("FORWARD", .forward, 0), ("OUTPUT", .output, 0)],
    "security": [("INPUT", .input, 50), ("FORWARD", .forward, 50), ("OUTPUT", .output, 50)],
  ]

  /// Reads `ruleset`, of which `lines` has the line of each rule, by table, chain and rule.
  mutating func read(_ ruleset: Ruleset, lines: [[[RuleLine]]]) throws(BudgetExceeded) {
    for (t, table) in ruleset.tables.enumerated() { try read(table, lines: lines[t]) }
  }

  private mutating func read(_ table: Table, lines: [[RuleLine]]) throws(BudgetExceeded) {
    (positions, latest) = ([:], nil)
    for chain in table.chains {
      positions[chain.name] = host.chains.count
      host.chains.append(.init("\(table.name) \(chain.name)"))
    }
    let known = Self.entrances[table.name]
    if known == nil { foreignTables.append(.init(line: 0, words: "the table \(table.name) is not known")) }
    for entrance in known ?? [] {
      guard let chain = table.chain(entrance.chain), let position = positions[entrance.chain] else { continue }
      var new = HookedChains.Entrance(
        entrance.hook, priority: entrance.priority, translates: table.name == "nat", chain: position,
        policy: chain.policy == .drop ? .drop : .accept, families: [family])
      // It is not known yet where a packet leaves, or it does not leave.
      new.knowsDeparture = entrance.hook >= .forward
      host.entrances.append(new)
    }
    for (c, chain) in table.chains.enumerated() {
      guard let position = positions[chain.name] else { continue }
      var rules: [HookedChains.Rule] = []
      rules.reserveCapacity(chain.rules.count)
      var r = 0
      while r < chain.rules.count {
        line = lines[c][r]
        if let choice = Choice(chain.rules, at: r) {
          try read(choice, table.name, into: &rules)
          r += choice.count
        } else {
          try read(chain.rules[r], table.name, into: &rules)
          r += 1
        }
      }
      host.chains[position].rules = rules
    }
  }

  /// Returns the position of the chain `name` of the table that is read, if there is one.
  mutating func position(of name: String) -> Int? {
    if let latest, latest.name == name { return latest.position }
    guard let position = positions[name] else { return nil }
    latest = (name, position)
    return position
  }

  /// Notes that `words` were not understood.
  mutating func note(_ words: String) { unknown.append(.init(line: line.number, words: words)) }

  /// Returns the condition that `words` match, of which nothing is known, and notes it.
  mutating func condition(unknown words: String) throws(BudgetExceeded) -> PacketField {
    note(words)
    return try universe.unknown(words)
  }

  /// Returns a condition that holds by chance, for this rule alone.
  mutating func chance(_ words: String) throws(BudgetExceeded) -> PacketField {
    chances += 1
    return try universe.chance(chances)
  }

  /// Appends to `rules` what `rule` of the table `table` does.
  private mutating func read(
    _ rule: Rule, _ table: String, into rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) {
    // What only counts or logs matches without a consequence.
    guard let target = rule.target, !target.goesOn else { return }
    for selection in try selections(of: rule, table) {
      try append(target, of: rule, for: selection, to: &rules)
    }
  }

  /// Appends to `rules` what the rules of `choice` in the table `table` do.
  private mutating func read(
    _ choice: Choice, _ table: String, into rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) {
    for kind in choice.kinds {
      for selection in try selections(of: kind, table) {
        if let change = PortChange(choice.ports, base: choice.base, of: kind) {
          translate(selection, to: choice.addresses, change, &rules)
        } else {
          try append(unknown: "-j DNAT to one of several ports", for: selection, to: &rules)
        }
      }
    }
  }

  /// Returns what `rule` of the table `table` matches, in parts that have nothing in common.
  private mutating func selections(of rule: Rule, _ table: String) throws(BudgetExceeded) -> [Selection] {
    var selections = [Selection()]
    try narrow(&selections[0], to: rule)
    for match in rule.matches { try narrow(&selections, to: match, in: table) }
    selections.removeAll { $0.boxes.isEmpty }
    return selections
  }

  /// Leaves what the parts of `rule` that every rule has match.
  private mutating func narrow(_ selection: inout Selection, to rule: Rule) throws(BudgetExceeded) {
    if let source = rule.source {
      try selection.narrow(
        .source,
        to: universe.addresses([source.value.range], family, isNegated: source.isNegated, in: .source), in: universe)
    }
    if let destination = rule.destination {
      try selection.narrow(
        .destination,
        to: universe.addresses(
          [destination.value.range], family, isNegated: destination.isNegated, in: .destination), in: universe)
    }
    if let arrival = rule.arrival { try narrow(&selection, .arrival, to: arrival) }
    if let departure = rule.departure { try narrow(&selection, .departure, to: departure) }
    // The number 0 stands for every protocol.
    if let transport = rule.transport, transport.value.rawValue != 0 {
      let number = transport.value.rawValue
      try selection.narrow(
        .transport, to: universe.values(number...number, isNegated: transport.isNegated, of: .transport), in: universe)
    }
  }

  /// Leaves what has in `field` the interface `interface`, a name or its beginning.
  private func narrow(
    _ selection: inout Selection, _ field: PacketField, to interface: Selector<String>
  ) throws(BudgetExceeded) {
    let name = interface.value
    let values =
      name.hasSuffix("+")
      ? InterfaceName.values(beginningWith: String(name.dropLast()))
      : InterfaceName.value(of: name)...InterfaceName.value(of: name)
    try selection.narrow(
      field, to: universe.values(values, isNegated: interface.isNegated, of: field), in: universe)
  }
}

/// A line with a rule.
struct RuleLine: Hashable, Sendable {
  /// The number, counted from 1.
  var number: Int

  /// The bytes of the line.
  var text: ArraySlice<UInt8>
}
