public import Packets

/// What iptables-save or ip6tables-save prints: the tables of one family.
public struct Ruleset: Hashable, Sendable {
  /// The family whose packets the tables judge.
  public var family: AddressFamily

  /// The tables, in the order in which they are restored.
  public var tables: [Table]

  /// Creates the ruleset of `tables`.
  public init(family: AddressFamily, tables: [Table] = []) {
    self.family = family
    self.tables = tables
  }

  /// Returns the table called `name`, if there is one.
  public func table(_ name: String) -> Table? { tables.first { $0.name == name } }
}

/// A table: `mangle`, `nat`, `filter`, `security` or `raw`.
public struct Table: Hashable, Sendable {
  /// The name.
  public var name: String

  /// The chains, those that the kernel calls first.
  public var chains: [Chain]

  /// Creates the table of `chains`.
  public init(_ name: String, chains: [Chain] = []) {
    self.name = name
    self.chains = chains
  }

  /// Returns the chain called `name`, if there is one.
  public func chain(_ name: String) -> Chain? { chains.first { $0.name == name } }
}

/// A list of rules.
public struct Chain: Hashable, Sendable {
  /// What becomes of a packet at the end of a chain that the kernel calls.
  public enum Policy: String, Hashable, Sendable {
    /// It goes on.
    case accept = "ACCEPT"
    /// It disappears.
    case drop = "DROP"
  }

  /// The name, of at most 28 bytes.
  public var name: String

  /// The policy of a chain that the kernel calls, or nothing for one that rules jump to.
  public var policy: Policy?

  /// The rules, in order.
  public var rules: [Rule]

  /// Creates the chain of `rules`.
  public init(_ name: String, policy: Policy? = nil, rules: [Rule] = []) {
    self.name = name
    self.policy = policy
    self.rules = rules
  }
}

/// A value that a field of a packet must have, or must not have.
public struct Selector<Value: Hashable & Sendable>: Hashable, Sendable {
  /// The value.
  public var value: Value

  /// `true` iff the field must differ from the value.
  public var isNegated: Bool

  /// Creates the demand for `value`, or for anything else if `isNegated`.
  public init(_ value: Value, isNegated: Bool = false) {
    self.value = value
    self.isNegated = isNegated
  }
}

/// A rule: what it matches and what it does.
public struct Rule: Hashable, Sendable {
  /// Where the packet comes from.
  public var source: Selector<Prefix>?

  /// Where it is sent.
  public var destination: Selector<Prefix>?

  /// The interface on which it arrives; a last `+` stands for any end.
  public var arrival: Selector<String>?

  /// The interface on which it leaves; a last `+` stands for any end.
  public var departure: Selector<String>?

  /// The protocol.
  public var transport: Selector<TransportProtocol>?

  /// What else it matches, in order.
  public var matches: [Match]

  /// The comment, of at most 255 bytes.
  public var comment: String?

  /// What it does, or nothing if it only counts.
  public var target: Target?

  /// Creates a rule.
  public init(
    transport: TransportProtocol? = nil, arrival: String? = nil, matches: [Match] = [], comment: String? = nil,
    target: Target? = nil
  ) {
    self.transport = transport.map { Selector($0) }
    self.arrival = arrival.map { Selector($0) }
    self.matches = matches
    self.comment = comment
    self.target = target
  }
}
