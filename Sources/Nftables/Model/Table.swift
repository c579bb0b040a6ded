/// Where the kernel enters a chain.
public struct BaseHook: Hashable, Sendable {
  /// What a base chain may do.
  public enum Kind: String, Hashable, Sendable {
    /// It judges every packet.
    case filter

    /// It translates the first packet of each connection.
    case nat
  }

  /// A point on a packet's way.
  public enum Point: String, Hashable, Sendable, CaseIterable {
    /// The points that chains of ours stand at.
    case prerouting, output, postrouting
  }

  /// What the chain may do.
  public var kind: Kind

  /// Where the chain stands.
  public var point: Point

  /// Its place among other chains there; lower ones come first.
  public var priority: Int

  /// Creates a hook.
  public init(_ kind: Kind, at point: Point, priority: Int) {
    self.kind = kind
    self.point = point
    self.priority = priority
  }
}

/// A chain of rules.
public struct Chain: Hashable, Sendable {
  /// The name.
  public var name: String

  /// Where the kernel enters it, unless only rules do; the policy of a base chain is always `accept`.
  public var hook: BaseHook?

  /// The rules, in the order in which they judge.
  public var rules: [Rule]

  /// Creates a chain.
  public init(_ name: String, hook: BaseHook? = nil, rules: [Rule] = []) {
    self.name = name
    self.hook = hook
    self.rules = rules
  }
}

/// A table of the `inet` family, which sees IPv4 and IPv6.
public struct Table: Hashable, Sendable {
  /// The name.
  public var name: String

  /// The sets and maps.
  public var sets: [NamedSet]

  /// The chains.
  public var chains: [Chain]

  /// Creates a table.
  public init(_ name: String, sets: [NamedSet] = [], chains: [Chain] = []) {
    self.name = name
    self.sets = sets
    self.chains = chains
  }
}

/// What one transaction does.
public struct Script: Hashable, Sendable {
  /// One step of a transaction.
  public enum Command: Hashable, Sendable {
    /// Makes an empty table unless there is one, so that it can be deleted whether it was there or not.
    case ensure(String)

    /// Makes an empty table; the transaction fails if there is one.
    case create(String)

    /// Deletes a table with all that is in it.
    case delete(String)

    /// Removes the rules of a chain.
    case flush(chain: String, table: String)

    /// Adds all that is in a table.
    case define(Table)

    /// Adds a rule at the end of a chain.
    case append(Rule, chain: String, table: String)
  }

  /// What a reader should know, a line each.
  public var notes: [String]

  /// The steps.
  public var commands: [Command]

  /// Creates a transaction.
  public init(notes: [String] = [], _ commands: [Command]) {
    self.notes = notes
    self.commands = commands
  }
}
