public import Firewalls
public import Packets

/// A ruleset of whatever origin, read for its meaning.
///
/// What the reader does not understand is not left out: it is a condition that may hold or not, named by its words, so
/// that the meaning bounds what the ruleset may do from both sides.
public struct ForeignRuleset {
  /// Something that was not understood.
  public struct Unknown: Hashable, Sendable {
    /// The number of the line, counted from 1, or 0 if it is a whole table.
    public var line: Int

    /// The words.
    public var words: String
  }

  /// The chains.
  public var chains: HookedChains

  /// What of rules was not understood, by line; each is a condition of the meaning, or an assumption that it is named as.
  public var unknown: [Unknown]

  /// The lines and tables that were not read at all, so that the meaning has no bounds.
  public var problems: [Unknown]

  /// Reads `text`, which iptables-save or ip6tables-save printed, or which iptables-restore would read.
  ///
  /// Packets of the other family pass these chains untouched.
  public init(_ text: String, _ family: AddressFamily, in universe: Universe) throws(BudgetExceeded) {
    let (ruleset, unread, lines) = Ruleset.read(text, family)
    var decompiler = Decompiler(family, in: universe)
    try decompiler.read(ruleset, lines: lines)
    chains = decompiler.host
    unknown = decompiler.unknown.sorted()
    problems = (decompiler.foreignTables + unread.map { Unknown(line: $0.line, words: $0.message) }).sorted()
  }
}

extension ForeignRuleset.Unknown: Comparable {
  /// Returns `true` iff `a` stands before `b`.
  public static func < (a: Self, b: Self) -> Bool { (a.line, a.words) < (b.line, b.words) }
}
