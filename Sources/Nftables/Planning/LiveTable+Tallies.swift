public import Firewalls
public import Syntax

/// What the rules and elements of a ruleset counted that judge what comes to one hook.
///
/// Names of chains are those of the policy's ruleset.
public struct Tallies: Hashable, Sendable {
  /// A rule or an element that leads back to a line of the policy.
  public struct Entry: Hashable, Sendable {
    /// The line, as `NftablesBackend.comment` writes it.
    public var comment: String

    /// What it counted, or nothing if it counts nothing by itself.
    public var count: Count?

    /// The chain that decides, if the entry does not decide at once; to refuse is to decide.
    public var chain: String?
  }

  /// What leads back to the policy.
  public var entries: [Entry] = []

  /// What the rules of each chain counted that lead back to no line by themselves.
  public var chains: [String: Count] = [:]

  /// The chains that each chain leads to.
  public var successors: [String: Set<String>] = [:]

  /// Creates tallies of nothing.
  public init() {}
}

extension Count {
  /// Returns both counts together.
  public static func + (a: Count, b: Count) -> Count {
    Count(packets: a.packets &+ b.packets, bytes: a.bytes &+ b.bytes)
  }
}

extension NftablesBackend {
  /// Returns the comment by which a rule or an element leads back to `cause`.
  public static func comment(for cause: Cause, in sources: Sources) -> String {
    Assembly(sources: sources).comment(cause)
  }

  /// What stands behind the comment of an element that other lines of the policy accept as well.
  public static let othersToo = " and others"
}

extension LiveTable {
  /// Returns what was counted of what comes to the filter at `point`.
  ///
  /// - Parameters:
  ///   - point: the hook.
  ///   - wanted: the ruleset of the policy as it is now, whose comments count where both have the same rule or element:
  ///     lines move while rules stay.
  /// - Returns: the tallies, in the order of the table.
  public func tallies(at point: BaseHook.Point, commentedAs wanted: Table? = nil) -> Tallies {
    let table = judging
    let chains = Dictionary(table.chains.map { ($0.name, $0) }) { first, _ in first }
    let sets = Dictionary(table.sets.map { ($0.definition.name, $0) }) { first, _ in first }
    let comments = KnownComments(wanted?.canonical)
    var result = Tallies()
    var seenSets: Set<String> = []
    var seenChains: Set<String> = []
    var next = table.chains.filter { $0.hook?.point == point && $0.hook?.kind == .filter }.map(\.name)
    while let name = next.popLast() {
      guard seenChains.insert(name).inserted, let chain = chains[name] else { continue }
      let logical = name.logicalName
      var known = comments.rules[logical] ?? [:]
      var leads = References()
      for live in chain.rules {
        guard let rule = live.rule.map(Renaming.logical.rule) else { continue }
        if let own = live.rule { leads.add([own]) }
        let count = live.counts.isEmpty ? nil : live.counts.reduce(Count(), +)
        var comment = rule.comment
        if var list = known[rule.statements], !list.isEmpty {
          comment = list.removeFirst()
          known[rule.statements] = list
        }
        if let comment {
          result.entries.append(
            .init(comment: comment, count: count, chain: rule.statements.lazy.compactMap(\.leap).last))
        } else if let count {
          result.chains[logical, default: Count()] = (result.chains[logical] ?? Count()) + count
        }
      }
      for name in leads.sets.sorted() where seenSets.insert(name).inserted {
        guard let set = sets[name] else { continue }
        leads.add(set.set)
        let known = comments.elements[name.logicalName] ?? [:]
        for (i, element) in set.elements.enumerated() {
          guard let comment = known[element.key] ?? element.comment else { continue }
          let renamed = Renaming.logical.element(element)
          var target: String?
          if case .verdict(let verdict) = renamed.value { target = verdict.leap }
          result.entries.append(
            .init(comment: comment, count: i < set.counts.count ? set.counts[i] : nil, chain: target))
        }
      }
      result.successors[logical, default: []].formUnion(leads.chains.map(\.logicalName))
      next += leads.chains.sorted().reversed()
    }
    return result
  }
}

/// The comments of a ruleset, by what stands before them.
private struct KnownComments {
  /// Those of rules, by their chains.
  var rules: [String: [[Statement]: [String]]] = [:]

  /// Those of elements, by their sets.
  var elements: [String: [[Datum]: String]] = [:]

  init(_ table: Table?) {
    for chain in table?.chains ?? [] {
      for rule in chain.rules {
        if let comment = rule.comment { rules[chain.name, default: [:]][rule.statements, default: []].append(comment) }
      }
    }
    for set in table?.sets ?? [] where set.counts {
      var known: [[Datum]: String] = [:]
      known.reserveCapacity(set.elements.count)
      for element in set.elements { known[element.key] = element.comment }
      elements[set.name] = known
    }
  }
}

extension Verdict {
  /// The chain that judges next, if it is one.
  fileprivate var leap: String? {
    switch self {
    case .goto("refuse"), .accept, .drop, .return: nil
    case .jump(let name), .goto(let name): name
    }
  }
}

extension Statement {
  /// The chain that judges next, if it is one.
  fileprivate var leap: String? {
    if case .verdict(let verdict) = self { verdict.leap } else { nil }
  }
}
