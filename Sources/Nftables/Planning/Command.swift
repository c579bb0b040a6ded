/// What a rule or an element has counted.
public struct Count: Hashable, Sendable {
  /// How many packets.
  public var packets: UInt64

  /// How many bytes they had.
  public var bytes: UInt64

  /// Creates a count.
  public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.packets = packets
    self.bytes = bytes
  }
}

/// One step of a change of a table, typed on the model; names are those that the kernel has.
public enum Command: Hashable, Sendable {
  /// Makes the table; the kernel refuses if there is one.
  case createTable

  /// Deletes the table with all that is in it.
  case deleteTable

  /// Makes a chain without rules; it judges at once if it has a hook.
  case addChain(String, hook: BaseHook?)

  /// Deletes a chain, which has no rules and which nothing leads to any more.
  case deleteChain(String)

  /// Removes all rules of a chain.
  case flushChain(String)

  /// Adds rules behind those that a chain has.
  ///
  /// `counts` are what the counters of all these rules begin with, in the order of the statements; none if with zero.
  case addRules([Rule], chain: String, counts: [Count] = [])

  /// Adds a rule before those that a chain has.
  case insertRule(Rule, chain: String)

  /// Deletes one rule, which `LiveRule.handle` names.
  case deleteRule(handle: UInt64, chain: String)

  /// Deletes something of others, which nothing leads to any more.
  case deleteObject(LiveObject)

  /// Makes a set or a map with its elements.
  ///
  /// `counts` are what the counters of the elements begin with, one for each element; none if with zero.
  case addSet(NamedSet, counts: [Count] = [])

  /// Deletes a set or a map, which no rule looks into any more.
  case deleteSet(String)

  /// Adds elements to a set, whose own elements are not looked at.
  ///
  /// They go away by themselves after `timeout` milliseconds, if there is one; `counts` is as in `addSet`.
  case addElements([NamedSet.Element], set: NamedSet, timeout: UInt64? = nil, counts: [Count] = [])

  /// Deletes elements by their keys from a set, whose own elements are not looked at.
  case deleteElements([NamedSet.Element], set: NamedSet)
}

/// Steps of which the kernel takes all or none.
public struct Transaction: Hashable, Sendable {
  /// The name of the table, which is of the family `inet`.
  public var table: String

  /// The steps, in the order in which they are taken.
  public var commands: [Command]

  /// Creates a transaction.
  public init(_ table: String, _ commands: [Command]) {
    self.table = table
    self.commands = commands
  }

  /// Returns the transaction that makes all of `table`, which must not be there yet.
  ///
  /// Chains come before what leads to them, and base chains get their rules last.
  public static func creating(_ table: Table) -> Transaction {
    var commands: [Command] = [.createTable]
    commands += table.chains.map { .addChain($0.name, hook: $0.hook) }
    commands += table.sets.map { .addSet($0) }
    commands += table.chains.filter { !$0.rules.isEmpty }.map { .addRules($0.rules, chain: $0.name) }
    return Transaction(table.name, commands)
  }
}
