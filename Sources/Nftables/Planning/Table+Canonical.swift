import Packets

// Two tables that the kernel cannot tell apart have one canonical form: nft(8) lets a rule leave out what its fields
// imply (`ip saddr` implies `meta nfproto ipv4`), the kernel has it, and it has no order of chains, sets and elements.

extension Table {
  /// The table with everything written out that its fields imply, and with chains, sets and elements in a fixed order.
  public var canonical: Table {
    var table = canonicalButForElements
    for i in table.sets.indices { table.sets[i].elements = table.sets[i].elements.ordered }
    return table
  }

  /// The same with elements in the order in which they are.
  var canonicalButForElements: Table {
    var table = self
    for i in table.chains.indices {
      for j in table.chains[i].rules.indices { table.chains[i].rules[j] = table.chains[i].rules[j].canonical }
    }
    return table.ordered
  }

  /// The table with its chains and sets in the order of their names.
  var ordered: Table {
    var table = self
    table.chains.sort { $0.name < $1.name }
    table.sets.sort { $0.name < $1.name }
    return table
  }
}

extension Rule {
  /// The rule with everything written out that its fields imply, as the kernel has it.
  public var canonical: Rule {
    var result = Rule([], comment: comment)
    result.statements.reserveCapacity(statements.count + 2)
    var known = Implications()
    for statement in statements {
      for part in statement.parts { known.add(impliedBy: part.field, to: &result.statements) }
      known.learn(statement)
      result.statements.append(statement.ordered)
    }
    return result
  }
}

/// What a rule has compared so far.
private struct Implications {
  /// The family, if it is known.
  var family: AddressFamily?

  /// The protocol, if it is known.
  var transport: TransportProtocol?

  /// Adds to `statements` the comparisons that nft(8) puts before `field`.
  mutating func add(impliedBy field: Field, to statements: inout [Statement]) {
    switch field {
    case .saddr(let wanted), .daddr(let wanted): require(wanted, &statements)
    case .hopLimit: require(.ipv6, &statements)
    case .icmpType, .icmpCode: require(.icmp, .ipv4, &statements)
    case .icmpv6Type, .icmpv6Code: require(.icmpv6, .ipv6, &statements)
    default: break
    }
  }

  /// Adds the comparison with the family `wanted`, unless it is known.
  private mutating func require(_ wanted: AddressFamily, _ statements: inout [Statement]) {
    guard family != wanted else { return }
    family = wanted
    statements.append(.match(Selector(.nfproto), .equal, .datum(.family(wanted))))
  }

  /// Adds the comparison with the protocol `wanted`, and before it that with its family, unless it is known.
  private mutating func require(
    _ wanted: TransportProtocol, _ family: AddressFamily, _ statements: inout [Statement]
  ) {
    guard transport != wanted else { return }
    require(family, &statements)
    transport = wanted
    statements.append(.match(Selector(.l4proto), .equal, .datum(.transport(wanted))))
  }

  /// Takes note of what `statement` compares.
  mutating func learn(_ statement: Statement) {
    guard case .match(let selector, .equal, .datum(let datum)) = statement, selector.parts.count == 1,
      selector.parts[0].mask == nil
    else { return }
    switch datum {
    case .family(let family): self.family = family
    case .transport(let transport): self.transport = transport
    default: break
    }
  }
}

extension Statement {
  /// The fields that the statement looks at.
  fileprivate var parts: [MaskedField] {
    switch self {
    case .match(let selector, _, _), .verdictMap(let selector, _), .namedVerdictMap(let selector, _),
      .update(_, let selector, _), .dnat(.port(let selector, _)), .dnat(.mapped(_, let selector, _)):
      selector.parts
    case .dnat(.spread(let family, _)): [MaskedField(.saddr(family))]
    case .limit, .counter, .log, .verdict, .reject, .masquerade: []
    }
  }

  /// The statement with its constants in order, where the kernel has no order.
  fileprivate var ordered: Statement {
    switch self {
    case .match(let selector, let comparison, .anyOf(let data)):
      .match(selector, comparison, .anyOf(data.sorted { Datum.precedes($0, $1) }))
    case .verdictMap(let selector, let elements):
      .verdictMap(selector, elements.sorted { Datum.precedes($0.key, $1.key) })
    default: self
    }
  }
}

extension Datum {
  /// Returns `true` iff `a`, which is of the type of `b`, stands before it.
  static func precedes(_ a: Datum, _ b: Datum) -> Bool {
    a.order == b.order ? a.text < b.text : a.order < b.order
  }

  /// The first value, as a number.
  private var order: UInt128 {
    switch self {
    case .address(let address): address.value
    case .addresses(let range): range.lower.value
    case .port(let port): UInt128(port)
    case .ports(let range): UInt128(range.lower)
    case .transport(let transport): UInt128(transport.rawValue)
    case .number(let number): UInt128(number)
    case .interface: 0
    case .family(let family): UInt128(family.rawValue)
    case .state(let state): UInt128(ConnectionState.allCases.firstIndex(of: state) ?? 0)
    case .destinationTranslated: 0
    case .addressType(let type): UInt128(AddressType.allCases.firstIndex(of: type) ?? 0)
    case .seconds(let seconds): UInt128(UInt(bitPattern: seconds))
    }
  }

  /// The value, if it is a text.
  private var text: String {
    if case .interface(let name) = self { name } else { "" }
  }
}
