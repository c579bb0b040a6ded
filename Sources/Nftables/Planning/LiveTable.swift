/// A table as the kernel has it.
///
/// Nothing that was read is left out: what no compiler of ours emits is here as text, so that drift is seen.
public struct LiveTable: Hashable, Sendable {
  /// The name.
  public var name: String

  /// The number by which the kernel knows the table.
  public var handle: UInt64

  /// The number of changes of all tables so far, when this one was read.
  public var generation: UInt32

  /// The chains, in the kernel's order.
  public var chains: [LiveChain]

  /// The sets and maps that have names, in the kernel's order.
  public var sets: [LiveSet]

  /// What else has a name in the table, which is never ours, in the kernel's order.
  public var objects: [LiveObject]

  /// What is odd about the table itself.
  public var oddities: [String]

  /// Creates a table.
  public init(
    _ name: String, handle: UInt64, generation: UInt32, chains: [LiveChain] = [], sets: [LiveSet] = [],
    objects: [LiveObject] = [], oddities: [String] = []
  ) {
    self.name = name
    self.handle = handle
    self.generation = generation
    self.chains = chains
    self.sets = sets
    self.objects = objects
    self.oddities = oddities
  }

  /// What is understood, in the canonical form: unknown rules, and what rules put into dynamic sets, are left out.
  public var table: Table {
    Table(
      name, sets: sets.map(\.set),
      chains: chains.map { Chain($0.name, hook: $0.hook, rules: $0.rules.compactMap(\.rule)) }
    ).ordered
  }

  /// What is not understood, each with its place; nothing if all of the table could be ours.
  public var unknowns: [String] {
    irregularities + strangeParts
  }

  /// What of its parts is not understood, each with its place.
  var strangeParts: [String] {
    oddities + objects.map(\.description)
      + sets.flatMap { set in (set.oddities + set.foreignElements).map { "set \(set.definition.name): \($0)" } }
      + chains.flatMap { chain in
        chain.oddities.map { "chain \(chain.name): \($0)" }
          + chain.rules.filter { $0.rule == nil }.map { "chain \(chain.name), rule \($0.handle): \($0.text)" }
      }
  }
}

extension LiveTable {
  /// Returns `true` iff nobody changed the table since it was `other`; what packets and time do to it is no change.
  public func isUnchanged(since other: LiveTable) -> Bool { settled == other.settled }

  /// The same table without what packets and time change.
  private var settled: LiveTable {
    var result = self
    result.generation = 0
    for i in result.chains.indices {
      for j in result.chains[i].rules.indices { result.chains[i].rules[j].counts = [] }
    }
    for i in result.sets.indices {
      result.sets[i].counts = []
      result.sets[i].lifetimes = []
      result.sets[i].foreignElements = []
      if result.sets[i].definition.isDynamic { result.sets[i].elements = [] }
    }
    return result
  }
}

/// Something with a name that no compiler of ours makes: a counter, a quota, a flow table.
public struct LiveObject: Hashable, Sendable, CustomStringConvertible {
  /// What it is.
  public enum Kind: Hashable, Sendable {
    /// An object of a type (`NFT_OBJECT_...` in `linux/netfilter/nf_tables.h`).
    case object(type: UInt32)

    /// A flow table.
    case flowTable
  }

  /// What it is.
  public var kind: Kind

  /// The name.
  public var name: String

  /// Creates an object.
  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  /// The types of objects, by their numbers, as nft(8) names them.
  private static let types = [
    "object", "counter", "quota", "ct helper", "limit", "connection limit", "tunnel", "ct timeout", "secmark",
    "ct expectation", "synproxy",
  ]

  /// What it is, as nft(8) names it.
  public var word: String {
    switch kind {
    case .object(let type): type < UInt32(LiveObject.types.count) ? LiveObject.types[Int(type)] : "object"
    case .flowTable: "flow table"
    }
  }

  /// What it is, and its name.
  public var description: String { "\(word) \(name)" }
}

/// A chain as the kernel has it.
public struct LiveChain: Hashable, Sendable {
  /// The name.
  public var name: String

  /// The number by which the kernel knows the chain.
  public var handle: UInt64

  /// Where the kernel enters it, if it does.
  public var hook: BaseHook?

  /// The rules, in the order in which they judge.
  public var rules: [LiveRule]

  /// What no chain of ours has, such as a policy that is not `accept`.
  public var oddities: [String]

  /// Creates a chain.
  public init(
    _ name: String, handle: UInt64, hook: BaseHook? = nil, rules: [LiveRule] = [], oddities: [String] = []
  ) {
    self.name = name
    self.handle = handle
    self.hook = hook
    self.rules = rules
    self.oddities = oddities
  }
}

/// A rule as the kernel has it.
public struct LiveRule: Hashable, Sendable {
  /// The number by which the kernel knows the rule.
  public var handle: UInt64

  /// The rule in the canonical form, or nothing if it is none that a compiler of ours emits.
  public var rule: Rule?

  /// What the rule is made of, if it is unknown.
  public var text: String

  /// What each counter of the rule has counted, in the order of the statements.
  public var counts: [Count]

  /// Creates a rule.
  public init(handle: UInt64, rule: Rule?, text: String = "", counts: [Count] = []) {
    self.handle = handle
    self.rule = rule
    self.text = text
    self.counts = counts
  }
}

/// When an element goes away by itself.
public struct Lifetime: Hashable, Sendable {
  /// How many milliseconds it has in all.
  public var timeout: UInt64

  /// How many milliseconds were left when it was read.
  public var left: UInt64

  /// Creates a lifetime.
  public init(timeout: UInt64, left: UInt64) {
    self.timeout = timeout
    self.left = left
  }
}

/// A set or a map as the kernel has it.
public struct LiveSet: Hashable, Sendable {
  /// What it is, without its elements.
  public var definition: NamedSet

  /// The number by which the kernel knows the set.
  public var handle: UInt64

  /// The elements, in the order of their keys; those of a dynamic set are what rules put there.
  public var elements: [NamedSet.Element]

  /// What each element has counted; empty if the elements do not count.
  public var counts: [Count]

  /// When each element goes away; empty if none does.
  public var lifetimes: [Lifetime?]

  /// What no set of ours has.
  public var oddities: [String]

  /// Elements that no rule can have put into a dynamic set, in words; they come and go like the others.
  public internal(set) var foreignElements: [String] = []

  /// `true` iff it has what no set of ours has.
  var isOdd: Bool { !oddities.isEmpty || !foreignElements.isEmpty }

  /// Creates a set.
  public init(
    _ definition: NamedSet, handle: UInt64, elements: [NamedSet.Element] = [], counts: [Count] = [],
    lifetimes: [Lifetime?] = [], oddities: [String] = []
  ) {
    self.definition = definition
    self.handle = handle
    self.elements = elements
    self.counts = counts
    self.lifetimes = lifetimes
    self.oddities = oddities
  }

  /// The set with its elements, but for those that rules put there.
  public var set: NamedSet {
    var set = definition
    if !set.isDynamic { set.elements = elements }
    return set
  }
}
